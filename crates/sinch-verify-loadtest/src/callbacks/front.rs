use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body::Body;
use http_body_util::{BodyExt as _, Full, Limited};
use sinch_verify_callback::{CallbackService, Receiver};
use sinch_verify_protocol::callback::Event;
use tower_service::Service as _;

use super::answer::CallbackAnswer;
use super::decider::Decider;
use super::token::Ours;
use crate::model::Clock;
use crate::recorder::{CallbackSeen, Recorder};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The callback receiver of a load test: counts what is refused, and answers wrongly where a scenario
/// says so.
#[derive(Clone)]
pub(super) struct Front {
    pub(super) good: CallbackService<Decider>,
    /// One that holds another secret, and so refuses what is authentic.
    pub(super) outdated: CallbackService<Decider>,
    /// Finds the flows that are answered wrongly; `None` where no scenario of the run has a rule.
    pub(super) faults: Option<Faults>,
    pub(super) recorder: Arc<Recorder>,
    pub(super) clock: Arc<dyn Clock>,
}

/// Finds out which request events are answered wrongly.
#[derive(Clone)]
pub(super) struct Faults {
    pub(super) ours: Ours,
    pub(super) receiver: Receiver,
}

/// How long no answer comes: beyond any service's patience.
const NEVER: Duration = Duration::from_secs(60);

impl Front {
    async fn answer<B>(mut self, request: Request<B>) -> Response<Full<Bytes>>
    where
        B: Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<BoxError>,
    {
        let (head, body) = request.into_parts();
        let Ok(body) = Limited::new(body, Receiver::MAX_BODY).collect().await else {
            return status(StatusCode::PAYLOAD_TOO_LARGE);
        };
        let body = body.to_bytes();
        let request = Request::from_parts(head, body);
        let request = request.map(Full::new);
        let fault = match &self.faults {
            Some(faults) => faults.of(&request).await,
            None => None,
        };
        let response = match fault {
            Some(CallbackAnswer::Never) => {
                tokio::time::sleep(NEVER).await;
                status(StatusCode::SERVICE_UNAVAILABLE)
            }
            Some(CallbackAnswer::Status(code)) => {
                status(StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR))
            }
            Some(CallbackAnswer::BrokenJson) => Response::new(Full::new(Bytes::from_static(b"{\"action\":"))),
            // What it refuses on purpose is no callback that was refused.
            Some(CallbackAnswer::WrongSecret) => return call(&mut self.outdated, request).await,
            // The handler gives these. A slow answer so is in the handler's time.
            None | Some(CallbackAnswer::Allow | CallbackAnswer::Deny | CallbackAnswer::Slow(_)) => {
                call(&mut self.good, request).await
            }
        };
        if matches!(
            response.status(),
            StatusCode::UNAUTHORIZED | StatusCode::BAD_REQUEST
        ) {
            self.recorder.callback(CallbackSeen::Refused, self.clock.now());
        }
        response
    }
}

impl Faults {
    /// How this request is answered wrongly. One that is not authentic, or not the request event of a
    /// flow of this run, is answered as by any receiver.
    async fn of(&self, request: &Request<Full<Bytes>>) -> Option<CallbackAnswer> {
        let callback = self
            .receiver
            .receive(request, request.body().clone())
            .await
            .ok()?;
        let Event::Request(event) = callback.event else {
            return None;
        };
        let token = self.ours.token(event.custom.as_ref())?;
        Some(self.ours.answer(&token))
    }
}

async fn call(
    service: &mut CallbackService<Decider>,
    request: Request<Full<Bytes>>,
) -> Response<Full<Bytes>> {
    service.call(request).await.unwrap_or_else(|never| match never {})
}

fn status(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
}

impl<B> tower_service::Service<Request<B>> for Front
where
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let front = self.clone();
        Box::pin(async move { Ok(front.answer(request).await) })
    }
}
