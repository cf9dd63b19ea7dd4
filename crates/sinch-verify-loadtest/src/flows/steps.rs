use std::fmt;
use std::time::{Duration, Instant};

use sinch_verify_protocol::start::MethodMarker;
use sinch_verify_protocol::start::Started;
use sinch_verify_protocol::{
    ApiError, Custom, Endpoint, Method, PhoneNumber, Reference, Report, ReportOutcome, Start,
    StatusByReference, Verification, VerificationId,
};
use sinch_verify_protocol::{StatusById, StatusByNumber};

use super::cast::Cast;
use super::expectation::Expectation;
use super::{Flow, Job};
use crate::callbacks::Token;
use crate::failure::{Failure, FailureKind};
use crate::measure::{Interval, Timed};
use crate::phone::{Delivered, Phone};
use crate::runfile::Setting;
use crate::wire::Wire;

/// How long an event is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// The steps of one flow, and the times they took.
///
/// It outlives the flow, so that a flow which fails or is cut off still tells its steps.
pub struct Steps<'a, W, P> {
    pub(super) wire: &'a mut W,
    pub(super) cast: &'a Cast<P>,
    flow: Flow,
    pub(super) job: Job,
    /// How many verifications the flow started.
    starts: u32,
    /// When the last request was answered.
    pub(super) answered: Option<Instant>,
    times: Vec<Timed>,
    /// What is being waited for, and since when.
    waiting: Option<(Interval, Instant)>,
}

impl<'a, W: Wire, P: Phone> Steps<'a, W, P> {
    /// The steps of `flow`, over `wire`.
    pub fn new(wire: &'a mut W, cast: &'a Cast<P>, flow: Flow, job: Job) -> Self {
        Self {
            wire,
            cast,
            flow,
            job,
            starts: 0,
            answered: None,
            times: Vec::new(),
            waiting: None,
        }
    }

    /// Sends one request and reads its answer.
    pub(super) async fn call<E: Endpoint + Sync>(
        &mut self,
        interval: Interval,
        endpoint: &E,
    ) -> Result<E::Response, Failure> {
        let answer = self.exchange(interval, endpoint).await?;
        endpoint.from_http(&answer).map_err(|mut error| {
            error.redact(&self.cast.target.credentials);
            Failure::from(&error)
        })
    }

    /// Sends one request and gives its answer, whatever it is.
    async fn exchange<E: Endpoint + Sync>(
        &mut self,
        interval: Interval,
        endpoint: &E,
    ) -> Result<http::Response<bytes::Bytes>, Failure> {
        let mut request = endpoint
            .to_http(&self.cast.target.base)
            .map_err(|error| unmade(&error))?;
        self.cast
            .target
            .credentials
            .authorize(&mut request, self.cast.clock.wall())
            .map_err(|error| unmade(&error))?;
        self.send(interval, E::NAME, request).await
    }

    /// Sends a request as it is.
    pub(super) async fn send(
        &mut self,
        interval: Interval,
        operation: &'static str,
        request: http::Request<bytes::Bytes>,
    ) -> Result<http::Response<bytes::Bytes>, Failure> {
        let sent = self.cast.clock.now();
        self.waiting = Some((interval, sent));
        let answer = self.wire.send(operation, request).await;
        let now = self.cast.clock.now();
        self.answered = Some(now);
        self.time(interval, now.saturating_duration_since(sent), answer.is_ok());
        answer
    }

    /// Starts a verification that is to go on.
    pub(super) async fn start<M: MethodMarker>(&mut self, start: Start<M>) -> Result<Started<M>, Failure> {
        let (start, _) = self.named(start)?;
        let sent = self.cast.clock.now();
        let started = self.call(Interval::Start, &start).await?;
        self.callback_times(&started.id, sent);
        Ok(started)
    }

    /// Starts a verification that the callback is to keep from going on, and sees that it ended so.
    pub(super) async fn denied_start<M: MethodMarker>(
        &mut self,
        start: Start<M>,
        expected: &Expectation,
    ) -> Result<(), Failure> {
        let (start, reference) = self.named(start)?;
        let method = start.method().clone();
        let sent = self.cast.clock.now();
        match self.call(Interval::Start, &start).await {
            Ok(_) => {
                let detail = "the start was to be refused, and was taken";
                return Err(Failure::new(FailureKind::OutcomeMismatch, detail));
            }
            Err(refusal) if refusal.kind() == FailureKind::Api(ApiError::RESTRICTED) => {}
            Err(failure) => return Err(failure),
        }
        let refused = self.answered;
        let seen = match self.cast.setting {
            Setting::Backend => {
                let query = StatusByReference { reference };
                self.call(Interval::StatusByReference, &query).await?
            }
            Setting::Device => self.status_by_number(method).await?,
        };
        self.answered = refused;
        self.callback_times(&seen.id, sent);
        self.result(&seen.id, expected).await?;
        expected.check(None, &seen)
    }

