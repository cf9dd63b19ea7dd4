//! The service's API over HTTP.

mod authorize;
mod cors;
mod operation;
mod refuse;
mod spoil;

use std::sync::Arc;
use std::time::SystemTime;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use bytes::Bytes;
use http::{HeaderValue, Request, Response, request};
use http_body::Body as HttpBody;
use http_body_util::{Either, Full};
use sinch_verify_protocol::server::{Route, RouteError};

use crate::body::read;
use crate::core::Core;
use crate::fault::Fault;
use crate::feed::FeedEvent;
use crate::journal::Notes;

use authorize::authorize;

pub(crate) use authorize::sender;
pub(crate) use refuse::{error_response, refusal_response};
pub(crate) use spoil::Reset;

/// The body of an answer: whole, but for one that a fault spoils.
pub(crate) type AnswerBody = Either<Full<Bytes>, Body>;

/// Every path that nobody else takes.
pub(crate) fn routes(core: Arc<Core>) -> Router {
    let answer = |State(core): State<Arc<Core>>, request: Request<Body>| async move {
        let route = route(&request);
        answer(&core, route, request, None).await.map(Body::new)
    };
    Router::new().fallback(answer).with_state(core)
}

/// Which operation of the API a request is for.
pub(crate) fn route<B>(request: &Request<B>) -> Result<Route, RouteError> {
    Route::parse(request.method(), request.uri().path())
}

/// Answers a request for `route`; `reset` is for a connection that faults may reset.
pub(crate) async fn answer<B: HttpBody<Data = Bytes>>(
    core: &Core,
    route: Result<Route, RouteError>,
    request: Request<B>,
    reset: Option<&Reset>,
) -> Response<AnswerBody> {
    if let Some(answer) = cors::preflight(&request) {
        return answer.map(Full::new).map(Either::Left);
    }
    exchange(core, route, request, reset).await.0
}

/// Answers one request and notes both; gives the number of the note, if notes are taken.
pub(crate) async fn exchange<B: HttpBody<Data = Bytes>>(
    core: &Core,
    route: Result<Route, RouteError>,
    request: Request<B>,
    reset: Option<&Reset>,
) -> (Response<AnswerBody>, Option<u64>) {
    let begun = core.clock().begun();
    let shared = cors::applies(&request);
    let (head, body) = request.into_parts();
    let mut way = Way::default();
    let mut response = answer_own(core, begun.wire, route, &head, body, &mut way).await;
    if shared {
        cors::share(&mut response);
    }
    let seq = core.journal.is_on().then(|| {
        let notes = Notes {
            fault: way.fault.as_ref().map(Fault::name),
            ..way.notes
        };
        let about = notes.about;
        // Of a connection that is reset nobody gets an answer.
        let is_sent = !matches!(way.fault, Some(Fault::Reset { .. }));
        let status = is_sent.then(|| response.status());
        let seq = core
            .journal
            .note(&begun, &head, way.body, &response, status, notes);
        let status = status.map(|status| status.as_u16());
        core.feed
            .push(begun.service, FeedEvent::Request { seq, about, status });
        seq
    });
    let response = match &way.fault {
        Some(fault) => {
            let spoilt = Box::pin(spoil::after(core, fault, reset, response));
            spoilt.await.map(Either::Right)
        }
        None => response.map(Full::new).map(Either::Left),
    };
    (response, seq)
}

/// What is found out about a request on its way.
#[derive(Default)]
struct Way {
    body: Bytes,
    fault: Option<Fault>,
    notes: Notes,
}

/// Whose it is comes before what it says.
async fn answer_own<B: HttpBody<Data = Bytes>>(
    core: &Core,
    came: SystemTime,
    route: Result<Route, RouteError>,
    head: &request::Parts,
    body: B,
    way: &mut Way,
) -> Response<Bytes> {
    let route = match route {
        Err(error @ (RouteError::NotFound | RouteError::Verb { .. })) => {
            return refuse::route(core, &error);
        }
        route => route,
    };
    way.body = match read(body).await {
        Ok(body) => body,
        Err(error) => return refuse::body(core, error),
    };
    let caller = match authorize(core, came, head, &way.body, route.as_ref().ok()) {
        Ok(caller) => caller,
        Err(error) => return error_response(core, error),
    };
    let route = match route {
        Ok(route) => route,
        Err(error) => return refuse::route(core, &error),
    };
    way.fault = spoil::strike(core, caller.app, &route, &way.body);
    if let Some(fault) = &way.fault
        // In boxes, what few calls wait for: the others need not carry it.
        && let Some(response) = Box::pin(spoil::before(core, fault)).await
    {
        return response;
    }
    way.notes.anomalies.extend(caller.anomaly());
    let mut response = operation::run(core, caller, route, head, &way.body, &mut way.notes).await;
    if let Some(anomalies) = anomalies_header(&way.notes.anomalies, core.settings().strictness) {
        response.headers_mut().insert(ANOMALIES, anomalies);
    }
    response
}

/// The header that lists the anomalies of a request.
const ANOMALIES: http::HeaderName = http::HeaderName::from_static("x-emulator-anomalies");

fn anomalies_header(anomalies: &[String], strictness: crate::Strictness) -> Option<HeaderValue> {
    if anomalies.is_empty() || strictness == crate::Strictness::Lenient {
        return None;
    }
    // Names of fields come from outside and may hold anything.
    let text: String = anomalies
        .join("; ")
        .chars()
        .take(1024)
        .map(|c| if c.is_ascii_graphic() || c == ' ' { c } else { '?' })
        .collect();
    HeaderValue::from_str(&text).ok()
}
