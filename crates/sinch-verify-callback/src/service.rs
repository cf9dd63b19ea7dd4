use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant, SystemTime};

use bytes::{Buf as _, Bytes, BytesMut};
use http::{Request, Response};
use http_body::Body;
use http_body_util::{BodyExt as _, Full};
use sinch_verify_protocol::auth::{BodyHasher, ContentMd5};
use tower_service::Service;

use crate::handler::{BoxError, Handler};
use crate::receiver::{Head, Receiver};
use crate::rejection::{Reason, Rejection};
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
    clock: Clock,
    body_deadline: Duration,
}

type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

impl<H> CallbackService<H> {
    /// How long a body may take to come unless told otherwise: 5 seconds.
    pub const BODY_DEADLINE: Duration = Duration::from_secs(5);

    /// A service that answers with `responder`, by the system's clock.
    #[must_use]
    pub fn new(responder: Responder<H>) -> Self {
        Self {
            responder: Arc::new(responder),
            clock: Arc::new(SystemTime::now),
            body_deadline: Self::BODY_DEADLINE,
        }
    }

    /// Takes the time from `clock` instead, which is asked once per request.
    #[must_use]
    pub fn with_clock(mut self, clock: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// How long a body may take to come, from the moment its head was read.
    #[must_use]
    pub fn with_body_deadline(mut self, deadline: Duration) -> Self {
        self.body_deadline = deadline;
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
        let (since, now) = (Instant::now(), (self.clock)());
        let (parts, body) = request.into_parts();
        let response = match self.receive(Head::from(&parts), body, now).await {
            Ok(callback) => self.responder.answer(callback, now).await,
            Err(rejection) => self.responder.reject(&rejection),
        };
        telemetry::answered(since);
        response.map(Full::new)
    }

    async fn receive<B>(&self, head: Head<'_>, body: B, now: SystemTime) -> Result<crate::Callback, Rejection>
    where
        B: Body,
        B::Error: Into<BoxError>,
    {
        let receiver = self.responder.receiver();
        let head = receiver.check_head(head, now)?;
        let read = tokio::time::timeout(self.body_deadline, read(body, receiver));
        let (body, content_md5) = read.await.map_err(|_| {
            Rejection::new(Reason::Body {
                message: "it did not come in time".to_owned(),
            })
        })??;
        let verified = receiver.verify(&head, &content_md5)?;
        self.responder.admit(&verified).await?;
        verified.decode(&body)
    }
}

/// Reads a body up to the receiver's limit.
async fn read<B>(body: B, receiver: &Receiver) -> Result<(Bytes, ContentMd5), Rejection>
where
    B: Body,
    B::Error: Into<BoxError>,
{
    // The least it can have: the `Content-Length`, where there is one.
    receiver.check_len(usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX))?;
    let mut body = pin!(body);
    let mut hasher = BodyHasher::new();
    let mut whole = Bytes::new();
    let mut parts = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| {
            Rejection::new(Reason::Body {
                message: error.into().to_string(),
            })
        })?;
        let Ok(mut data) = frame.into_data() else { continue };
        receiver.check_len(whole.len() + parts.len() + data.remaining())?;
        // No copy for `Bytes`, which is what servers give.
        let data = data.copy_to_bytes(data.remaining());
        hasher.update(&data);
        if whole.is_empty() && parts.is_empty() {
            whole = data;
        } else {
            // The second part: only now is a buffer worth its price.
            parts.extend_from_slice(&whole);
            whole = Bytes::new();
            parts.extend_from_slice(&data);
        }
    }
    let body = if parts.is_empty() { whole } else { parts.freeze() };
    Ok((body, hasher.finish()))
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
            clock: Arc::clone(&self.clock),
            body_deadline: self.body_deadline,
        }
    }
}

impl<H> fmt::Debug for CallbackService<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallbackService")
            .field("receiver", self.responder.receiver())
            .field("body_deadline", &self.body_deadline)
            .finish_non_exhaustive()
    }
}
