//! The service's API over HTTP.

mod authorize;
mod cors;
mod error_response;
mod fault_injection;
mod operation;

use std::sync::Arc;
use std::time::SystemTime;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use bytes::Bytes;
use http::{HeaderValue, Request, Response, request};
use http_body::Body as HttpBody;
use http_body_util::{Either, Full};
use sinch_verify_protocol::ApiError;
use sinch_verify_protocol::server::{Route, RouteError};

use crate::body::read;
use crate::core::Core;
use crate::fault::Fault;
use crate::feed::FeedEvent;
use crate::journal::Notes;
use crate::operation::Operation;

use authorize::authorize;

pub(crate) use authorize::sender;
pub(crate) use error_response::{error_response, refusal_response};
pub(crate) use fault_injection::Reset;

/// The body of an answer. It is a stream only where a fault cuts the body short.
pub(crate) type AnswerBody = Either<Full<Bytes>, Body>;

/// Answers every path that no other route takes.
pub(crate) fn routes(core: Arc<Core>) -> Router {
    let answer = |State(core): State<Arc<Core>>, request: Request<Body>| async move {
        let route = route(&request);
        let (answer, _) = exchange(&core, route, request, None).await;
        answer.map(Body::new)
    };
    Router::new().fallback(answer).with_state(core)
}

/// The operation of the API that a request calls.
pub(crate) fn route<B>(request: &Request<B>) -> Result<Route, RouteError> {
    Route::parse(request.method(), request.uri().path())
}

/// Answers one request and records the exchange in the journal. Returns its number there, if the
/// journal is on. A fault may reset the connection if `reset` is given.
///
/// Not an `async fn`: its future would have the request twice, and every caller copies a future.
pub(crate) fn exchange<'a, B: HttpBody<Data = Bytes>>(
    core: &'a Core,
    route: Result<Route, RouteError>,
    request: Request<B>,
    reset: Option<&'a Reset>,
) -> impl Future<Output = (Response<AnswerBody>, Option<u64>)> + use<'a, B> {
    let stopwatch = core.clock().start_stopwatch();
    let (head, body) = request.into_parts();
    async move {
        if let Some(answer) = cors::preflight(&head) {
            return (answer.map(Full::new).map(Either::Left), None);
        }
        let operation = route.as_ref().ok().map(Operation::of);
        let mut context = RequestContext::default();
        let mut response = answer_own(core, stopwatch.wire, route, &head, body, &mut context).await;
        if cors::applies(&head) {
            cors::share(&mut response);
        }
        core.metrics.request(operation, response.status());
        if let Some(fault) = &context.fault {
            core.metrics.fault(fault);
        }
        let seq = core.journal.is_on().then(|| {
            let notes = Notes {
                fault: context.fault.as_ref().map(Fault::name),
                ..context.notes
            };
            let about = notes.about;
            // No answer is sent on a connection that is reset.
            let is_sent = !matches!(context.fault, Some(Fault::Reset { .. }));
            let status = is_sent.then(|| response.status());
            let seq = core
                .journal
                .note(&stopwatch, &head, context.body, &response, status, notes);
            let status = status.map(|status| status.as_u16());
            core.feed
                .push(stopwatch.service, FeedEvent::Request { seq, about, status });
            seq
        });
        let response = match &context.fault {
            Some(fault) => {
                let answer = Box::pin(fault_injection::after(core, fault, reset, response));
                answer.await.map(Either::Right)
            }
            None => response.map(Full::new).map(Either::Left),
        };
        (response, seq)
    }
}

/// The answer to a request of HTTP/1.1 without `Host`, whatever its path.
pub(crate) fn without_host(core: &Core) -> Response<AnswerBody> {
    let message = "Header Host is missing; HTTP/1.1 requires it.";
    let response = error_response(core, ApiError::new(ApiError::PARAMETER, message));
    response.map(Full::new).map(Either::Left)
}

/// What is known about a request so far.
#[derive(Default)]
struct RequestContext {
    body: Bytes,
    fault: Option<Fault>,
    notes: Notes,
}

/// Answers a request. The sender is checked before the body is decoded.
async fn answer_own<B: HttpBody<Data = Bytes>>(
    core: &Core,
    came: SystemTime,
    route: Result<Route, RouteError>,
    head: &request::Parts,
    body: B,
    context: &mut RequestContext,
) -> Response<Bytes> {
    let route = match route {
        Err(error @ (RouteError::NotFound | RouteError::Verb { .. })) => {
            return error_response::route(core, &error);
        }
        route => route,
    };
    context.body = match read(body).await {
        Ok(body) => body,
        Err(error) => return error_response::body(core, error),
    };
    let caller = match authorize(core, came, head, &context.body, route.as_ref().ok()) {
        Ok(caller) => caller,
        Err(error) => return error_response(core, error),
    };
    let route = match route {
        Ok(route) => route,
        Err(error) => return error_response::route(core, &error),
    };
    context.fault = fault_injection::fault_for(core, caller.app, &route, &context.body);
    if let Some(fault) = &context.fault
        // Boxed: few calls wait, and the future of the others stays small.
        && let Some(response) = Box::pin(fault_injection::before(core, fault)).await
    {
        return response;
    }
    context.notes.anomalies.extend(caller.anomaly());
    let mut response = operation::run(core, caller, route, head, &context.body, &mut context.notes).await;
    if let Some(anomalies) = anomalies_header(&context.notes.anomalies, core.settings().strictness) {
        response.headers_mut().insert(ANOMALIES, anomalies);
    }
    response
}

/// The header of an answer that lists the anomalies of its request.
const ANOMALIES: http::HeaderName = http::HeaderName::from_static("x-emulator-anomalies");

fn anomalies_header(anomalies: &[String], strictness: crate::Strictness) -> Option<HeaderValue> {
    if anomalies.is_empty() || strictness == crate::Strictness::Lenient {
        return None;
    }
    // Field names come from the request and may hold any character.
    let text: String = anomalies
        .join("; ")
        .chars()
        .take(1024)
        .map(|c| if c.is_ascii_graphic() || c == ' ' { c } else { '?' })
        .collect();
    HeaderValue::from_str(&text).ok()
}
