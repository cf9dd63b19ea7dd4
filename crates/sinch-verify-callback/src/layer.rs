use std::fmt;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use http_body_util::Full;
use tower_layer::Layer;
use tower_service::Service;

use crate::handler::BoxError;
use crate::intake::Intake;

/// Puts an [`Intake`] before a tower service of your own, which then sees authentic callbacks only.
///
/// A request that is taken goes on as it was, body included, with its [`Callback`](crate::Callback)
/// among the extensions. Any other is answered here, and the service does not hear of it.
///
/// The answer is your service's affair: deadline, fallback and repeated decisions are not part of
/// this. [`CallbackService`](crate::CallbackService) has them.
///
/// The path is taken from the request's URI, so the layer belongs before a router that shortens it;
/// where that cannot be, [`ExternalPath`](crate::ExternalPath) puts the rest back.
///
/// ```
/// # #[cfg(feature = "axum")] {
/// use axum::body::Body;
/// use axum::response::Response;
/// use axum::routing::post;
/// use axum::{Extension, Router};
/// use sinch_verify_callback::protocol::{Decision, Event};
/// use sinch_verify_callback::{Callback, Intake, IntakeLayer};
///
/// async fn answer(Extension(callback): Extension<Callback>) -> Response {
///     match callback.event {
///         // As JSON, and said to be.
///         Event::Request(_) => Decision::Allow.to_http_response().map(Body::from),
///         _ => Response::default(),
///     }
/// }
///
/// # fn app(intake: Intake) -> Router {
/// Router::new()
///     .route("/sinch/callback", post(answer))
///     .layer(IntakeLayer::new(intake))
/// # }
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct IntakeLayer {
    intake: Intake,
}

impl IntakeLayer {
    /// Lets through what `intake` takes.
    #[must_use]
    pub fn new(intake: Intake) -> Self {
        Self { intake }
    }
}

impl<S> Layer<S> for IntakeLayer {
    type Service = IntakeService<S>;

    fn layer(&self, inner: S) -> IntakeService<S> {
        IntakeService {
            intake: self.intake.clone(),
            inner,
        }
    }
}

/// A service behind an [`IntakeLayer`].
#[derive(Clone)]
pub struct IntakeService<S> {
    intake: Intake,
    inner: S,
}

impl<S, B, R> Service<Request<B>> for IntakeService<S>
where
    S: Service<Request<Full<Bytes>>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
    R: Default,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<R>, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // The one that is ready goes with the request; a clone may not be.
        let clone = self.inner.clone();
        let mut inner = mem::replace(&mut self.inner, clone);
        let intake = self.intake.clone();
        Box::pin(async move {
            match intake.take_whole(request).await {
                Ok(request) => inner.call(request.map(Full::new)).await,
                // A refusal has no body.
                Err(rejection) => Ok(rejection.to_http_response().map(|_| R::default())),
            }
        })
    }
}

impl<S> fmt::Debug for IntakeService<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IntakeService")
            .field("intake", &self.intake)
            .finish_non_exhaustive()
    }
}
