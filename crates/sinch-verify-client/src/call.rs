//! One call: the attempts of one request, and the decision what follows each.
//!
//! Every attempt begins at encoding: a signature holds the time, so no attempt reuses another's.

use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use http::header::USER_AGENT;
use http::{Request, Response};
use sinch_verify_protocol::phone_number::Masked;
use sinch_verify_protocol::retry::{History, Next, Outcome};
use sinch_verify_protocol::{ApiError, Credentials, DecodeError, Endpoint};
use tracing::Instrument as _;

use crate::answer;
use crate::clock::Budget;
use crate::context::Context;
use crate::error::{Error, Kind};
use crate::skew::{ClockOffset, Lesson};
use crate::telemetry::Record;
use crate::transport::{TransportError, TransportErrorKind};

/// Whether a request may be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// As the retry policy has it.
    ByPolicy,
    /// It is sent once: the caller decides what follows.
    Never,
}

/// Sends `endpoint` and reads its answer; gives the service's time too. Queries no status.
pub(crate) async fn run<E: Endpoint>(
    context: &Context,
    endpoint: &E,
    number: Option<Masked<'_>>,
    budget: Budget,
    repeat: Repeat,
) -> Result<(E::Response, Option<SystemTime>), Error> {
    let mut call = Call::new::<E>(context, number, budget);
    let span = call.record.span().clone();
    async move {
        loop {
            let kind = match call.send(endpoint).await {
                Ok(response) => return Ok((response, call.answered_at)),
                Err(kind) => kind,
            };
            match call.decide(kind.outcome()) {
                Next::Send { wait } if repeat == Repeat::ByPolicy && call.pause(wait).await => {}
                _ => return Err(call.failed(kind)),
            }
        }
    }
    .instrument(span)
    .await
}

/// A call under way.
pub(crate) struct Call<'a> {
    pub(crate) context: &'a Context,
    pub(crate) budget: Budget,
    pub(crate) record: Record,
    /// Makes the error of this operation.
    error: fn(u32, Kind) -> Error,
    history: History,
    /// How many requests were sent.
    requests: u32,
    /// When the last one was.
    pub(crate) sent_at: Option<Instant>,
    /// Whether the service may have seen one of them.
    may_have_been_sent: bool,
    /// When the last answer was made, by the service's clock.
    answered_at: Option<SystemTime>,
    /// Whether a request was signed again because of the clock.
    resigned: bool,
    /// How far the service's clock is from this host's, where that was too far to sign with.
    ignored_offset: Option<ClockOffset>,
}

impl<'a> Call<'a> {
    pub(crate) fn new<E: Endpoint>(context: &'a Context, number: Option<Masked<'_>>, budget: Budget) -> Self {
        Self {
            context,
            budget,
            record: Record::new(E::NAME, number),
            error: Error::new::<E>,
            history: History::new(E::IDEMPOTENCY),
            requests: 0,
            sent_at: None,
            may_have_been_sent: false,
            answered_at: None,
            resigned: false,
            ignored_offset: None,
        }
    }

    /// What follows this outcome.
    pub(crate) fn decide(&mut self, outcome: Outcome) -> Next {
        let Context { retry, entropy, .. } = self.context;
        retry.decide(&mut self.history, outcome, entropy.next_u64())
    }

    /// Waits, and tells whether there was time for it.
    pub(crate) async fn pause(&self, wait: Duration) -> bool {
        self.budget.sleep(&*self.context.clock, wait).await
    }

    /// The error that the caller gets.
    ///
    /// The last attempt tells how it ended, all of them together what may have come of it.
    pub(crate) fn failed(self, kind: Kind) -> Error {
        let error = (self.error)(self.requests, kind)
            .with_earlier_sent(self.may_have_been_sent)
            .with_ignored_offset(self.ignored_offset);
        self.record.failed(error.label());
        error
    }

    /// One attempt: a request, and where the service refused its time, the same request signed with
    /// the service's own.
    pub(crate) async fn send<E: Endpoint>(&mut self, endpoint: &E) -> Result<E::Response, Kind> {
        let context = self.context;
        let used = context.skew.get();
        let response = self.send_once(endpoint).await?;
        let kind = match answer::read(endpoint, &response, context) {
            Ok(answer) => return Ok(answer),
            Err(kind) => kind,
        };
        let signed = matches!(context.credentials, Credentials::Signed(_));
        if !signed || self.resigned || !context.retry.sends_more() || !is_about_time(&kind) {
            return Err(kind);
        }
        let Some(service) = answer::date(&response) else {
            return Err(kind);
        };
        match context.skew.learn(service, context.clock.now(), used) {
            Lesson::Learned => {}
            Lesson::Known => return Err(kind),
            Lesson::Ignored(offset) => {
                tracing::warn!(
                    offset_s = offset.as_secs(),
                    "the service's clock is more than a day from this host's, and is ignored"
                );
                self.ignored_offset = Some(offset);
                return Err(kind);
            }
        }
        // The refusal came before anything was done, so even a start is safe to repeat.
        self.resigned = true;
        let response = self.send_once(endpoint).await?;
        answer::read(endpoint, &response, context)
    }

    /// Encodes, authorizes with the time now, and sends.
    async fn send_once<E: Endpoint>(&mut self, endpoint: &E) -> Result<Response<Bytes>, Kind> {
        let context = self.context;
        let limit = time_for_one(context, self.budget).map_err(Kind::Transport)?;
        let mut request = endpoint.to_http(&context.base_url).map_err(Kind::Encode)?;
        request
            .headers_mut()
            .insert(USER_AGENT, context.user_agent.clone());
        context
            .credentials
            .authorize(&mut request, context.skew.get().apply(context.clock.now()))
            .map_err(Kind::Authorize)?;
        self.requests += 1;
        self.sent_at = Some(context.clock.instant());
        match send_within(context, limit, request, &self.record, self.requests).await {
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
pub(crate) fn time_for_one(context: &Context, budget: Budget) -> Result<Duration, TransportError> {
    let limit = context.attempt_timeout.min(budget.left(&*context.clock));
    if limit.is_zero() {
        return Err(TransportError::new(TransportErrorKind::Timeout)
            .with_source("the time for the whole call is over")
            .never_sent());
    }
    Ok(limit)
}

/// Sends a request that is complete: attempt number `nth` of what `record` tells of.
pub(crate) async fn send_within(
    context: &Context,
    limit: Duration,
    request: Request<Bytes>,
    record: &Record,
    nth: u32,
) -> Result<Response<Bytes>, TransportError> {
    let attempt = record.attempt(nth);
    let sending = context.transport.send(request).instrument(attempt.span().clone());
    let answer = match tokio::time::timeout(limit, sending).await {
        Ok(answer) => answer,
        // Where the request was when time ran out is not known.
        Err(elapsed) => Err(TransportError::new(TransportErrorKind::Timeout).with_source(elapsed)),
    };
    attempt.answered(answer.as_ref().ok().map(Response::status));
    record.answered(nth, &answer);
    answer
}

/// Whether the service refused the time of the signature.
fn is_about_time(kind: &Kind) -> bool {
    matches!(
        kind,
        Kind::Decode { source: DecodeError::Api { error, .. }, .. } if error.code == ApiError::TIMESTAMP
    )
}
