//! The HTTP client that posts events.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use crate::fault::Fault;

/// The most bytes that are read of an answer's body.
const LIMIT: usize = 64 * 1024;

/// Posts events over plain HTTP. Redirects are not followed.
pub(crate) struct CallbackClient(Client<HttpConnector, Full<Bytes>>);

/// The answer to a post.
pub(crate) struct CallbackAnswer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// The answer to a post, or why there is none.
pub(crate) type PostResult = Result<CallbackAnswer, String>;

impl CallbackClient {
    pub(super) fn new() -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        // The client retries in one case: a kept connection closed before the request was sent.
        Self(
            Client::builder(TokioExecutor::new())
                .pool_timer(TokioTimer::new())
                .build(connector),
        )
    }

    pub(crate) async fn send(
        &self,
        request: Request<Bytes>,
        timeout: Duration,
        fault: Option<Fault>,
    ) -> PostResult {
        let exchange = async {
            match fault {
                Some(Fault::Latency { to, .. }) => tokio::time::sleep(to).await,
                Some(Fault::Stall) => return std::future::pending().await,
                Some(Fault::Reset { .. }) => {
                    return Err("not sent: a fault rule reset the connection".to_owned());
                }
                Some(Fault::Status { status }) => {
                    return Ok(CallbackAnswer {
                        status: StatusCode::from_u16(status).map_err(|error| error.to_string())?,
                        headers: HeaderMap::new(),
                        body: Bytes::new(),
                    });
                }
                _ => {}
            }
            let response = self.0.request(request.map(Full::new)).await;
            let (head, body) = response.map_err(|error| describe(&error))?.into_parts();
            let body = Limited::new(body, LIMIT)
                .collect()
                .await
                .map_err(|error| format!("the answer's body could not be read: {error}"))?;
            Ok(CallbackAnswer {
                status: head.status,
                headers: head.headers,
                body: body.to_bytes(),
            })
        };
        match tokio::time::timeout(timeout, exchange).await {
            Ok(outcome) => outcome,
            Err(_) => Err(format!("no answer within {} ms", timeout.as_millis())),
        }
    }
}

/// What failed, and what the system said: the sources between say nothing more.
fn describe(error: &hyper_util::client::legacy::Error) -> String {
    let what = if error.is_connect() {
        "no connection"
    } else {
        "no answer"
    };
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    format!("{what}: {cause}")
}
