//! The control interface under `/_emu`, probes, and the index.

mod applications;
mod authorization;
mod behaviors;
mod clock;
mod deliveries;
mod faults;
mod feed;
mod guard;
mod info;
mod phones;
mod query;
mod requests;
mod response;
mod seamless;
mod snapshot;
mod snippet;
mod timeline;
mod try_it;
mod verifications;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::SystemTime;

use axum::Router;
use axum::extract::{ConnectInfo, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{any, delete, get, post, put};
use http::{HeaderMap, StatusCode};
use serde_json::Value;
use sinch_verify_protocol::timestamp::XTimestamp;

#[cfg(feature = "console")]
use crate::console;
use crate::core::Core;
use crate::engine::SEAMLESS;

use response::Answer;

/// All routes except those of the API.
pub(crate) fn routes(core: Arc<Core>) -> Router {
    let control = Router::new()
        .route("/_emu/info", get(info::info))
        .route("/_emu/applications", post(applications::add))
        .route(
            "/_emu/applications/{key}/callback",
            put(applications::set_callback),
        )
        .route("/_emu/try", post(try_it::start))
        .route("/_emu/phones", get(phones::phones))
        .route("/_emu/numbers", get(phones::magic_numbers))
        .route("/_emu/numbers/{number}/messages", get(phones::messages))
        .route("/_emu/numbers/{number}/keypad", post(phones::keypad))
        .route("/_emu/numbers/{number}/hang-up", post(phones::hang_up))
        .route("/_emu/messages/wait", get(phones::wait))
        .route("/_emu/verifications", get(verifications::verifications))
        .route("/_emu/verifications/{id}", get(verifications::verification))
        .route("/_emu/verifications/{id}/expire", post(verifications::expire))
        .route("/_emu/verifications/{id}/deliver", post(verifications::deliver))
        .route("/_emu/verifications/{id}/deny", post(verifications::deny))
        .route("/_emu/verifications/{id}/report", post(try_it::report))
        .route("/_emu/requests", get(requests::requests))
        .route("/_emu/requests/{seq}", get(requests::request))
        .route("/_emu/deliveries", get(deliveries::deliveries))
        .route("/_emu/deliveries/{seq}/replay", post(deliveries::replay))
        .route("/_emu/conformance", post(deliveries::conformance))
        .route("/_emu/queue", get(deliveries::queue))
        .route(
            "/_emu/behaviors",
            get(behaviors::list)
                .post(behaviors::set)
                .put(behaviors::set)
                .delete(behaviors::clear),
        )
        .route(
            "/_emu/faults",
            get(faults::list).post(faults::add).delete(faults::clear),
        )
        .route("/_emu/faults/{id}", delete(faults::remove))
        .route("/_emu/clock", get(clock::clock).post(clock::change))
        .route("/_emu/events", get(feed::events))
        .route("/_emu/reset", post(reset))
        .route("/_emu", any(response::nothing))
        .route("/_emu/", any(response::nothing))
        .route("/_emu/{*else}", any(response::nothing))
        .layer(axum::middleware::from_fn(response::with_whole_body))
        // A snapshot may be larger than other bodies.
        .route("/_emu/snapshot", get(snapshot::take).put(snapshot::restore))
        .layer(axum::middleware::from_fn(response::in_own_form))
        .layer(axum::middleware::from_fn_with_state(
            Arc::clone(&core),
            guard::own_origin,
        ));
    #[cfg(feature = "console")]
    let control = control.merge(console::routes().layer(axum::middleware::from_fn_with_state(
        Arc::clone(&core),
        guard::own_origin,
    )));
    Router::new()
        .route("/", get(index))
        .route("/livez", get(alive))
        .route("/readyz", get(alive))
        // Devices fetch these addresses, so the guard does not apply. Proxies and link checkers send
        // HEAD; axum would treat it as GET and verify the number.
        .route(
            &format!("{SEAMLESS}{{token}}"),
            get(seamless::follow).head(|| async { StatusCode::METHOD_NOT_ALLOWED }),
        )
        .merge(control)
        .with_state(core)
}

const INDEX: &str = "\
Emulator of the Sinch Verification service. Not the real service, not affiliated with Sinch.

API           /verification/v1/verifications
information   GET  /_emu/info
phones        GET  /_emu/phones
messages      GET  /_emu/numbers/{number}/messages
next message  GET  /_emu/messages/wait?to=+46700000001&after=0&verification=&timeout=10s
press keys    POST /_emu/numbers/{number}/keypad   {\"digits\":\"1\"}
hang up       POST /_emu/numbers/{number}/hang-up
verifications GET  /_emu/verifications?status=&method=&number=&application=
verification  GET  /_emu/verifications/{id}, POST {id}/expire, {id}/deliver, {id}/deny
signed report POST /_emu/verifications/{id}/report  {\"method\":\"sms\",\"sms\":{\"code\":\"1234\"}}
try it        POST /_emu/try                       {\"method\":\"sms\",\"number\":\"+46700000001\"}
requests      GET  /_emu/requests, GET /_emu/requests/{seq}
callbacks     GET  /_emu/deliveries?verification=&application=
waiting       GET  /_emu/queue
applications  POST /_emu/applications
callback URL  PUT  /_emu/applications/{key}/callback  {\"url\":\"http://127.0.0.1:8000/callback\",\"auth\":\"basic\"}
replay        POST /_emu/deliveries/{seq}/replay   {\"as\":\"same\"}, duplicate, reordered, stale, future, forged ...
test receiver POST /_emu/conformance               {\"application\":\"KEY\"}
clock         GET  /_emu/clock
move clock    POST /_emu/clock                     {\"advance\":\"5m\"}, {\"pause\":true}, {\"to\":\"next-expiry\"}
faults        GET, POST, DELETE /_emu/faults, DELETE /_emu/faults/{id}
magic numbers GET  /_emu/numbers
behaviors     GET  /_emu/behaviors
              POST /_emu/behaviors                 {\"prefix\":\"+46\",\"behavior\":{\"do\":\"report\",\"after\":\"2s\"}}
              DELETE /_emu/behaviors
events        GET  /_emu/events                    server-sent, resumed by Last-Event-ID
reset         POST /_emu/reset
snapshot      GET, PUT /_emu/snapshot
probes        GET  /livez, GET /readyz
";

/// Answers browsers with the page, and other clients with a list of the paths.
async fn index(
    State(core): State<Arc<Core>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
) -> Answer {
    #[cfg(feature = "console")]
    if console::is_wanted(&headers) {
        guard::check(&headers, peer, core.allowed_hosts())?;
        return Ok(console::page());
    }
    #[cfg(not(feature = "console"))]
    let _ = (core, peer, headers);
    Ok(INDEX.into_response())
}

async fn alive() -> &'static str {
    "ok\n"
}

async fn reset(State(core): State<Arc<Core>>) -> Response {
    core.reset();
    response::done()
}

/// An instant in answers of the control interface.
fn time(at: SystemTime) -> Value {
    XTimestamp::new(at).as_str().into()
}
