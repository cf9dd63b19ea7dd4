//! CORS: web pages of any origin may call the operations that accept public authorization.
//!
//! No cookie is used, so any origin may read the answers.

use bytes::Bytes;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, HeaderName,
    HeaderValue, ORIGIN, VARY,
};
use http::request::Parts;
use http::{Method as Verb, Response, StatusCode};
use sinch_verify_protocol::server::Route;

use super::authorize::needed;
use crate::application::AuthorizationLevel;

/// The answer to a preflight request; `None` if the request is not one.
pub(super) fn preflight(head: &Parts) -> Option<Response<Bytes>> {
    if head.method != Verb::OPTIONS || !head.headers.contains_key(ORIGIN) {
        return None;
    }
    let wanted = head.headers.get(ACCESS_CONTROL_REQUEST_METHOD)?;
    let verb = Verb::from_bytes(wanted.as_bytes()).ok()?;
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::NO_CONTENT;
    if is_public(&verb, head.uri.path()) {
        let headers = response.headers_mut();
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, ANY);
        headers.insert(ACCESS_CONTROL_ALLOW_METHODS, wanted.clone());
        headers.insert(
            ACCESS_CONTROL_ALLOW_HEADERS,
            HeaderValue::from_static("authorization, content-type, accept-language, x-timestamp"),
        );
        headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    }
    Some(response)
}

/// Whether a web page sent this request and may read the answer.
pub(super) fn applies(head: &Parts) -> bool {
    head.headers.contains_key(ORIGIN) && is_public(&head.method, head.uri.path())
}

/// Adds the header that lets the page read the answer.
pub(super) fn share<B>(response: &mut Response<B>) {
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, ANY);
    headers.insert(
        ACCESS_CONTROL_EXPOSE_HEADERS,
        HeaderValue::from_static("content-language, retry-after, x-emulator-anomalies"),
    );
    headers.append(VARY, HeaderValue::from_name(HeaderName::from_static("origin")));
}

const ANY: HeaderValue = HeaderValue::from_static("*");

fn is_public(verb: &Verb, path: &str) -> bool {
    Route::parse(verb, path).is_ok_and(|route| needed(&route) == AuthorizationLevel::Public)
}
