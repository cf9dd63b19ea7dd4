//! One call: encode, authorize, send, decode.
//!
//! A repeated attempt would begin at [`attempt`]: authorizing is part of it, because a signature
//! holds the time.

use std::future::Future;

use bytes::Bytes;
use http::header::USER_AGENT;
use http::{Request, Response};
use sinch_verify_protocol::Endpoint;
use sinch_verify_protocol::endpoint::Idempotency;
use sinch_verify_protocol::phone_number::Masked;
use tracing::Instrument as _;

use crate::client::Inner;
use crate::error::{Error, Kind};
use crate::telemetry::Record;
use crate::transport::{TransportError, TransportErrorKind};

/// Sends `endpoint` and reads its answer.
///
/// Not an `async fn`, so that the future holds neither the endpoint nor the number.
pub(crate) fn run<'a, E: Endpoint>(
    inner: &'a Inner,
    endpoint: &E,
    number: Option<Masked<'_>>,
) -> impl Future<Output = Result<E::Response, Error>> + use<'a, E> {
    let record = Record::new(E::NAME, number);
    let span = record.span().clone();
    let request = endpoint.to_http(&inner.base_url);
    async move {
        let outcome = match request {
            Ok(request) => exchange(inner, request, &record).await,
            Err(error) => Err(Kind::Encode(error)),
        }
        .and_then(|response| {
            E::from_http(&response).map_err(|source| Kind::Decode {
                status: response.status(),
                source,
            })
        });
        outcome.map_err(|kind| {
            // A start is the one operation that must never be repeated blindly.
            let error = Error::new(E::NAME, E::IDEMPOTENCY == Idempotency::Never, kind);
            record.failed(&error);
            error
        })
    }
    .instrument(span)
}

async fn exchange(
    inner: &Inner,
    mut request: Request<Bytes>,
    record: &Record,
) -> Result<Response<Bytes>, Kind> {
    request.headers_mut().insert(USER_AGENT, inner.user_agent.clone());
    let response = attempt(inner, request).await;
    record.answered(1, response.as_ref().ok().map(Response::status));
    response
}

/// Authorizes the request with the time now, and sends it.
async fn attempt(inner: &Inner, mut request: Request<Bytes>) -> Result<Response<Bytes>, Kind> {
    inner
        .credentials
        .authorize(&mut request, inner.clock.now())
        .map_err(Kind::Authorize)?;
    match tokio::time::timeout(inner.attempt_timeout, inner.transport.send(request)).await {
        Ok(answer) => answer.map_err(Kind::Transport),
        // Where the request was when time ran out is not known.
        Err(elapsed) => Err(Kind::Transport(
            TransportError::new(TransportErrorKind::Timeout).with_source(elapsed),
        )),
    }
}
