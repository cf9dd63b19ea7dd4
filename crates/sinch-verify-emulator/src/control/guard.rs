//! Keeps web pages of others away from the control interface.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::header::{HOST, ORIGIN};
use http::uri::Authority;

use http::StatusCode;

use super::respond::Refused;
use crate::application::is_loopback_host;

/// Lets requests through that name this machine, and that no page of another origin sent.
///
/// A page anywhere can make a browser post to a port of this machine, or point a name of its own
/// at it; neither can hide the name or the origin.
pub(super) async fn own_origin(request: Request, next: Next) -> Response {
    let headers = request.headers();
    let host = headers.get(HOST).map(|host| host.to_str().unwrap_or_default());
    let is_here = |host: &str| {
        host.parse::<Authority>()
            .is_ok_and(|authority| is_loopback_host(authority.host()))
    };
    if !host.is_none_or(is_here) {
        return forbidden("the control interface takes requests to a loopback Host only");
    }
    let own = host.map(|host| format!("http://{host}"));
    let foreign = |origin: &http::HeaderValue| own.as_deref().map(str::as_bytes) != Some(origin.as_bytes());
    if headers.get(ORIGIN).is_some_and(foreign) {
        return forbidden("the control interface takes requests of its own Origin only");
    }
    next.run(request).await
}

fn forbidden(why: &str) -> Response {
    Refused::new(StatusCode::FORBIDDEN, why).into_response()
}
