use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, Response};
use sinch_verify_protocol::start::MethodMarker;
use sinch_verify_protocol::start::Started;
use sinch_verify_protocol::{
    ApiError, Custom, Endpoint, Method, PhoneNumber, Reference, Report, ReportOutcome, Start, StatusById,
    StatusByNumber, StatusByReference, Verification, VerificationId,
};

use super::context::{FlowContext, ReceiverLink};
use super::expectation::Expectation;
use crate::callbacks::Token;
use crate::model::{
    Arrival, BadName, Delivered, Failure, FailureKind, ScenarioName, Setting, StepKind, StepName, StepTime,
};
use crate::phone::Wanted;
use crate::wire::Wire;

/// How long an event is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// One flow of a scenario under way: its phone number, and everything that it can do.
///
/// Each request and each wait is a step with a name. Steps are timed under their names and appear in
/// `run.json`, in reports and in thresholds (`signup.p99<100ms`). Names are up to 40 lower-case letters,
/// digits and hyphens.
pub struct Flow<'a> {
    context: &'a FlowContext,
    wire: &'a mut dyn Wire,
    steps: &'a Steps,
    scenario: ScenarioName,
    arrival: Arrival,
    number: PhoneNumber,
    /// How many references the flow took.
    references: u32,
    /// When the last request was answered.
    answered: Option<Instant>,
    /// The place of the last message that the flow took from the phone's inbox.
    seen: u64,
}

impl<'a> Flow<'a> {
    pub(crate) fn new(
        context: &'a FlowContext,
        wire: &'a mut dyn Wire,
        steps: &'a Steps,
        scenario: ScenarioName,
        arrival: Arrival,
        number: PhoneNumber,
    ) -> Self {
        Self {
            context,
            wire,
            steps,
            scenario,
            arrival,
            number,
            references: 0,
            answered: None,
            seen: 0,
        }
    }

    /// The phone number to verify. No other flow uses it at the same time.
    #[must_use]
    pub fn number(&self) -> PhoneNumber {
        self.number
    }

    /// The number of this flow in the run, from 0 on. No two flows have the same.
    #[must_use]
    pub fn index(&self) -> u64 {
        self.arrival.index
    }

    /// Who sends the requests to the service: a backend or a device.
    #[must_use]
    pub fn setting(&self) -> Setting {
        self.context.setting
    }

