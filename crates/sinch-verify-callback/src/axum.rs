//! A route for axum.

use std::task::{Context, Poll};

use axum::Router;
use axum::body::Body;
use axum::extract::OriginalUri;
use axum::routing::{MethodRouter, any_service};
use http::Request;
use tower_service::Service;

use crate::handler::Handler;
use crate::service::{CallbackService, ResponseFuture};

/// A router that answers callbacks at `path`, to serve or to merge.
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

/// Puts the path back that a nested router shortened.
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
        if let Some(OriginalUri(uri)) = request.extensions_mut().remove::<OriginalUri>() {
            *request.uri_mut() = uri;
        }
        self.0.call(request)
    }
}
