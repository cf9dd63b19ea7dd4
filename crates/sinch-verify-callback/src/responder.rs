use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use http::{Response, StatusCode};
use sinch_verify_protocol::auth::ContentMd5;
use sinch_verify_protocol::callback::{Event, RequestEvent};
use sinch_verify_protocol::identity::Identity;
use sinch_verify_protocol::untrusted::escape;
use sinch_verify_protocol::{Decision, Method};
use tokio::runtime::Handle;
use tracing::field::{Empty, display};
use tracing::{Instrument as _, Span};

use crate::context::Context;
use crate::guard::{Question, ReplayGuard};
use crate::handler::{BoxError, Handler};
use crate::receiver::{Callback, Head, Receiver};
use crate::rejection::{Reason, Rejection};
use crate::task::{AfterDeadline, Runner, TimeLimit};
use crate::telemetry;

/// Receives callbacks, asks the handler, and answers: always, and in time.
///
/// This is the whole crate as one call, for whatever brings requests and takes
/// responses. A tokio runtime must be around it.
///
/// ```
/// use std::time::SystemTime;
/// use sinch_verify_callback::replay::MemoryStore;
/// use sinch_verify_callback::{Head, InDoubt, KeyRing, Receiver, ReplayGuard, Responder, handler_fn};
/// use sinch_verify_callback::protocol::callback::RequestEvent;
/// use sinch_verify_callback::protocol::{ApplicationKey, ApplicationSecret, Decision};
///
/// # let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
/// # runtime.block_on(async {
/// let key = ApplicationKey::new("669E367E-6BBA-48AB-AF15-266871C28135")?;
/// let secret = ApplicationSecret::new("BeIukql3pTKJ8RGL5zo0DA==")?;
/// let receiver = Receiver::new(KeyRing::new(key, &secret));
/// let guard = ReplayGuard::new(MemoryStore::default(), InDoubt::Refuse);
/// let handler = handler_fn(|_: RequestEvent| async { Decision::Allow });
/// let responder = Responder::new(receiver, guard, handler);
///
/// // What a serverless platform hands over:
/// let (method, path, headers, body) = (http::Method::POST, "/callback", http::HeaderMap::new(), b"{}");
/// let head = Head { method: &method, path_and_query: path, headers: &headers };
/// let response = responder.respond(head, body, SystemTime::now()).await;
/// assert_eq!(response.status(), 401); // nobody signed this
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Responder<H> {
    receiver: Receiver,
    guard: Option<ReplayGuard>,
    handler: Arc<H>,
    deadline: Duration,
    fallback: Fallback,
    runner: Runner,
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
    /// The decision.
    #[must_use]
    pub fn decision(self) -> Decision {
        match self {
            Self::Deny => Decision::Deny,
            Self::Allow => Decision::Allow,
        }
    }
}

impl<H> Responder<H> {
    /// How long an answer may take unless told otherwise: 3 seconds.
    pub const DEADLINE: Duration = Duration::from_secs(3);

    /// Answers what `receiver` takes and `guard` admits with what `handler` decides.
    #[must_use]
    pub fn new(receiver: Receiver, guard: ReplayGuard, handler: H) -> Self {
        Self::guarded(receiver, Some(guard), handler)
    }

    /// As [`Responder::new`], but remembers nothing: a recorded callback counts
    /// again within the window, and a handler decides again about an event that
    /// is sent again. For where something else refuses replays, or they do no harm.
    #[must_use]
    pub fn without_guard(receiver: Receiver, handler: H) -> Self {
        Self::guarded(receiver, None, handler)
    }

    fn guarded(receiver: Receiver, guard: Option<ReplayGuard>, handler: H) -> Self {
        Self {
            receiver,
            guard,
            handler: Arc::new(handler),
            deadline: Self::DEADLINE,
            fallback: Fallback::default(),
            runner: Runner::default(),
        }
    }

    /// How long the answer may take, from the moment the head of the request
    /// was read.
    ///
    /// It must be shorter than the sender waits, with time to spare for the
    /// way there and back. Sinch does not publish how long that is.
    ///
    /// The handler has what is left when it starts, less what the
    /// [`ReplayGuard`] may need to remember the decision: the guard's timeout,
    /// and at most half of the deadline. The elapsed time decides: a handler
    /// that blocks every thread of the runtime delays the answer, but after the
    /// deadline the answer is the fallback's, whatever the handler decided.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// What to answer to a request event when the handler is late, fails,
    /// panics, or decides something that does not fit the event's method.
    #[must_use]
    pub fn with_fallback(mut self, fallback: Fallback) -> Self {
        self.fallback = fallback;
        self
    }

    /// What becomes of a handler that is not done at its deadline.
    #[must_use]
    pub fn with_after_deadline(mut self, after: AfterDeadline) -> Self {
        self.runner.after_deadline = after;
        self
    }

