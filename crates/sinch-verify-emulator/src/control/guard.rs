//! Protects the control interface from web pages of other sites and from other machines.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::header::{HOST, ORIGIN};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use super::response::Refused;
use crate::core::Core;
use crate::host_name::{HostName, base_of_host};

/// Passes a request whose `Host` is an allowed name, or a loopback name if the request comes from this
/// machine. Refuses requests that a page of another origin sent.
///
/// Any web page can make a browser post to a port of this machine, or let its own name resolve to this
/// machine. It cannot change the `Host` and `Origin` that the browser sends. Other machines can send any
/// `Host`, so for them a loopback name is not enough.
pub(super) async fn own_origin(
    State(core): State<Arc<Core>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
    next: Next,
) -> Response {
    match check(request.headers(), peer, core.allowed_hosts()) {
        Ok(()) => next.run(request).await,
        Err(refused) => refused.into_response(),
    }
}

/// Checks the headers of a request, see [`own_origin`].
pub(super) fn check(headers: &HeaderMap, peer: SocketAddr, allowed: &[HostName]) -> Result<(), Refused> {
    let host = only(headers, &HOST)?.map(|host| host.to_str().unwrap_or_default());
    if !is_taken(host, peer, allowed) {
        return forbidden(
            "the control interface takes requests from this machine to a loopback Host, and requests to a Host \
             that was allowed, as by `serve --allow-host`",
        );
    }
    let own = host.map(|host| format!("http://{host}"));
    let foreign = |origin: &HeaderValue| own.as_deref().map(str::as_bytes) != Some(origin.as_bytes());
    // A browser sends no `Origin` with a request for an image or a script, but `Sec-Fetch-Site`.
    let site = headers.get("sec-fetch-site");
    let of_another = site.is_some_and(|site| site == "cross-site" || site == "same-site");
    let is_visit = headers
        .get("sec-fetch-dest")
        .is_some_and(|what| what == "document");
    if only(headers, &ORIGIN)?.is_some_and(foreign) || (of_another && !is_visit) {
        return forbidden(
            "Origin is another site; the control interface accepts only requests from its own page",
        );
    }
    Ok(())
}

/// Whether a request from `peer` may have this `Host`.
fn is_taken(host: Option<&str>, peer: SocketAddr, allowed: &[HostName]) -> bool {
    let is_local = peer.ip().to_canonical().is_loopback();
    let Some(host) = host else {
        // HTTP/1.0, which browsers do not use.
        return is_local;
    };
    match base_of_host(host) {
        Some(base) if base.is_loopback() => is_local || allowed.iter().any(HostName::is_loopback),
        Some(base) => allowed.iter().any(|allowed| allowed.is(base.host())),
        None => false,
    }
}

/// The only value of a header. With two, a proxy could use the other one.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a HeaderValue>, Refused> {
    let mut values = headers.get_all(name).iter();
    let value = values.next();
    match values.next() {
        None => Ok(value),
        Some(_) => Err(Refused::new(
            StatusCode::FORBIDDEN,
            format!("the request has two {name} headers; send one"),
        )),
    }
}

fn forbidden(why: &str) -> Result<(), Refused> {
    Err(Refused::new(StatusCode::FORBIDDEN, why))
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::is_taken;
    use crate::host_name::HostName;

    #[test]
    fn a_loopback_host_counts_from_this_machine_or_where_it_is_allowed() {
        let (here, mapped) = ("127.0.0.1:5000", "[::ffff:127.0.0.1]:5000");
        let (bridge, other) = ("172.17.0.1:5000", "[fd00::7]:5000");
        for (host, peer, allowed, taken) in [
            (Some("localhost:9901"), here, None, true),
            (Some("127.0.0.1:9901"), mapped, None, true),
            (Some("[::1]"), "[::1]:5000", None, true),
            (None, here, None, true),
            (Some("localhost:9901"), bridge, None, false),
            (Some("127.0.0.1:9901"), other, None, false),
            (None, bridge, None, false),
            (Some("localhost:9901"), bridge, Some("emulator.test"), false),
            (None, bridge, Some("emulator.test"), false),
            (Some("Emulator.test"), bridge, Some("emulator.test"), true),
            (Some("emulator.test:80"), here, Some("emulator.test"), true),
            (Some("localhost:9901"), bridge, Some("localhost"), true),
            (Some("127.0.0.1:9901"), bridge, Some("localhost"), true),
            (Some("evil.example"), bridge, Some("localhost"), false),
            (Some("evil@127.0.0.1"), here, None, false),
            (Some("127.0.0.1:9901.evil.example"), here, None, false),
            (Some("localhost:evil.example"), here, None, false),
            (Some("evil@emulator.test"), here, Some("emulator.test"), false),
            (Some("localhost/evil.example"), here, None, false),
            (Some("localhost?evil.example"), here, None, false),
            (Some("localhost\\evil.example"), here, None, false),
            (Some(""), here, None, false),
        ] {
            let peer: SocketAddr = peer.parse().unwrap();
            let allowed: Vec<HostName> = allowed.iter().map(|name| name.parse().unwrap()).collect();
            assert_eq!(
                is_taken(host, peer, &allowed),
                taken,
                "{host:?} {peer} {allowed:?}"
            );
        }
    }
}
