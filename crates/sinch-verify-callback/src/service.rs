use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use http_body_util::Full;
use tower_service::Service;

use crate::handler::{BoxError, Handler};
use crate::intake::Intake;
use crate::responder::Responder;
use crate::telemetry;

/// A [`Responder`] as a tower service over any HTTP body.
///
/// Reads the body no further than the receiver's limit and hashes it while it
/// comes. Never fails: whatever goes wrong is an answer. Clones share the
/// responder.
///
/// The path is taken from the request's URI. A router that shortens the URI
/// before it gets here breaks signatures; the route in
/// [`axum`](crate::axum) puts axum's back, and
/// [`ExternalPath`](crate::ExternalPath) does it for any other.
pub struct CallbackService<H> {
    responder: Arc<Responder<H>>,
    intake: Arc<Intake>,
}

impl<H> CallbackService<H> {
    /// How long a body may take to come unless told otherwise: 5 seconds.
    pub const BODY_DEADLINE: Duration = Intake::BODY_DEADLINE;

    /// A service that answers with `responder`, by the system's clock.
    #[must_use]
    pub fn new(responder: Responder<H>) -> Self {
        let intake = Intake::guarded(responder.receiver().clone(), responder.replay_guard().cloned());
        Self {
            intake: Arc::new(intake),
            responder: Arc::new(responder),
        }
    }

    /// Takes the time from `clock` instead, which is asked once per request.
    #[must_use]
    pub fn with_clock(self, clock: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        self.with_intake(|intake| intake.with_clock(clock))
    }

    /// How long a body may take to come, from the moment its head was read.
    #[must_use]
    pub fn with_body_deadline(self, deadline: Duration) -> Self {
        self.with_intake(|intake| intake.with_body_deadline(deadline))
    }

    fn with_intake(mut self, change: impl FnOnce(Intake) -> Intake) -> Self {
        self.intake = Arc::new(change(Arc::unwrap_or_clone(self.intake)));
        self
    }

    /// What answers.
    #[must_use]
    pub fn responder(&self) -> &Responder<H> {
        &self.responder
    }
}

impl<H: Handler> CallbackService<H> {
    async fn handle<B>(self, request: Request<B>) -> Response<Full<Bytes>>
    where
        B: Body,
        B::Error: Into<BoxError>,
    {
        let (start, now) = (Instant::now(), self.intake.now());
        let response = match self.intake.take_at(request, now).await {
            Ok((callback, ..)) => self.responder.answer_from(start, callback, now).await,
            Err(rejection) => self.responder.reject(&rejection),
        };
        telemetry::answered(start);
        response.map(Full::new)
    }
}

impl<H, B> Service<Request<B>> for CallbackService<H>
where
    H: Handler,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = ResponseFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> ResponseFuture {
        ResponseFuture(Box::pin(self.clone().handle(request)))
    }
}

/// The answer of a [`CallbackService`], on its way.
pub struct ResponseFuture(Pin<Box<dyn Future<Output = Response<Full<Bytes>>> + Send>>);

impl Future for ResponseFuture {
    type Output = Result<Response<Full<Bytes>>, Infallible>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(cx).map(Ok)
    }
}

impl fmt::Debug for ResponseFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ResponseFuture")
    }
}

// By hand: a derive would ask for `H: Clone`.
impl<H> Clone for CallbackService<H> {
    fn clone(&self) -> Self {
        Self {
            responder: Arc::clone(&self.responder),
            intake: Arc::clone(&self.intake),
        }
    }
}

impl<H> fmt::Debug for CallbackService<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallbackService")
            .field("intake", &self.intake)
            .finish_non_exhaustive()
    }
}