    /// Runs handlers on `runtime`, and not on the runtime that the responder is
    /// called on. For handlers that block their thread: they hold each other up,
    /// but no answer, so the answer comes at the deadline at the latest. It
    /// costs a change of threads per callback.
    ///
    /// ```
    /// # use sinch_verify_callback::{Handler, Responder};
    /// # fn f<H: Handler>(responder: Responder<H>) -> std::io::Result<()> {
    /// let handlers = tokio::runtime::Builder::new_multi_thread()
    ///     .worker_threads(8)
    ///     .enable_all()
    ///     .build()?;
    /// let responder = responder.with_handler_runtime(handlers.handle().clone());
    /// # let _ = responder;
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn with_handler_runtime(mut self, runtime: Handle) -> Self {
        self.runner.runtime = Some(runtime);
        self
    }

    /// What refuses replays, where there is one.
    #[must_use]
    pub fn replay_guard(&self) -> Option<&ReplayGuard> {
        self.guard.as_ref()
    }

    /// What takes the callbacks.
    #[must_use]
    pub fn receiver(&self) -> &Receiver {
        &self.receiver
    }
}

impl<H: Handler> Responder<H> {
    /// Answers a request whose whole body is there.
    pub async fn respond<'a>(
        &self,
        head: impl Into<Head<'a>>,
        body: &[u8],
        now: SystemTime,
    ) -> Response<Bytes> {
        let start = Instant::now();
        let response = match self.receive(head.into(), body, now).await {
            Ok(callback) => self.answer_from(start, callback, now).await,
            Err(rejection) => self.reject(&rejection),
        };
        telemetry::answered(start);
        response
    }

    async fn receive(&self, head: Head<'_>, body: &[u8], now: SystemTime) -> Result<Callback, Rejection> {
        let head = self.receiver.check_head(head, now)?;
        self.receiver.check_len(body.len())?;
        let verified = self.receiver.verify(&head, &ContentMd5::of(body))?;
        if let Some(guard) = &self.guard {
            guard.admit(&verified).await?;
        }
        verified.decode(body)
    }

    /// Answers a callback that the [`Receiver`] took, and that the
    /// [`ReplayGuard`] admitted: this does not ask it again. The deadline runs
    /// from this call.
    pub async fn answer(&self, callback: Callback, now: SystemTime) -> Response<Bytes> {
        self.answer_from(Instant::now(), callback, now).await
    }

    /// The deadline runs from `start`.
    pub(crate) async fn answer_from(
        &self,
        start: Instant,
        callback: Callback,
        now: SystemTime,
    ) -> Response<Bytes> {
        telemetry::accepted(&callback.event);
        let limit = TimeLimit::new(start, self.deadline);
        let span = span(&callback);
        let context = Context::shared(callback.verified.application_shared(), now);
        async {
            let handler = Arc::clone(&self.handler);
            match callback.event {
                Event::Request(event) => match self.decide(*event, context, limit).await {
                    // The sender gets a decision when it asks again. It gets no other decision
                    // now: the guard remembers this one.
                    Ok(decision) if limit.has_passed() && decision != self.fallback.decision() => {
                        self.reject(&Rejection::new(Reason::Late))
                    }
                    Ok(decision) => decision.to_http_response(),
                    Err(rejection) => self.reject(&rejection),
                },
                Event::Result(event) => {
                    self.tell(async move { handler.on_result(*event, &context).await }, limit)
                        .await
                }
                Event::SmsDelivered(event) => {
                    self.tell(
                        async move { handler.on_sms_delivered(*event, &context).await },
                        limit,
                    )
                    .await
                }
                Event::Unknown(event) => {
                    self.tell(async move { handler.on_unknown(event, &context).await }, limit)
                        .await
                }
                // The protocol has no event beyond these; a new one is still acknowledged.
                _ => Response::new(Bytes::new()),
            }
        }
        .instrument(span)
        .await
    }

    /// Answers a callback that the [`Receiver`] did not take, and logs why.
    #[must_use]
    pub fn reject(&self, rejection: &Rejection) -> Response<Bytes> {
        telemetry::rejected(rejection);
        rejection.to_http_response()
    }

    /// The decision that the event got before, or else the handler's.
    async fn decide(
        &self,
        event: RequestEvent,
        context: Context,
        limit: TimeLimit,
    ) -> Result<Decision, Rejection> {
        let Some(guard) = &self.guard else {
            return Ok(self.ask(event, context, limit).await);
        };
        let question = Question::new(context.application(), &event);
        if let Some(decision) = guard.decided(&question).await? {
            telemetry::decided(action(&decision), "before");
            tracing::info!(outcome = action(&decision), "callback decided as before");
            return Ok(decision);
        }
        let for_guard = guard.timeout().min(self.deadline / 2);
        let decision = self.ask(event, context, limit.less(for_guard)).await;
        // The fallback's answer too: what was denied once stays denied.
        guard.remember(&question, decision, for_guard).await
    }

    async fn ask(&self, event: RequestEvent, context: Context, limit: TimeLimit) -> Decision {
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
    async fn tell<E>(
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
