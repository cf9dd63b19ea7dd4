//! The service's API over HTTP.

mod authorize;
mod body;
mod cors;
mod operation;
mod refuse;
mod spoil;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use http::{HeaderValue, Request, Response};
use sinch_verify_protocol::server::{Route, RouteError};

use crate::core::Core;

use authorize::authorize;
use body::read;

pub(crate) use refuse::{error_response, refusal_response};
pub(crate) use spoil::Reset;

/// Every path that nobody else takes.
pub(crate) fn routes(core: Arc<Core>) -> Router {
    Router::new().fallback(answer).with_state(core)
}

/// Answers one request: whose it is comes before what it says.
async fn answer(State(core): State<Arc<Core>>, request: Request<Body>) -> Response<Body> {
    if let Some(answer) = cors::preflight(&request) {
        return answer;
    }
    let shared = cors::applies(&request);
    let mut response = answer_own(&core, request).await;
    if shared {
        cors::share(&mut response);
    }
    response
}

async fn answer_own(core: &Core, request: Request<Body>) -> Response<Body> {
    let route = match Route::parse(request.method(), request.uri().path()) {
        Err(error @ (RouteError::NotFound | RouteError::Verb { .. })) => {
            return refuse::route(core, &error);
        }
        route => route,
    };
    let (head, body) = request.into_parts();
    let body = match read(body).await {
        Ok(body) => body,
        Err(error) => return refuse::body(core, error),
    };
    let caller = match authorize(core, &head, &body, route.as_ref().ok()) {
        Ok(caller) => caller,
        Err(error) => return error_response(core, error),
    };
    let route = match route {
        Ok(route) => route,
        Err(error) => return refuse::route(core, &error),
    };
    let key = core
        .application(caller.app)
        .map_or("", |own| own.signer.key().as_str());
    let fault = spoil::strike(core, key, &route, &body);
    if let Some(fault) = &fault
        && let Some(response) = spoil::before(core, fault, &head).await
    {
        return response;
    }
    let mut quirks = caller.quirks();
    let mut response = operation::run(core, caller, route, &head, &body, &mut quirks).await;
    if let Some(quirks) = quirks.header(core.settings().strictness) {
        response.headers_mut().insert(QUIRKS, quirks);
    }
    match &fault {
        Some(fault) => spoil::after(core, fault, &head, response).await,
        None => response,
    }
}

/// The header that lists what was odd about a request.
const QUIRKS: http::HeaderName = http::HeaderName::from_static("x-emulator-quirks");

/// What was odd about a request.
#[derive(Default)]
pub(crate) struct Quirks(Vec<String>);

impl Quirks {
    fn push(&mut self, quirk: String) {
        self.0.push(quirk);
    }

    fn first(&self) -> Option<&str> {
        self.0.first().map(String::as_str)
    }

    fn header(&self, strictness: crate::Strictness) -> Option<HeaderValue> {
        if self.0.is_empty() || strictness == crate::Strictness::Lenient {
            return None;
        }
        // Names of fields come from outside and may hold anything.
        let text: String = self
            .0
            .join("; ")
            .chars()
            .take(1024)
            .map(|c| if c.is_ascii_graphic() || c == ' ' { c } else { '?' })
            .collect();
        HeaderValue::from_str(&text).ok()
    }
}
