//! A transport on hyper alone.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::uri::Scheme;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Body as _;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use super::body::Collected;
use super::{Transport, TransportError, TransportErrorKind, classify};

/// How long an unused connection is kept.
const IDLE: Duration = Duration::from_secs(30);

/// A pooled transport on hyper: plain HTTP/1.1, nothing between the client and the socket.
///
/// It repeats nothing that left. A request that finds its pooled connection closed before the
/// first byte is put on a new one.
#[derive(Clone)]
pub struct HyperTransport {
    client: Client<HttpConnector, Full<Bytes>>,
}

impl HyperTransport {
    /// A transport that waits for a connection for at most `connect_timeout`.
    #[must_use]
    pub fn new(connect_timeout: Duration) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(connect_timeout));
        let client = Client::builder(TokioExecutor::new())
            .pool_idle_timeout(IDLE)
            .pool_timer(TokioTimer::new())
            .build(connector);
        Self { client }
    }
}

/// Waits for a connection for at most 5 seconds.
impl Default for HyperTransport {
    fn default() -> Self {
        Self::new(Duration::from_secs(5))
    }
}

impl Transport for HyperTransport {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        if request.uri().scheme() != Some(&Scheme::HTTP) {
            return Err(TransportError::new(TransportErrorKind::Other)
                .with_source("this transport speaks plain http only; use another for https")
                .never_sent());
        }
        let answer = self.client.request(request.map(Full::new)).await;
        let (parts, mut incoming) = answer.map_err(translate)?.into_parts();
        let mut body = Collected::expecting(incoming.size_hint().exact())?;
        while let Some(frame) = incoming.frame().await {
            // Trailers, the other kind of frame, say nothing here.
            if let Ok(chunk) = frame.map_err(classify::after_connect)?.into_data() {
                body.push(chunk)?;
            }
        }
        Ok(Response::from_parts(parts, body.finish()))
    }
}

fn translate(error: hyper_util::client::legacy::Error) -> TransportError {
    if !error.is_connect() {
        return classify::after_connect(error);
    }
    let kind = match classify::kind(&error) {
        TransportErrorKind::Timeout => TransportErrorKind::ConnectTimeout,
        _ => TransportErrorKind::Connect,
    };
    TransportError::new(kind).with_source(error)
}

impl fmt::Debug for HyperTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HyperTransport").finish_non_exhaustive()
    }
}
