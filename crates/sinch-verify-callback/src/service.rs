use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http::Response;
use http_body::Body;

use crate::handler::{BoxError, Handler};
use crate::receiver::{Callback, Head, Receiver};
use crate::responder::Responder;
use crate::telemetry;

/// Receives callbacks, asks the handler, and answers: always, and in time.
///
/// Feature `tower` makes it a tower service over any HTTP body, `axum` a route, and `hyper`
/// a server. Anything else calls [`CallbackService::respond`]. Clones share all of it.
///
/// The signature covers the path of the callback URL. A router that shortens the path of
/// requests breaks it; the route in [`axum`](crate::axum) restores axum's, and
/// [`ExternalPath`](crate::ExternalPath) does it for any other.
///
/// ```
/// use bytes::Bytes;
/// use sinch_verify_callback::{CallbackService, Decision, Full, Head, RequestEvent};
///
/// # let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
/// # runtime.block_on(async {
/// let key = "669E367E-6BBA-48AB-AF15-266871C28135";
/// let service = CallbackService::builder(key, "BeIukql3pTKJ8RGL5zo0DA==")
///     .handler(|_: RequestEvent| async { Decision::Allow })
///     .build()?;
///
/// // What a serverless platform gives:
/// let (method, path, headers, body) = (http::Method::POST, "/callback", http::HeaderMap::new(), "{}");
/// let head = Head { method: &method, path_and_query: path, headers: &headers };
/// let response = service.respond(head, Full::<Bytes>::from(body)).await;
/// assert_eq!(response.status(), 401); // it is not signed
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct CallbackService<H> {
    shared: Arc<Shared<H>>,
}

struct Shared<H> {
    receiver: Receiver,
    responder: Responder<H>,
}

impl<H> CallbackService<H> {
    pub(crate) fn new(receiver: Receiver, responder: Responder<H>) -> Self {
        Self {
            shared: Arc::new(Shared { receiver, responder }),
        }
    }

    /// What receives the callbacks. It replaces the keys.
    #[must_use]
    pub fn receiver(&self) -> &Receiver {
        &self.shared.receiver
    }
}

impl<H: Handler> CallbackService<H> {
    /// Answers a request. Needs a tokio runtime.
    pub async fn respond<'a, B>(&self, head: impl Into<Head<'a>>, body: B) -> Response<Bytes>
    where
        B: Body,
        B::Error: Into<BoxError>,
    {
        let start = Instant::now();
        let callback = match self.receiver().receive(head, body).await {
            Ok(callback) => callback,
            Err(rejection) => {
                telemetry::answered(start);
                return rejection.to_http_response();
            }
        };
        let response = self.answer_from(start, callback).await;
        telemetry::answered(start);
        response
    }

    /// Answers a callback that [`CallbackService::receiver`] received. The deadline runs
    /// from this call. Needs a tokio runtime.
    pub async fn answer(&self, callback: Callback) -> Response<Bytes> {
        self.answer_from(Instant::now(), callback).await
    }

    fn answer_from(&self, start: Instant, callback: Callback) -> impl Future<Output = Response<Bytes>> {
        let Shared { receiver, responder } = &*self.shared;
        responder.answer(start, callback, receiver.guard())
    }

    /// Serves on `listener`, at any path, until `stop` is done. The limits are the defaults
    /// of [`Server`](crate::hyper::Server).
    #[cfg(feature = "hyper")]
    pub async fn serve(self, listener: tokio::net::TcpListener, stop: impl Future<Output = ()>) {
        crate::hyper::Server::new(self).serve(listener, stop).await;
    }
}

// By hand: a derive would ask for `H: Clone`.
impl<H> Clone for CallbackService<H> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
        }
    }
}

impl<H> fmt::Debug for CallbackService<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallbackService")
            .field("receiver", &self.shared.receiver)
            .finish_non_exhaustive()
    }
}
