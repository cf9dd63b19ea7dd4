//! Keeps web pages of others away from the control interface.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::header::{HOST, ORIGIN};
use http::uri::Authority;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use sinch_verify_protocol::endpoint::is_loopback_host;

use super::respond::Refused;
use crate::core::Core;
use crate::host::HostName;

/// Lets requests through that name this machine, or a name that was allowed, and that no page of another origin sent.
///
/// A page anywhere can make a browser post to a port of this machine, or point a name of its own
/// at it; neither can hide the name or the origin.
pub(super) async fn own_origin(State(core): State<Arc<Core>>, request: Request, next: Next) -> Response {
    match check(request.headers(), core.allowed_hosts()) {
        Ok(()) => next.run(request).await,
        Err(refused) => refused.into_response(),
    }
}

/// Whether these are the headers of such a request.
pub(super) fn check(headers: &HeaderMap, allowed: &[HostName]) -> Result<(), Refused> {
    let host = only(headers, &HOST)?.map(|host| host.to_str().unwrap_or_default());
    let is_here = |host: &str| {
        host.parse::<Authority>().is_ok_and(|authority| {
            let host = authority.host();
            is_loopback_host(host) || allowed.iter().any(|name| name.is(host))
        })
    };
    if !host.is_none_or(is_here) {
        return forbidden(
            "the control interface takes requests to a loopback Host only, and to names that it was told to allow",
        );
    }
    let own = host.map(|host| format!("http://{host}"));
    let foreign = |origin: &HeaderValue| own.as_deref().map(str::as_bytes) != Some(origin.as_bytes());
    // A browser names no origin when it fetches an image or a script, but it names the site.
    let site = headers.get("sec-fetch-site");
    let of_another = site.is_some_and(|site| site == "cross-site" || site == "same-site");
    let is_visit = headers
        .get("sec-fetch-dest")
        .is_some_and(|what| what == "document");
    if only(headers, &ORIGIN)?.is_some_and(foreign) || (of_another && !is_visit) {
        return forbidden("the control interface takes requests of its own Origin only");
    }
    Ok(())
}

/// The one value of a header. Of two, another reader could believe the other.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a HeaderValue>, Refused> {
    let mut values = headers.get_all(name).iter();
    let value = values.next();
    match values.next() {
        None => Ok(value),
        Some(_) => Err(Refused::new(
            StatusCode::FORBIDDEN,
            format!("{name} is there twice"),
        )),
    }
}

fn forbidden(why: &str) -> Result<(), Refused> {
    Err(Refused::new(StatusCode::FORBIDDEN, why))
}
