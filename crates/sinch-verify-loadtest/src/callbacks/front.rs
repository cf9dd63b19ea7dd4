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

use super::decider::Decider;
use super::misbehaviour::Misbehaviour;
use super::token::Ours;
use crate::board::{Board, CallbackSeen};
use crate::clock::Clock;
use crate::flows::Flow;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Our callback receiver as it stands in a load test: it counts what is refused, and misbehaves
/// where a flow wants that.
#[derive(Clone)]
pub(super) struct Front {
    pub(super) good: CallbackService<Decider>,
    /// One that holds another secret, and so refuses what is authentic.
    pub(super) outdated: CallbackService<Decider>,
    /// Who it misbehaves for; `None` where no flow of the run wants that.
    pub(super) abuse: Option<Abuse>,
    pub(super) board: Arc<Board>,
    pub(super) clock: Arc<dyn Clock>,
}

/// Tells the events of flows that want to see us misbehave.
#[derive(Clone)]
pub(super) struct Abuse {
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
        let wanted = match &self.abuse {
            Some(abuse) => abuse.wanted(&request).await,
            None => None,
        };
        let response = match wanted {
            // Slowness is the handler's, and so is in its time.
            None | Some(Misbehaviour::Slow) => call(&mut self.good, request).await,
            Some(Misbehaviour::Silence) => {
                tokio::time::sleep(NEVER).await;
                status(StatusCode::SERVICE_UNAVAILABLE)
            }
            Some(Misbehaviour::ServerError) => status(StatusCode::INTERNAL_SERVER_ERROR),
            Some(Misbehaviour::BadJson) => Response::new(Full::new(Bytes::from_static(b"{\"action\":"))),
            // What it refuses on purpose is no callback that was refused.
            Some(Misbehaviour::WrongSecret) => return call(&mut self.outdated, request).await,
        };
        if matches!(
            response.status(),
            StatusCode::UNAUTHORIZED | StatusCode::BAD_REQUEST
        ) {
            self.board.callback(CallbackSeen::Refused, self.clock.now());
        }
        response
    }
}

impl Abuse {
    /// What the flow behind a request event wants of us. An event that is not authentic, or not about a
    /// flow of ours, is answered as by any receiver: nobody else makes this one hang or fail.
    async fn wanted(&self, request: &Request<Full<Bytes>>) -> Option<Misbehaviour> {
        let callback = self
            .receiver
            .receive(request, request.body().clone())
            .await
            .ok()?;
        let Event::Request(event) = callback.event else {
            return None;
        };
        let token = self.ours.token(event.custom.as_ref())?;
        (token.flow == Flow::BadCallback).then(|| Misbehaviour::of(token.slot))
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
