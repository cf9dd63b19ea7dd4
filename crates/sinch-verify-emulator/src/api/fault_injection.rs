//! Applies faults to answers of the API.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use futures_util::stream;
use http::header::CONTENT_LENGTH;
use http::{HeaderValue, Response};
use sinch_verify_protocol::server::Route;
use sinch_verify_protocol::start::StartRequest;
use sinch_verify_protocol::{ApiError, PhoneNumber, WireObject as _};
use tokio::sync::Notify;

use super::error_response;
use crate::core::Core;
use crate::engine::{AppId, Query};
use crate::fault::{Fault, RequestFacts};
use crate::operation::Operation;

/// Resets the connection of a request.
#[derive(Clone)]
pub(crate) struct Reset(pub(crate) Arc<Notify>);

/// The fault for this request, if a rule matches.
pub(super) fn fault_for(core: &Core, app: AppId, route: &Route, body: &Bytes) -> Option<Fault> {
    if !core.faults.any() {
        return None;
    }
    let number = core
        .faults
        .any_by_number()
        .then(|| number(core, app, route, body));
    core.faults.pick(&RequestFacts {
        operation: Operation::of(route),
        number: number.flatten(),
        application: core.registry.get(app)?.signer.key().as_str(),
    })
}

fn number(core: &Core, app: AppId, route: &Route, body: &Bytes) -> Option<PhoneNumber> {
    let of = |query: Query| core.with_engine(|engine| engine.number_of(app, &query));
    match route {
        Route::Start => StartRequest::decode(body).ok()?.identity.phone_number().ok(),
        Route::ReportByNumber { number } | Route::Outcome { number } => Some(*number),
        Route::StatusByNumber { number, .. } => Some(*number),
        Route::ReportById { id } | Route::StatusById { id } => of(Query::Id(id.clone())),
        Route::StatusByReference { reference } => of(Query::Reference(reference.clone())),
        // A later version of the protocol crate may have more routes.
        _ => None,
    }
}

/// Applies a fault before the request is carried out. Returns the answer if the request is not
/// carried out.
pub(super) async fn before(core: &Core, fault: &Fault) -> Option<Response<Bytes>> {
    match fault {
        Fault::Latency { to, .. } => {
            tokio::time::sleep(*to).await;
            None
        }
        Fault::Status { status } => {
            let error = ApiError::new(
                u32::from(*status) * 100,
                "A fault rule of the emulator set this answer.",
            );
            Some(error_response(core, error))
        }
        // This answer is not sent: the connection is reset.
        Fault::Reset { handled: false } => Some(Response::default()),
        _ => None,
    }
}

/// Applies a fault to the answer.
pub(super) async fn after(
    core: &Core,
    fault: &Fault,
    reset: Option<&Reset>,
    response: Response<Bytes>,
) -> Response<Body> {
    match fault {
        Fault::Reset { .. } => break_off(core, reset).await,
        Fault::Stall => {
            stopped(core).await;
            response.map(Body::from)
        }
        Fault::Truncate => {
            let (mut head, body) = response.into_parts();
            head.headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
            let half = body.slice(..body.len() / 2);
            Response::from_parts(head, Body::from_stream(stream::unfold(Some(half), cut)))
        }
        Fault::Malformed => {
            let (mut head, body) = response.into_parts();
            head.headers.remove(CONTENT_LENGTH);
            let mut broken = body[..body.len() / 2].to_vec();
            broken.extend_from_slice(b"}<");
            Response::from_parts(head, Body::from(broken))
        }
        _ => response.map(Body::from),
    }
}

/// Yields half of a body, then ends the connection.
async fn cut(half: Option<Bytes>) -> Option<(Result<Bytes, std::io::Error>, Option<Bytes>)> {
    match half {
        Some(half) => Some((Ok(half), None)),
        None => {
            // The half must be sent before the connection ends.
            tokio::time::sleep(Duration::from_millis(20)).await;
            let error = std::io::Error::other("a fault rule cut this body");
            Some((Err(error), None))
        }
    }
}

async fn break_off(core: &Core, reset: Option<&Reset>) -> Response<Body> {
    if let Some(Reset(reset)) = reset {
        reset.notify_one();
    }
    // The connection closes first.
    stopped(core).await;
    Response::new(Body::empty())
}

async fn stopped(core: &Core) {
    let _ = core.stopping().wait_for(|stop| *stop).await;
}