    /// The run's callback receiver.
    ///
    /// # Errors
    ///
    /// When the run receives no callbacks. A scenario that [needs
    /// them](super::Scenario::needs_callbacks) is not run then.
    pub fn receiver(&self) -> Result<&'a ReceiverLink, Failure> {
        let missing = || Failure::new(FailureKind::Request, "the run has no callback receiver");
        self.context.receiver.as_ref().ok_or_else(missing)
    }

    /// The custom text by which the run's callback receiver finds this flow. [`Flow::start`] sends it.
    ///
    /// # Errors
    ///
    /// When the text is not valid, which a scenario's name cannot cause.
    pub fn custom(&self) -> Result<Custom, Failure> {
        Custom::new(&self.token().to_string()).map_err(|error| Failure::unmade(&error))
    }

    /// Sends a request to any URL, as the step `step`, and returns the answer, whatever its status.
    ///
    /// The request goes out as it is, over the run's transport: nothing is redirected or sent again.
    ///
    /// # Errors
    ///
    /// When no whole answer comes.
    pub async fn send(
        &mut self,
        step: &'static str,
        request: Request<Bytes>,
    ) -> Result<Response<Bytes>, Failure> {
        self.exchange(own(step)?, request).await
    }

    /// Carries out anything else as the step `step`.
    ///
    /// # Errors
    ///
    /// When `work` fails.
    pub async fn step<T>(
        &mut self,
        step: &'static str,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        self.timed(own(step)?, StepKind::Other, work).await
    }

    /// Sends one request of the Verification API, authorized as the run's setting says, as the step
    /// `step`, and reads the answer.
    ///
    /// # Errors
    ///
    /// When the request cannot be made, is refused, or gets no answer that can be read.
    pub async fn call<E: Endpoint + Sync>(
        &mut self,
        step: &'static str,
        endpoint: &E,
    ) -> Result<E::Response, Failure> {
        self.ask(own(step)?, endpoint).await
    }

    /// A reference that no other verification has. [`Flow::start`] takes one where the start has none.
    ///
    /// # Errors
    ///
    /// When the text is not valid, which a scenario's name cannot cause.
    pub fn reference(&mut self) -> Result<Reference, Failure> {
        let Token { run, scenario, index } = self.token();
        let reference = format!("{run}-{scenario}-{index}-{}", self.references);
        self.references += 1;
        Reference::new(&reference).map_err(|error| Failure::unmade(&error))
    }

    /// Starts a verification that is to go on, as the step `start`. It gets a
    /// [reference](Self::reference), and the flow's [custom text](Self::custom).
    ///
    /// # Errors
    ///
    /// When the service refuses it, or no answer comes.
    pub async fn start<M: MethodMarker>(&mut self, start: Start<M>) -> Result<Started<M>, Failure> {
        let (start, _) = self.named(start)?;
        let sent = self.context.clock.now();
        let started = self.ask(StepName::START, &start).await?;
        self.callback_times(&started.id, sent);
        Ok(started)
    }

    /// Starts a verification that the callback keeps from going on, and checks that it ends as
    /// `expected`.
    ///
    /// # Errors
    ///
    /// When the service accepts the start, or the verification ends otherwise.
    pub async fn refused_start<M: MethodMarker>(
        &mut self,
        start: Start<M>,
        expected: &Expectation,
    ) -> Result<(), Failure> {
        let (start, reference) = self.named(start)?;
        let method = start.method().clone();
        let sent = self.context.clock.now();
        match self.ask(StepName::START, &start).await {
            Ok(_) => return Err(Failure::mismatch("the start was to be refused, and was taken")),
            Err(refusal) if refusal.kind() == FailureKind::Api(ApiError::RESTRICTED) => {}
            Err(failure) => return Err(failure),
        }
        let refused = self.answered;
        let seen = match self.context.setting {
            Setting::Backend => {
                let query = StatusByReference { reference };
                self.ask(StepName::STATUS_BY_REFERENCE, &query).await?
            }
            Setting::Device => self.status_by_number(method).await?,
        };
        self.answered = refused;
        self.callback_times(&seen.id, sent);
        self.result(&seen.id, expected).await?;
        expected.check(None, &seen)
    }

    /// Waits for what reaches the phone for the verification `id`, as the step `phone`.
    ///
    /// # Errors
    ///
    /// `code.missing` when nothing arrives in time.
    pub async fn phone(&mut self, id: &VerificationId) -> Result<Delivered, Failure> {
        self.delivered(Wanted::Of(id)).await
    }

    /// Waits for the next message or call that reaches the phone, as the step `phone`: for flows that
    /// do not know the verification, because their own backend started it.
    ///
    /// # Errors
    ///
    /// `code.missing` when nothing arrives in time.
    pub async fn next_message(&mut self) -> Result<Delivered, Failure> {
        self.delivered(Wanted::After(self.seen)).await
    }

    /// Sends a report, as the step `report`. A refusal is an outcome.
    ///
    /// # Errors
    ///
    /// When no answer comes that can be read.
    pub async fn report<M: MethodMarker>(&mut self, report: Report<M>) -> Result<ReportOutcome, Failure> {
        let request = self.authorized(&report)?;
        let answer = self.exchange(StepName::REPORT, request).await?;
        ReportOutcome::from_http(&answer).map_err(|error| Failure::from(&error))
    }

    /// Queries the status of a verification: by id for a backend, by method and number for a device,
    /// to which nothing else is open.
    ///
    /// # Errors
    ///
    /// When the query is refused, or no answer comes.
    pub async fn status(&mut self, id: &VerificationId, method: Method) -> Result<Verification, Failure> {
        match self.context.setting {
            Setting::Backend => {
                let query = StatusById { id: id.clone() };
                self.ask(StepName::STATUS, &query).await
            }
            Setting::Device => self.status_by_number(method).await,
        }
    }

    /// Waits for the result event at the run's callback receiver, as the step `result`, and checks it.
    /// The time counts from the last answer. Without a receiver this does nothing.
    ///
    /// # Errors
    ///
    /// `callback.missing` when no event comes in time, `outcome.mismatch` when it is another one.
    pub async fn result(&mut self, id: &VerificationId, expected: &Expectation) -> Result<(), Failure> {
        let Some(receiver) = &self.context.receiver else {
            return Ok(());
        };
        let since = self.answered.unwrap_or_else(|| self.context.clock.now());
        self.steps.wait_for(StepName::RESULT, StepKind::Other, since);
        let conversation = receiver.conversations.about(id);
        let Some(ended) = conversation.result(PATIENCE).await else {
            let detail = format!("no result event within {} s", PATIENCE.as_secs());
            return Err(Failure::new(FailureKind::CallbackMissing, detail));
        };
        self.steps.add(
            StepName::RESULT,
            StepKind::Other,
            ended.at.saturating_duration_since(since),
        );
        expected.check_event(&ended.status, ended.reason.as_ref())
    }

    async fn status_by_number(&mut self, method: Method) -> Result<Verification, Failure> {
        let number = self.number;
        let query = StatusByNumber { method, number };
        self.ask(StepName::STATUS_BY_NUMBER, &query).await
    }

    async fn delivered(&mut self, wanted: Wanted<'_>) -> Result<Delivered, Failure> {
        let (context, number) = (self.context, self.number);
        let message = context.phone.delivered(&number, wanted);
        let delivered = self.timed(StepName::PHONE, StepKind::Other, message).await?;
        self.seen = self.seen.max(delivered.seq);
        Ok(delivered)
    }

    /// Sends one request and reads its answer.
    async fn ask<E: Endpoint + Sync>(
        &mut self,
        step: StepName,
        endpoint: &E,
    ) -> Result<E::Response, Failure> {
        let request = self.authorized(endpoint)?;
        let answer = self.exchange(step, request).await?;
        endpoint.from_http(&answer).map_err(|mut error| {
            error.redact(&self.context.target.credentials);
            Failure::from(&error)
        })
    }

    fn authorized<E: Endpoint>(&self, endpoint: &E) -> Result<Request<Bytes>, Failure> {
        let target = &self.context.target;
        let request = endpoint.to_http(&target.base);
        let mut request = request.map_err(|error| Failure::unmade(&error))?;
        let authorized = target
            .credentials
            .authorize(&mut request, self.context.clock.wall());
        authorized.map_err(|error| Failure::unmade(&error))?;
        Ok(request)
    }

    /// Sends one request and returns its answer, whatever it is.
    async fn exchange(
        &mut self,
        step: StepName,
        request: Request<Bytes>,
    ) -> Result<Response<Bytes>, Failure> {
        let sent = self.context.clock.now();
        self.steps.wait_for(step, StepKind::Request, sent);
        let answer = self.wire.send(step, request).await;
        let now = self.context.clock.now();
        self.answered = Some(now);
        self.steps.end(now, answer.is_ok());
        answer
    }

    async fn timed<T>(
        &mut self,
        step: StepName,
        kind: StepKind,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        self.steps.wait_for(step, kind, self.context.clock.now());
        let done = work.await;
        self.steps.end(self.context.clock.now(), done.is_ok());
        done
    }

    /// The times of a request event, whose conversation is with the receiver by now.
    fn callback_times(&mut self, id: &VerificationId, sent: Instant) {
        let Some(receiver) = &self.context.receiver else {
            return;
        };
        let heard = receiver.conversations.about(id).heard();
        // Without an answer of the handler, as in front of a fault, there is nothing to time.
        let (Some(asked), Some(answered)) = (heard.asked, heard.answered) else {
            return;
        };
        let back = self.answered.unwrap_or(answered);
        for (step, from, to) in [
            (StepName::CALLBACK_IN, sent, asked),
            (StepName::CALLBACK_SERVED, asked, answered),
            (StepName::CALLBACK_OUT, answered, back),
        ] {
            self.steps
                .add(step, StepKind::Other, to.saturating_duration_since(from));
        }
    }

    fn token(&self) -> Token {
        Token {
            run: self.context.run.clone(),
            scenario: self.scenario,
            index: self.arrival.index,
        }
    }

    /// A start with a reference, its own or a fresh one, and with the flow's custom text.
    fn named<M: MethodMarker>(&mut self, start: Start<M>) -> Result<(Start<M>, Reference), Failure> {
        let start = start.custom(self.custom()?);
        if let Some(reference) = start.own_reference().cloned() {
            return Ok((start, reference));
        }
        let reference = self.reference()?;
        Ok((start.reference(reference.clone()), reference))
    }
}

