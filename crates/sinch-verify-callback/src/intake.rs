use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::{Buf as _, Bytes, BytesMut};
use http::Request;
use http::request::Parts;
use http_body::Body;
use http_body_util::BodyExt as _;
use sinch_verify_protocol::auth::{BodyHasher, ContentMd5};

use crate::guard::ReplayGuard;
use crate::handler::BoxError;
use crate::receiver::{Callback, Head, Receiver};
use crate::rejection::{Reason, Rejection};
use crate::telemetry;

/// A [`Receiver`] that reads the body itself, knows the time, and asks the
/// [`ReplayGuard`]: for programs that answer by themselves.
///
/// Reads the body no further than the receiver's limit and hashes it while it
/// comes.
#[derive(Clone)]
pub struct Intake {
    receiver: Receiver,
    guard: Option<ReplayGuard>,
    clock: Clock,
    body_deadline: Duration,
}

type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

impl Intake {
    /// How long a body may take to come unless told otherwise: 5 seconds.
    pub const BODY_DEADLINE: Duration = Duration::from_secs(5);

    /// Takes what `receiver` takes and `guard` admits, by the system's clock.
    #[must_use]
    pub fn new(receiver: Receiver, guard: ReplayGuard) -> Self {
        Self::guarded(receiver, Some(guard))
    }

    /// As [`Intake::new`], but takes a recorded callback again within the
    /// window. For where something else refuses replays, or they do no harm.
    #[must_use]
    pub fn without_guard(receiver: Receiver) -> Self {
        Self::guarded(receiver, None)
    }

    pub(crate) fn guarded(receiver: Receiver, guard: Option<ReplayGuard>) -> Self {
        Self {
            receiver,
            guard,
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

    pub(crate) fn now(&self) -> SystemTime {
        (self.clock)()
    }

    /// Reads a request and takes its callback. A tokio runtime must be around it.
    ///
    /// # Errors
    ///
    /// As [`Receiver::receive`] and [`ReplayGuard::admit`], and when the body
    /// breaks off or does not come in time.
    pub async fn take<B>(&self, request: Request<B>) -> Result<Callback, Rejection>
    where
        B: Body,
        B::Error: Into<BoxError>,
    {
        let taken = self.take_at(request, self.now()).await;
        counted(taken).map(|(callback, ..)| callback)
    }

    /// As [`Intake::take`], but gives the request as it was, with the callback among its extensions.
    pub(crate) async fn take_whole<B>(&self, request: Request<B>) -> Result<Request<Bytes>, Rejection>
    where
        B: Body,
        B::Error: Into<BoxError>,
    {
        let taken = self.take_at(request, self.now()).await;
        let (callback, mut parts, body) = counted(taken)?;
        parts.extensions.insert(callback);
        Ok(Request::from_parts(parts, body))
    }

    /// The callback, and the request that it came in. Counts and logs nothing.
    pub(crate) async fn take_at<B>(&self, request: Request<B>, now: SystemTime) -> Result<Taken, Rejection>
    where
        B: Body,
        B::Error: Into<BoxError>,
    {
        let (parts, body) = request.into_parts();
        let head = self.receiver.check_head(Head::from(&parts), now)?;
        let read = tokio::time::timeout(self.body_deadline, read(body, &self.receiver));
        let (body, content_md5) = read.await.map_err(|_| {
            Rejection::new(Reason::Body {
                message: "it did not come in time".to_owned(),
            })
        })??;
        let verified = self.receiver.verify(&head, &content_md5)?;
        if let Some(guard) = &self.guard {
            guard.admit(&verified).await?;
        }
        let callback = verified.decode(&body)?;
        Ok((callback, parts, body))
    }
}

type Taken = (Callback, Parts, Bytes);

/// For programs that answer by themselves: nobody else tells of what came.
fn counted(taken: Result<Taken, Rejection>) -> Result<Taken, Rejection> {
    match &taken {
        Ok((callback, ..)) => telemetry::accepted(&callback.event),
        Err(rejection) => telemetry::rejected(rejection),
    }
    taken
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

impl fmt::Debug for Intake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Intake")
            .field("receiver", &self.receiver)
            .field("guard", &self.guard)
            .field("body_deadline", &self.body_deadline)
            .finish_non_exhaustive()
    }
}
