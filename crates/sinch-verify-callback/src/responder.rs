use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Response, StatusCode};
use sinch_verify_protocol::callback::{Event, RequestEvent};
use sinch_verify_protocol::identity::Identity;
use sinch_verify_protocol::untrusted::escape;
use sinch_verify_protocol::{Decision, Method};
use tracing::field::{Empty, display};
use tracing::{Instrument as _, Span};

use crate::context::Context;
use crate::guard::{Question, ReplayGuard};
use crate::handler::{BoxError, Handler};
#[cfg(feature = "policy")]
use crate::policy::FraudPolicy;
use crate::receiver::Callback;
use crate::rejection::{Reason, Rejection};
use crate::results::Results;
use crate::task::{Runner, TimeLimit};
use crate::telemetry;

/// Answers callbacks that were received: asks the handler, and answers in time without it.
pub(crate) struct Responder<H> {
    pub(crate) handler: Arc<H>,
    pub(crate) deadline: Duration,
    pub(crate) fallback: Fallback,
    pub(crate) runner: Runner,
    pub(crate) results: Option<Results>,
    #[cfg(feature = "policy")]
    pub(crate) policy: Option<FraudPolicy>,
}

/// The answer to a request event for which the handler has none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fallback {
    /// Do not verify: nothing is sent, nothing is paid. The default.
    #[default]
    Deny,
    /// Go on, as the service would by itself.
    Allow,
}

impl Fallback {
    fn decision(self) -> Decision {
        match self {
            Self::Deny => Decision::Deny,
            Self::Allow => Decision::Allow,
        }
    }
}