    /// Waits for what reaches the phone for the verification `id`.
    pub(super) async fn phone(&mut self, id: &VerificationId) -> Result<Delivered, Failure> {
        let asked = self.cast.clock.now();
        self.waiting = Some((Interval::Phone, asked));
        let delivered = self.cast.phone.delivered(&self.job.number, id).await;
        let took = self.cast.clock.now().saturating_duration_since(asked);
        self.time(Interval::Phone, took, delivered.is_ok());
        delivered
    }

    /// Sends a report.
    pub(super) async fn report<M: MethodMarker>(
        &mut self,
        report: Report<M>,
    ) -> Result<ReportOutcome, Failure> {
        let answer = self.exchange(Interval::Report, &report).await?;
        ReportOutcome::from_http(&answer).map_err(|error| Failure::from(&error))
    }

    /// Asks how the verification stands, as the setting can.
    pub(super) async fn status(
        &mut self,
        id: &VerificationId,
        method: Method,
    ) -> Result<Verification, Failure> {
        match self.cast.setting {
            Setting::Backend => {
                let query = StatusById { id: id.clone() };
                self.call(Interval::Status, &query).await
            }
            // Nothing else is open to a device.
            Setting::Device => self.status_by_number(method).await,
        }
    }

    async fn status_by_number(&mut self, method: Method) -> Result<Verification, Failure> {
        let query = StatusByNumber {
            method,
            number: self.job.number,
        };
        self.call(Interval::StatusByNumber, &query).await
    }

    /// Waits for the result event, where there is somebody to hear it, and looks at what it says.
    /// Its time counts from the last answer.
    pub(super) async fn result(
        &mut self,
        id: &VerificationId,
        expected: &Expectation,
    ) -> Result<(), Failure> {
        let Some(peer) = &self.cast.callbacks else {
            return Ok(());
        };
        let since = self.answered.unwrap_or_else(|| self.cast.clock.now());
        self.waiting = Some((Interval::Result, since));
        let conversation = peer.conversations.about(id);
        let Some(ended) = conversation.result(PATIENCE).await else {
            let detail = format!("no result event within {} s", PATIENCE.as_secs());
            return Err(Failure::new(FailureKind::CallbackMissing, detail));
        };
        self.time(Interval::Result, ended.at.saturating_duration_since(since), true);
        expected.check_event(&ended.status, ended.reason.as_ref())
    }

    /// The times of a request event, whose conversation is with the receiver by now.
    fn callback_times(&mut self, id: &VerificationId, sent: Instant) {
        let Some(peer) = &self.cast.callbacks else {
            return;
        };
        let heard = peer.conversations.about(id).heard();
        // Without an answer of ours, as from a receiver that misbehaves, there is nothing to time.
        let (Some(asked), Some(answered)) = (heard.asked, heard.answered) else {
            return;
        };
        let back = self.answered.unwrap_or(answered);
        self.time(Interval::CallbackIn, asked.saturating_duration_since(sent), true);
        self.time(
            Interval::CallbackServed,
            answered.saturating_duration_since(asked),
            true,
        );
        self.time(
            Interval::CallbackOut,
            back.saturating_duration_since(answered),
            true,
        );
    }

    /// A start with a reference of its own, and with what its events are known by.
    fn named<M: MethodMarker>(&mut self, start: Start<M>) -> Result<(Start<M>, Reference), Failure> {
        let token = Token {
            run: self.cast.run.clone(),
            flow: self.flow,
            slot: self.job.slot,
        };
        let reference = format!("{}-{}-{}-{}", token.run, token.flow, token.slot, self.starts);
        self.starts += 1;
        let reference = Reference::new(&reference).map_err(|error| unmade(&error))?;
        let custom = Custom::new(&token.to_string()).map_err(|error| unmade(&error))?;
        Ok((start.reference(reference.clone()).custom(custom), reference))
    }

    pub(super) fn time(&mut self, interval: Interval, took: Duration, answered: bool) {
        self.waiting = None;
        self.times.push(Timed::new(interval, took, answered));
    }
}

pub(super) fn unmade(error: &dyn std::error::Error) -> Failure {
    Failure::new(FailureKind::Request, error.to_string())
}

impl<W, P> Steps<'_, W, P> {
    /// The number that is verified.
    pub(super) fn number(&self) -> PhoneNumber {
        self.job.number
    }

    /// What the flow is waiting for, in words.
    pub(crate) fn waiting(&self) -> String {
        self.waiting.map_or_else(
            || "between two steps".to_owned(),
            |(interval, _)| format!("waiting for `{interval}`"),
        )
    }

    /// The times of the steps so far, in order. A request that is still without an answer is one of
    /// them.
    #[must_use]
    pub fn finish(mut self) -> Vec<Timed> {
        if let Some((interval, since)) = self.waiting.take() {
            let took = self.cast.clock.now().saturating_duration_since(since);
            self.times.push(Timed::new(interval, took, false));
        }
        self.times
    }
}

impl<W, P> fmt::Debug for Steps<'_, W, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Steps")
            .field("flow", &self.flow)
            .field("times", &self.times)
            .finish_non_exhaustive()
    }
}