fn own(step: &'static str) -> Result<StepName, Failure> {
    StepName::new(step).map_err(|error: BadName| {
        let detail = format!("the step `{step}` cannot be timed: {error}");
        Failure::new(FailureKind::Request, detail)
    })
}

impl fmt::Debug for Flow<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Flow")
            .field("scenario", &self.scenario)
            .field("index", &self.arrival.index)
            .finish_non_exhaustive()
    }
}

/// The steps of one flow, and the times they took. They are outside of the flow, so that a flow which
/// fails or is cut off leaves them behind.
#[derive(Debug, Default)]
pub(crate) struct Steps(Mutex<Recorded>);

#[derive(Debug, Default)]
struct Recorded {
    times: Vec<StepTime>,
    /// The step that is not over, and since when it goes on.
    waiting: Option<(StepName, StepKind, Instant)>,
}

impl Steps {
    /// The step that the flow is in, in words.
    pub(crate) fn waiting(&self) -> String {
        self.lock().waiting.map_or_else(
            || "between two steps".to_owned(),
            |(step, ..)| format!("waiting for `{step}`"),
        )
    }

    /// The times of the steps so far, in order. A step that goes on `now` is one of them.
    pub(crate) fn finish(self, now: Instant) -> Vec<StepTime> {
        self.end(now, false);
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner).times
    }

    fn wait_for(&self, step: StepName, kind: StepKind, since: Instant) {
        self.lock().waiting = Some((step, kind, since));
    }

    /// Ends the step that goes on.
    fn end(&self, now: Instant, answered: bool) {
        let mut recorded = self.lock();
        if let Some((step, kind, since)) = recorded.waiting.take() {
            let took = now.saturating_duration_since(since);
            recorded.times.push(StepTime {
                step,
                took,
                kind,
                answered,
            });
        }
    }

    /// Adds a step that took this long, and is over.
    fn add(&self, step: StepName, kind: StepKind, took: Duration) {
        let mut recorded = self.lock();
        recorded.waiting = None;
        recorded.times.push(StepTime {
            step,
            took,
            kind,
            answered: true,
        });
    }

    fn lock(&self) -> MutexGuard<'_, Recorded> {
        // Each change is made in one step, so a panic elsewhere leaves nothing half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
