//! One call: encode, authorize, send, decode, and all of it again where that is allowed.
//!
//! Every attempt begins at encoding: a signature holds the time, so no attempt reuses another's.

use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use http::header::USER_AGENT;
use http::{Request, Response};
use sinch_verify_protocol::phone_number::Masked;
use sinch_verify_protocol::{ApiError, Credentials, DecodeError, Endpoint};
use tracing::Instrument as _;

use crate::answer;
use crate::client::Inner;
use crate::clock::Budget;
use crate::error::{Error, Kind};
use crate::found::Found;
use crate::retry::{Attempt, Next};
use crate::telemetry::Record;
use crate::transport::{TransportError, TransportErrorKind};

/// Sends `endpoint` as often as may be, and reads its answer. Asks nothing when an answer is lost.
pub(crate) async fn run<E: Endpoint>(
    inner: &Inner,
    endpoint: &E,
    number: Option<Masked<'_>>,
    budget: Budget,
) -> Result<E::Response, Error> {
    let answer = run_dated(inner, endpoint, number, budget).await;
    answer.map(|(response, _)| response)
}

/// As [`run`], with the service's time when it answered.
pub(crate) async fn run_dated<E: Endpoint>(
    inner: &Inner,
    endpoint: &E,
    number: Option<Masked<'_>>,
    budget: Budget,
) -> Result<(E::Response, Option<SystemTime>), Error> {
    let mut call = Call::new::<E>(inner, number, budget);
    let span = call.record.span().clone();
    async move {
        match call.exchange(endpoint).await {
            Ok(response) => Ok((response, call.answered_at)),
            Err(halt) => Err(call.failed(halt.kind)),
        }
    }
    .instrument(span)
    .await
}

/// A call under way.
pub(crate) struct Call<'a> {
    pub(crate) inner: &'a Inner,
    pub(crate) budget: Budget,
    pub(crate) record: Record,
    operation: &'static str,
    is_start: bool,
    /// How often the retry policy was used.
    attempts: u32,
    /// How many requests were sent.
    sent: u32,
    /// When the last one was.
    pub(crate) sent_at: Option<Instant>,
    /// Whether the service may have seen one of them.
    may_have_been_sent: bool,
    /// What a status query found last.
    found: Option<Found>,
    /// When the last answer was made, by the service's clock.
    answered_at: Option<SystemTime>,
    /// Whether a request was signed again because of the clock.
    resigned: bool,
}

/// A call got no usable answer and sends nothing more by itself.
pub(crate) struct Halt {
    pub(crate) kind: Kind,
    /// What may be done after a status query.
    pub(crate) ask: Option<Ask>,
}

/// The status should be asked for.
pub(crate) struct Ask {
    /// Wait this long before.
    pub(crate) wait: Duration,
    /// Whether the request may be sent again while the status is pending.
    pub(crate) again: bool,
}

impl<'a> Call<'a> {
    pub(crate) fn new<E: Endpoint>(inner: &'a Inner, number: Option<Masked<'_>>, budget: Budget) -> Self {
        use sinch_verify_protocol::endpoint::Idempotency;
        Self {
            inner,
            budget,
            record: Record::new(E::NAME, number),
            operation: E::NAME,
            // A start is the one operation that must never be repeated blindly.
            is_start: E::IDEMPOTENCY == Idempotency::Never,
            attempts: 0,
            sent: 0,
            sent_at: None,
            may_have_been_sent: false,
            found: None,
            answered_at: None,
            resigned: false,
        }
    }

    /// Sends `endpoint` until it is answered, or until sending it again would be wrong.
    pub(crate) async fn exchange<E: Endpoint>(&mut self, endpoint: &E) -> Result<E::Response, Halt> {
        loop {
            self.attempts += 1;
            let arrived_before = self.may_have_been_sent;
            let kind = match self.attempt(endpoint).await {
                Ok(response) => return Ok(response),
                Err(kind) => kind,
            };
            let inner = self.inner;
            let next = match kind.outcome() {
                Some(outcome) => {
                    let jitter = inner.entropy.next_u64();
                    let attempt = Attempt {
                        nth: self.attempts,
                        arrived_before,
                    };
                    inner.retry.decide(E::IDEMPOTENCY, attempt, outcome, jitter)
                }
                None => Next::Stop,
            };
            match next {
                Next::Again { wait } if self.budget.sleep(&*inner.clock, wait).await => {}
                Next::Again { .. } | Next::Stop => return Err(Halt { kind, ask: None }),
                Next::Ask { wait, again } => {
                    let ask = Some(Ask { wait, again });
                    return Err(Halt { kind, ask });
                }
            }
        }
    }

