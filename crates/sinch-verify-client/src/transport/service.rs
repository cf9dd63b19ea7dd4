//! A transport made of a tower service.

use std::error::Error as StdError;
use std::future::poll_fn;
use std::pin::pin;

use bytes::{Buf as _, Bytes};
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Body;
use tower_service::Service;

use super::body::Collected;
use super::{SharedTransport, Transport, TransportError, classify};

type BoxError = Box<dyn StdError + Send + Sync>;

struct FromService<S>(S);

impl SharedTransport {
    /// A transport that calls a clone of `service` for every request: a client of hyper, say, within
    /// layers of tower.
    ///
    /// The service must send each request once and as it is: no retries, no redirects, no change of
    /// path, content type or body, which are signed. Of the answer's body at most
    /// [`MAX_BODY`](super::MAX_BODY) is read. An error that is a [`TransportError`] is taken as it is;
    /// after any other one the request may have been sent, unless it is one of hyper's that says
    /// otherwise.
    #[must_use]
    pub fn from_service<S, B>(service: S) -> Self
    where
        S: Service<Request<Full<Bytes>>, Response = Response<B>> + Clone + Send + Sync + 'static,
        S::Future: Send,
        S::Error: Into<BoxError> + Send,
        B: Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<BoxError>,
    {
        Self::new(FromService(service))
    }
}

impl<S, B> Transport for FromService<S>
where
    S: Service<Request<Full<Bytes>>, Response = Response<B>> + Clone + Send + Sync + 'static,
    S::Future: Send,
    S::Error: Into<BoxError> + Send,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let mut service = self.0.clone();
        if let Err(error) = poll_fn(|context| service.poll_ready(context)).await {
            return Err(translate(error.into()).never_sent());
        }
        let answer = service.call(request.map(Full::new)).await;
        let (parts, body) = answer.map_err(|error| translate(error.into()))?.into_parts();
        let mut collected = Collected::expecting(body.size_hint().exact())?;
        let mut body = pin!(body);
        while let Some(frame) = body.frame().await {
            if let Ok(mut chunk) = frame.map_err(|error| translate_body(error.into()))?.into_data() {
                let length = chunk.remaining();
                collected.push(chunk.copy_to_bytes(length))?;
            }
        }
        Ok(Response::from_parts(parts, collected.finish()))
    }
}

fn translate(error: BoxError) -> TransportError {
    match error.downcast::<TransportError>() {
        Ok(error) => *error,
        Err(error) => classify::boxed(error),
    }
}

/// What went wrong after the head of the answer was there: the request was sent, whatever the error
/// says.
fn translate_body(error: BoxError) -> TransportError {
    match error.downcast::<TransportError>() {
        Ok(error) => *error,
        Err(error) => TransportError::new(classify::kind(&*error)).with_source(error),
    }
}
