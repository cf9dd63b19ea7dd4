//! One signed post and its answer.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, USER_AGENT};
use http::{Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use sinch_verify_protocol::auth::{Signer, X_TIMESTAMP};
use sinch_verify_protocol::identity::Identity;

use crate::core::Core;
use crate::fault::{Case, Fault, FaultPlace};

/// The type that events are observed to have, to the letter: it is signed.
const JSON: &str = "application/json; charset=utf-8";

/// The most of an answer that is read.
const LIMIT: usize = 64 * 1024;

/// Posts events over plain HTTP. Redirects are answers like any other: they are not followed.
pub(super) struct Poster(Client<HttpConnector, Full<Bytes>>);

/// What came back.
pub(super) struct Answered {
    pub(super) status: StatusCode,
    pub(super) body: Bytes,
}

impl Poster {
    pub(super) fn new() -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        // A request that is canceled because a kept connection went away was never sent, and goes
        // out on a new one. That is the one case in which the client below sends anything again.
        Self(
            Client::builder(TokioExecutor::new())
                .pool_timer(TokioTimer::new())
                .build(connector),
        )
    }

    /// Posts `body`, signed at `now`; with `fault`, as that says.
    pub(super) async fn post(
        &self,
        url: &Uri,
        signer: &Signer,
        body: Bytes,
        now: SystemTime,
        timeout: Duration,
        fault: Option<Fault>,
    ) -> Result<Answered, String> {
        let half = body.slice(..body.len() / 2);
        let request = match fault {
            Some(Fault::Malformed) => signed(url, signer, half, now)?,
            Some(Fault::Truncate) => signed(url, signer, body, now)?.map(|_| Full::new(half)),
            _ => signed(url, signer, body, now)?,
        };
        let exchange = async {
            match fault {
                Some(Fault::Latency { to, .. }) => tokio::time::sleep(to).await,
                Some(Fault::Stall) => return std::future::pending().await,
                Some(Fault::Reset { .. }) => return Err("not sent: a reset was ordered".to_owned()),
                Some(Fault::Status { status }) => {
                    let status = StatusCode::from_u16(status).map_err(|error| error.to_string())?;
                    let body = Bytes::new();
                    return Ok(Answered { status, body });
                }
                _ => {}
            }
            let response = self.0.request(request).await.map_err(|error| describe(&error))?;
            let status = response.status();
            let body = Limited::new(response.into_body(), LIMIT)
                .collect()
                .await
                .map_err(|error| format!("the answer's body could not be read: {error}"))?;
            Ok(Answered {
                status,
                body: body.to_bytes(),
            })
        };
        match tokio::time::timeout(timeout, exchange).await {
            Ok(answered) => answered,
            Err(_) => Err(format!("no answer within {} ms", timeout.as_millis())),
        }
    }
}

/// What goes wrong with an event about `identity`, if anything.
pub(super) fn strike(core: &Core, signer: &Signer, operation: &str, identity: &Identity) -> Option<Fault> {
    core.faults.strike(&Case {
        on: FaultPlace::Callback,
        operation,
        number: identity.phone_number().ok(),
        application: signer.key().as_str(),
    })
}

fn signed(url: &Uri, signer: &Signer, body: Bytes, now: SystemTime) -> Result<Request<Full<Bytes>>, String> {
    // The signature covers the path alone; a query goes along unsigned.
    let signed = signer.sign("POST", url.path(), JSON.as_bytes(), &body, now);
    let invalid = |_| "the application key does not fit into a header".to_owned();
    let mut authorization =
        HeaderValue::try_from(signed.callback_authorization(signer.key())).map_err(invalid)?;
    authorization.set_sensitive(true);
    let timestamp = HeaderValue::from_str(signed.timestamp.as_str()).map_err(invalid)?;
    let mut request = Request::new(Full::new(body));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = url.clone();
    let headers = request.headers_mut();
    headers.insert(AUTHORIZATION, authorization);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(JSON));
    headers.insert(
        USER_AGENT,
        HeaderValue::from_static(concat!("sinch-verify-emulator/", env!("CARGO_PKG_VERSION"))),
    );
    headers.insert(X_TIMESTAMP, timestamp);
    Ok(request)
}

/// The error with its sources: the first alone says next to nothing.
fn describe(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
