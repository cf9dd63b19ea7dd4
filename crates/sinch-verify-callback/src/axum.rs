//! A route and an extractor for axum.

use std::task::{Context, Poll};

use axum::Router;
use axum::body::Body;
use axum::extract::{FromRef, FromRequest, OriginalUri};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, any_service};
use http::Request;
use tower_service::Service;

use crate::handler::Handler;
use crate::receiver::{Callback, Receiver};
use crate::rejection::Rejection;
use crate::service::CallbackService;
use crate::tower::ResponseFuture;

/// A router that answers callbacks at `path`, to serve or to merge.
///
/// `axum::serve` sets no time limit for the head of a request and no limit of
/// connections, so peers that send nothing can hold it. The server of feature
/// `hyper` has both, and serves routers:
///
/// ```
/// # #[cfg(feature = "hyper")] {
/// use sinch_verify_callback::axum::router;
/// use sinch_verify_callback::hyper::Server;
/// use sinch_verify_callback::{CallbackService, Handler};
///
/// # async fn serve<H: Handler>(service: CallbackService<H>) -> std::io::Result<()> {
/// let app = router("/sinch/callback", service);
/// let listener = tokio::net::TcpListener::bind("127.0.0.1:8000").await?;
/// Server::new(app).serve(listener, std::future::pending()).await;
/// # Ok(()) }
/// # }
/// ```
///
/// # Panics
///
/// When `path` is not a path that axum takes, such as one without a leading
/// `/`: a mistake in the program.
pub fn router<H: Handler>(path: &str, service: CallbackService<H>) -> Router {
    Router::new().route(path, callback_route(service))
}

/// A route that answers callbacks, for a router of your own.
///
/// A router that is nested sees the path without the part it is nested under.
/// The signature covers the whole path, so this route goes back to it.
///
/// ```
/// # use sinch_verify_callback::{CallbackService, Handler};
/// use axum::Router;
/// use sinch_verify_callback::axum::callback_route;
///
/// # fn app<H: Handler>(service: CallbackService<H>) -> Router {
/// // The callback URL is https://example.com/sinch/callback.
/// let sinch = Router::new().route("/callback", callback_route(service));
/// Router::new().nest("/sinch", sinch)
/// # }
/// ```
pub fn callback_route<H, S>(service: CallbackService<H>) -> MethodRouter<S>
where
    H: Handler,
    S: Clone,
{
    // Any method: the service answers 405 itself, and says so in the log.
    any_service(WholePath(service))
}

/// Restores the path that a nested router shortened.
struct WholePath<H>(CallbackService<H>);

impl<H> Clone for WholePath<H> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<H: Handler> Service<Request<Body>> for WholePath<H> {
    type Response = <CallbackService<H> as Service<Request<Body>>>::Response;
    type Error = <CallbackService<H> as Service<Request<Body>>>::Error;
    type Future = ResponseFuture;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Service::<Request<Body>>::poll_ready(&mut self.0, cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> ResponseFuture {
        restore_path(&mut request);
        self.0.call(request)
    }
}

fn restore_path(request: &mut Request<Body>) {
    if let Some(OriginalUri(uri)) = request.extensions_mut().remove::<OriginalUri>() {
        *request.uri_mut() = uri;
    }
}

/// A callback that was received, as an argument of a handler function of your own.
///
/// The state has a [`Receiver`]. Deadline, fallback and repeated decisions are not part of
/// this: [`callback_route`] has them.
///
/// ```
/// use axum::Router;
/// use axum::body::Body;
/// use axum::response::Response;
/// use axum::routing::post;
/// use sinch_verify_callback::{Callback, Decision, Event, Receiver};
///
/// async fn answer(callback: Callback) -> Response {
///     match callback.event {
///         // With its content type.
///         Event::Request(_) => Decision::Allow.to_http_response().map(Body::from),
///         _ => Response::default(),
///     }
/// }
///
/// # fn app(receiver: Receiver) -> Router {
/// Router::new().route("/callback", post(answer)).with_state(receiver)
/// # }
/// ```
impl<S> FromRequest<S> for Callback
where
    S: Send + Sync,
    Receiver: FromRef<S>,
{
    type Rejection = Rejection;

    async fn from_request(mut request: Request<Body>, state: &S) -> Result<Self, Rejection> {
        restore_path(&mut request);
        let (head, body) = request.into_parts();
        Receiver::from_ref(state).receive(&head, body).await
    }
}

/// [`Rejection::to_http_response`].
impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        self.to_http_response().map(Body::from)
    }
}