impl<H: Handler> Responder<H> {
    /// Answers a callback that `guard` has admitted. The deadline runs from `start`.
    ///
    /// No `async fn`, and an event stays in its box until the handler takes it: every argument of an
    /// `async fn` makes its future larger, and each caller copies that.
    pub(crate) fn answer<'a>(
        &'a self,
        start: Instant,
        callback: Callback,
        guard: Option<&'a ReplayGuard>,
    ) -> impl Future<Output = Response<Bytes>> {
        let limit = TimeLimit::new(start, self.deadline);
        let span = span(&callback);
        let Callback { event, verified, .. } = callback;
        let context = Context::shared(verified.application_shared(), verified.received_at());
        let answer = async move {
            match event {
                Event::Request(event) => match self.decide(event, &context, guard, limit).await {
                    // The sender gets a decision when it asks again. It gets no other decision
                    // now: the guard remembers this one.
                    Ok(decision) if limit.has_passed() && decision != self.fallback.decision() => {
                        reject(&Rejection::new(Reason::Late))
                    }
                    Ok(decision) => decision.to_http_response(),
                    Err(rejection) => reject(&rejection),
                },
                Event::Result(event) => {
                    #[cfg(feature = "policy")]
                    if let Some(policy) = &self.policy
                        && let Err(error) = policy.settle(&event, &context).await
                        && let Err(rejection) = policy.doubt(error)
                    {
                        return reject(&rejection);
                    }
                    let result = self.results.as_ref().map(|results| (results, event.clone()));
                    let handler = Arc::clone(&self.handler);
                    let work = async move { handler.on_result(*event, &context).await };
                    let response = self.acknowledge(work, limit).await;
                    // A wait that ends finds what the handler has stored.
                    if let (Some((results, event)), StatusCode::OK) = (result, response.status()) {
                        results.record(&event);
                    }
                    response
                }
                Event::SmsDelivered(event) => {
                    let handler = Arc::clone(&self.handler);
                    let work = async move { handler.on_sms_delivered(*event, &context).await };
                    self.acknowledge(work, limit).await
                }
                Event::Unknown(event) => {
                    let handler = Arc::clone(&self.handler);
                    let work = async move { handler.on_unknown(event, &context).await };
                    self.acknowledge(work, limit).await
                }
                // The protocol has no event beyond these; a new one is still acknowledged.
                _ => Response::new(Bytes::new()),
            }
        };
        answer.instrument(span)
    }

    /// The decision that the event got before, or else that of the policy and the handler.
    async fn decide(
        &self,
        event: Box<RequestEvent>,
        context: &Context,
        guard: Option<&ReplayGuard>,
        mut limit: TimeLimit,
    ) -> Result<Decision, Rejection> {
        let question = guard.map(|guard| guard.question(context.application(), &event, self.deadline / 2));
        if let Some(question) = &question {
            if let Some(decision) = question.decided().await? {
                telemetry::decided(action(&decision), "before");
                tracing::info!(outcome = action(&decision), "callback decided as before");
                return Ok(decision);
            }
            limit = limit.less(question.time());
        }
        #[cfg(feature = "policy")]
        if let Some(policy) = &self.policy {
            // In a box, so that the future of a callback without a policy does not have the size of this.
            return Box::pin(self.decide_with(policy, event, context, question, limit)).await;
        }
        let decision = self.ask_handler(event, context, limit).await;
        let first = remember(question.as_ref(), &decision).await?;
        Ok(first.unwrap_or(decision))
    }

    /// The handler decides about what the policy allows.
    #[cfg(feature = "policy")]
    async fn decide_with(
        &self,
        policy: &FraudPolicy,
        event: Box<RequestEvent>,
        context: &Context,
        question: Option<Question<'_>>,
        limit: TimeLimit,
    ) -> Result<Decision, Rejection> {
        let facts = policy.facts(&event);
        let is_allowed = match policy.check_facts(&event, &facts, context).await {
            Ok(verdict) => verdict.is_allowed(),
            Err(error) => policy.doubt(error).map(|()| true)?,
        };
        if !is_allowed {
            telemetry::decided("deny", "policy");
            let first = remember(question.as_ref(), &Decision::Deny).await?;
            return Ok(first.unwrap_or(Decision::Deny));
        }
        // To give back what the policy counted.
        let for_policy = policy.timeout().min(self.deadline / 4);
        let decision = self.ask_handler(event, context, limit.less(for_policy)).await;
        let first = remember(question.as_ref(), &decision).await;
        let decision = first.map(|first| first.unwrap_or(decision));
        let goes_ahead = decision.as_ref().is_ok_and(Decision::is_allow);
        if !goes_ahead && let Err(error) = policy.release_facts(&facts, context).await {
            // The result event, which says `DENIED`, gives it back.
            tracing::warn!(reason = %error, "policy could not give back what a denied start took");
        }
        decision
    }

    async fn ask_handler(&self, event: Box<RequestEvent>, context: &Context, limit: TimeLimit) -> Decision {
        let method = event.method.clone();
        let (handler, context) = (Arc::clone(&self.handler), context.clone());
        let work = async move { handler.on_request(*event, &context).await };
        match self.runner.run(work, limit).await {
            Ok(decision) if decision.fits(&method) => {
                telemetry::decided(action(&decision), "handler");
                tracing::info!(outcome = action(&decision), "callback decided");
                decision
            }
            Ok(_) => self.fall_back("misfit", &misfit(&method)),
            Err(failure) => self.fall_back(failure.name(), &failure.to_string()),
        }
    }

    fn fall_back(&self, outcome: &'static str, reason: &str) -> Decision {
        let decision = self.fallback.decision();
        telemetry::failed(outcome);
        telemetry::decided(action(&decision), "fallback");
        tracing::error!(
            outcome,
            reason,
            answered = action(&decision),
            "callback answered by the fallback"
        );
        decision
    }

    /// Runs the handler of an event that asks nothing.
    fn acknowledge<E>(
        &self,
        work: impl Future<Output = Result<(), E>> + Send + 'static,
        limit: TimeLimit,
    ) -> impl Future<Output = Response<Bytes>>
    where
        E: Into<BoxError> + Send + 'static,
    {
        let run = self.runner.run(work, limit);
        async {
            let mut response = Response::new(Bytes::new());
            match run.await {
                Ok(()) => tracing::info!(outcome = "acknowledged", "callback taken"),
                Err(failure) => {
                    // Not acknowledged, so that the sender may post it again.
                    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
                    let outcome = failure.name();
                    telemetry::failed(outcome);
                    tracing::error!(outcome, reason = %failure, "callback not acknowledged");
                }
            }
            response
        }
    }
}

/// Remembers a decision, if there is a guard. Gives another one if that was remembered first.
async fn remember(
    question: Option<&Question<'_>>,
    decision: &Decision,
) -> Result<Option<Decision>, Rejection> {
    match question {
        // The fallback's decision too: what was denied once stays denied.
        Some(question) => question.remember(decision).await,
        None => Ok(None),
    }
}

fn action(decision: &Decision) -> &'static str {
    if decision.is_allow() { "allow" } else { "deny" }
}

fn misfit(method: &Method) -> String {
    format!("handler decided something that does not fit the method {method}")
}

/// Logs the rejection, and answers with it.
fn reject(rejection: &Rejection) -> Response<Bytes> {
    telemetry::rejected(rejection);
    rejection.to_http_response()
}

/// What may be known about a callback: no code, no reference, no whole number.
fn span(callback: &Callback) -> Span {
    let span = tracing::info_span!(
        "sinch_callback",
        event = %escape(callback.event.name()),
        application = %callback.verified.application(),
        verification = Empty,
        method = Empty,
        number = Empty,
    );
    if span.is_disabled() {
        return span;
    }
    if let Some(id) = callback.event.id() {
        span.record("verification", display(id));
    }
    if let Some(method) = callback.event.method() {
        span.record("method", display(method));
    }
    if let Some(Ok(number)) = callback.event.identity().map(Identity::phone_number) {
        span.record("number", display(number.masked()));
    }
    span
}
