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
    pub(crate) async fn answer(
        &self,
        start: Instant,
        callback: Callback,
        guard: Option<&ReplayGuard>,
    ) -> Response<Bytes> {
        let limit = TimeLimit::new(start, self.deadline);
        let span = span(&callback);
        let verified = callback.verified;
        let context = Context::shared(verified.application_shared(), verified.received_at());
        let handler = Arc::clone(&self.handler);
        async {
            match callback.event {
                Event::Request(event) => match self.decide(*event, context, guard, limit).await {
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
                    let work = async move { handler.on_result(*event, &context).await };
                    let response = self.acknowledge(work, limit).await;
                    // A wait that ends finds what the handler has stored.
                    if let (Some((results, event)), StatusCode::OK) = (result, response.status()) {
                        results.record(&event);
                    }
                    response
                }
                Event::SmsDelivered(event) => {
                    let work = async move { handler.on_sms_delivered(*event, &context).await };
                    self.acknowledge(work, limit).await
                }
                Event::Unknown(event) => {
                    let work = async move { handler.on_unknown(event, &context).await };
                    self.acknowledge(work, limit).await
                }
                // The protocol has no event beyond these; a new one is still acknowledged.
                _ => Response::new(Bytes::new()),
            }
        }
        .instrument(span)
        .await
    }

    /// The decision that the event got before, or else the handler's.
    async fn decide(
        &self,
        event: RequestEvent,
        context: Context,
        guard: Option<&ReplayGuard>,
        limit: TimeLimit,
    ) -> Result<Decision, Rejection> {
        let Some(guard) = guard else {
            return self
                .decide_anew(event, context, limit, |decision| async { Ok(decision) })
                .await;
        };
        let question = Question::new(context.application(), &event);
        if let Some(decision) = guard.decided(&question).await? {
            telemetry::decided(action(&decision), "before");
            tracing::info!(outcome = action(&decision), "callback decided as before");
            return Ok(decision);
        }
        let for_guard = guard.timeout().min(self.deadline / 2);
        // The fallback's answer too: what was denied once stays denied.
        let remember = |decision| guard.remember(&question, decision, for_guard);
        self.decide_anew(event, context, limit.less(for_guard), remember)
            .await
    }

    /// What the policy, if there is one, and the handler decide, and `remember` lets stand.
    async fn decide_anew<F>(
        &self,
        event: RequestEvent,
        context: Context,
        limit: TimeLimit,
        remember: impl FnOnce(Decision) -> F,
    ) -> Result<Decision, Rejection>
    where
        F: Future<Output = Result<Decision, Rejection>>,
    {
        #[cfg(feature = "policy")]
        if let Some(policy) = &self.policy {
            let facts = policy.facts(&event);
            let is_allowed = match policy.check_facts(&event, &facts, &context).await {
                Ok(verdict) => verdict.is_allowed(),
                Err(error) => policy.doubt(error).map(|()| true)?,
            };
            if !is_allowed {
                telemetry::decided("deny", "policy");
                return remember(Decision::Deny).await;
            }
            // To give back what the policy counted.
            let for_policy = policy.timeout().min(self.deadline / 4);
            let for_handler = context.clone();
            let decision = self.ask_handler(event, for_handler, limit.less(for_policy)).await;
            let decision = remember(decision).await;
            let goes_ahead = decision.as_ref().is_ok_and(Decision::is_allow);
            if !goes_ahead && let Err(error) = policy.release_facts(&facts, &context).await {
                // The result event, which says `DENIED`, gives it back.
                tracing::warn!(reason = %error, "policy could not give back what a denied start took");
            }
            return decision;
        }
        remember(self.ask_handler(event, context, limit).await).await
    }

    async fn ask_handler(&self, event: RequestEvent, context: Context, limit: TimeLimit) -> Decision {
        let method = event.method.clone();
        let handler = Arc::clone(&self.handler);
        let work = async move { handler.on_request(event, &context).await };
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
    async fn acknowledge<E>(
        &self,
        work: impl Future<Output = Result<(), E>> + Send + 'static,
        limit: TimeLimit,
    ) -> Response<Bytes>
    where
        E: Into<BoxError> + Send + 'static,
    {
        let mut response = Response::new(Bytes::new());
        match self.runner.run(work, limit).await {
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
