//! Keeps web pages of others away from the control interface.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::header::{HOST, ORIGIN};
use http::uri::Authority;
use http::{HeaderMap, StatusCode};

use super::respond::Refused;
use crate::application::is_loopback_host;

/// Lets requests through that name this machine, and that no page of another origin sent.
///
/// A page anywhere can make a browser post to a port of this machine, or point a name of its own
/// at it; neither can hide the name or the origin.
pub(super) async fn own_origin(request: Request, next: Next) -> Response {
    match check(request.headers()) {
        Ok(()) => next.run(request).await,
        Err(refused) => refused.into_response(),
    }
}

/// Whether these are the headers of such a request.
pub(super) fn check(headers: &HeaderMap) -> Result<(), Refused> {
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
    Ok(())
}

fn forbidden(why: &str) -> Result<(), Refused> {
    Err(Refused::new(StatusCode::FORBIDDEN, why))
}