    /// Keeps what a status query found, until another one finds more.
    pub(crate) fn keep(&mut self, found: Found) {
        self.found = Some(found);
    }

    /// The error that the caller gets.
    ///
    /// The last attempt tells how it ended, all of them together what may have come of it.
    pub(crate) fn failed(self, kind: Kind) -> Error {
        let error = Error::new(self.operation, self.is_start, self.sent, kind)
            .with_found(self.found)
            .with_earlier_sent(self.may_have_been_sent);
        self.record.failed(error.label());
        error
    }

    /// One attempt: a request, and where the service refused its time, the same request signed with
    /// the service's own.
    async fn attempt<E: Endpoint>(&mut self, endpoint: &E) -> Result<E::Response, Kind> {
        let inner = self.inner;
        let used = inner.skew.get();
        let response = self.send_once(endpoint).await?;
        let kind = match answer::read(endpoint, &response, &*inner.clock) {
            Ok(answer) => return Ok(answer),
            Err(kind) => kind,
        };
        let signed = matches!(inner.credentials, Credentials::Signed(_));
        if !signed || self.resigned || !inner.retry.asks() || !is_about_time(&kind) {
            return Err(kind);
        }
        let Some(service) = answer::date(&response) else {
            return Err(kind);
        };
        if !inner.skew.learn(service, inner.clock.now(), used) {
            return Err(kind);
        }
        // The refusal came before anything was done, so even a start is safe to repeat.
        self.resigned = true;
        let response = self.send_once(endpoint).await?;
        answer::read(endpoint, &response, &*inner.clock)
    }

    /// Encodes, authorizes with the time now, and sends.
    async fn send_once<E: Endpoint>(&mut self, endpoint: &E) -> Result<Response<Bytes>, Kind> {
        let inner = self.inner;
        let limit = time_for_one(inner, self.budget).map_err(Kind::Transport)?;
        let mut request = endpoint.to_http(&inner.base_url).map_err(Kind::Encode)?;
        request.headers_mut().insert(USER_AGENT, inner.user_agent.clone());
        inner
            .credentials
            .authorize(&mut request, inner.skew.get().apply(inner.clock.now()))
            .map_err(Kind::Authorize)?;
        self.sent += 1;
        self.sent_at = Some(inner.clock.instant());
        match send_within(inner, limit, request, &self.record, self.sent).await {
            Ok(answer) => {
                self.may_have_been_sent = true;
                self.answered_at = answer::date(&answer);
                Ok(answer)
            }
            Err(error) => {
                self.may_have_been_sent |= error.may_have_been_sent();
                Err(Kind::Transport(error))
            }
        }
    }
}

/// The time that the next request may take.
pub(crate) fn time_for_one(inner: &Inner, budget: Budget) -> Result<Duration, TransportError> {
    let limit = inner.attempt_timeout.min(budget.left(&*inner.clock));
    if limit.is_zero() {
        return Err(TransportError::new(TransportErrorKind::Timeout)
            .with_source("the time for the whole call is over")
            .never_sent());
    }
    Ok(limit)
}

/// Sends a request that is complete: attempt number `nth` of what `record` tells of.
pub(crate) async fn send_within(
    inner: &Inner,
    limit: Duration,
    request: Request<Bytes>,
    record: &Record,
    nth: u32,
) -> Result<Response<Bytes>, TransportError> {
    let attempt = record.attempt(nth);
    let sending = inner.transport.send(request).instrument(attempt.span().clone());
    let answer = match tokio::time::timeout(limit, sending).await {
        Ok(answer) => answer,
        // Where the request was when time ran out is not known.
        Err(elapsed) => Err(TransportError::new(TransportErrorKind::Timeout).with_source(elapsed)),
    };
    let status = answer.as_ref().ok().map(Response::status);
    attempt.answered(status);
    record.answered(nth, status);
    answer
}

/// Whether the service refused the time of the signature.
fn is_about_time(kind: &Kind) -> bool {
    matches!(
        kind,
        Kind::Decode { source: DecodeError::Api { error, .. }, .. } if error.code == ApiError::TIMESTAMP
    )
}
