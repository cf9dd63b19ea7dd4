//! The control interface under `/_emu`, probes, and the index.

mod applications;
mod authorization;
mod behaviors;
mod clock;
mod deliveries;
mod endpoints;
mod faults;
mod feed;
mod guard;
mod info;
mod openapi;
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
use axum::routing::{any, get};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use serde_json::Value;
use sinch_verify_protocol::timestamp::XTimestamp;

#[cfg(feature = "console")]
use crate::console;
use crate::core::Core;
use crate::engine::SEAMLESS;
use crate::metrics;

use endpoints::Group;
use response::{Answer, Refused};

/// All routes except those of the API.
pub(crate) fn routes(core: Arc<Core>) -> Router {
    let (mut control, mut large, mut open) = (Router::new(), Router::new(), Router::new());
    for endpoint in endpoints::all() {
        let group = match endpoint.group {
            Group::Control => &mut control,
            Group::LargeBody => &mut large,
            Group::Open => &mut open,
        };
        *group = std::mem::take(group).route(endpoint.path, endpoint.handler);
    }
    let control = control
        .route("/_emu", any(response::nothing))
        .route("/_emu/", any(response::nothing))
        .route("/_emu/{*else}", any(response::nothing))
        .layer(axum::middleware::from_fn(response::with_whole_body))
        .merge(large)
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
        // Devices fetch these addresses, so the guard does not apply. Proxies and link checkers send
        // HEAD; axum would treat it as GET and verify the number.
        .route(
            &format!("{SEAMLESS}{{token}}"),
            get(seamless::follow).head(|| async { StatusCode::METHOD_NOT_ALLOWED }),
        )
        .merge(open)
        .merge(control)
        .with_state(core)
}

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
    Ok(openapi::list(&endpoints::all()).into_response())
}

async fn alive() -> &'static str {
    "ok\n"
}

async fn describe() -> Response {
    response::json(&openapi::document(&endpoints::all()))
}

async fn counters(State(core): State<Arc<Core>>) -> Answer {
    let text = core.metrics_text();
    let text = text.map_err(|error| Refused::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?;
    Ok(([(CONTENT_TYPE, metrics::CONTENT_TYPE)], text).into_response())
}

async fn reset(State(core): State<Arc<Core>>) -> Response {
    core.reset();
    response::done()
}

/// An instant in answers of the control interface.
fn time(at: SystemTime) -> Value {
    XTimestamp::new(at).as_str().into()
}
