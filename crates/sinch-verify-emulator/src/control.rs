//! The control interface under `/_emu`, probes, and the index.

mod guard;
mod span;

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderValue};
use serde::{Deserialize, Serialize};
use sinch_verify_protocol::PhoneNumber;
use sinch_verify_protocol::timestamp::XTimestamp;

use crate::api::refusal_response;
use crate::core::Core;
use crate::delivery::Delivery;
use crate::emulator::ControlError;
use crate::engine::{Answer, Command, SEAMLESS, Uid};
use crate::message::Message;

/// All routes but those of the API.
pub(crate) fn routes(core: Arc<Core>) -> Router {
    let control = Router::new()
        .route("/_emu/numbers/{number}/messages", get(messages))
        .route("/_emu/numbers/{number}/keypad", post(keypad))
        .route("/_emu/clock", get(clock).post(advance))
        .route("/_emu/reset", post(reset))
        .route("/_emu/deliveries", get(deliveries))
        .layer(axum::middleware::from_fn(guard::own_origin));
    Router::new()
        .route("/", get(index))
        .route("/livez", get(alive))
        .route("/readyz", get(alive))
        // Fetched by devices, and so not guarded.
        .route(&format!("{SEAMLESS}{{token}}"), get(seamless))
        .merge(control)
        .with_state(core)
}

const INDEX: &str = "\
Emulator of the Sinch Verification service. Not the real service, not affiliated with Sinch.

API           /verification/v1/verifications
messages      GET  /_emu/numbers/{number}/messages
press keys    POST /_emu/numbers/{number}/keypad   {\"digits\":\"1\"}
clock         GET  /_emu/clock
move clock    POST /_emu/clock                     {\"advance\":\"5m\"}
callbacks     GET  /_emu/deliveries
start over    POST /_emu/reset
probes        GET  /livez, GET /readyz
";

async fn index() -> &'static str {
    INDEX
}

async fn alive() -> &'static str {
    "ok\n"
}

#[derive(Serialize)]
struct Messages {
    messages: Vec<Message>,
}

async fn messages(State(core): State<Arc<Core>>, Path(number): Path<String>) -> Response {
    match read_number(&number) {
        Ok(number) => json(&Messages {
            messages: core.inbox(&number),
        }),
        Err(refusal) => refusal,
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    digits: String,
}

async fn keypad(State(core): State<Arc<Core>>, Path(number): Path<String>, body: Bytes) -> Response {
    let number = match read_number(&number) {
        Ok(number) => number,
        Err(refusal) => return refusal,
    };
    let keys: Keys = match read_body(&body, r#"{"digits":"1"}"#) {
        Ok(keys) => keys,
        Err(refusal) => return refusal,
    };
    match core.press_keypad(&number, &keys.digits) {
        Ok(verification) => json(&verification),
        Err(error @ ControlError::NoCallout) => refuse(StatusCode::NOT_FOUND, &error.to_string()),
        Err(error) => refuse(StatusCode::BAD_REQUEST, &error.to_string()),
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Times {
    /// What verifications live by.
    service: String,
    /// The wall clock.
    wire: String,
    /// Milliseconds between the two; left out for a clock that stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    ahead_ms: Option<u64>,
    /// Whether service time stands until it is moved.
    manual: bool,
}

async fn clock(State(core): State<Arc<Core>>) -> Response {
    let clock = core.clock();
    let ahead = clock.ahead();
    json(&Times {
        service: XTimestamp::new(clock.service()).as_str().to_owned(),
        wire: XTimestamp::new(clock.wire()).as_str().to_owned(),
        ahead_ms: ahead.map(|ahead| u64::try_from(ahead.as_millis()).unwrap_or(u64::MAX)),
        manual: ahead.is_none(),
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    advance: String,
}

async fn advance(State(core): State<Arc<Core>>, body: Bytes) -> Response {
    let wanted: Advance = match read_body(&body, r#"{"advance":"5m"}"#) {
        Ok(wanted) => wanted,
        Err(refusal) => return refusal,
    };
    match span::parse(&wanted.advance) {
        Some(by) => {
            core.advance(by);
            clock(State(core)).await
        }
        None => refuse(
            StatusCode::BAD_REQUEST,
            "advance is not a span such as 250ms, 90s, 5m, 1h or 1h30m",
        ),
    }
}

async fn reset(State(core): State<Arc<Core>>) -> Response {
    core.reset();
    json(&serde_json::Map::new())
}

#[derive(Serialize)]
struct Deliveries {
    deliveries: Vec<Delivery>,
}

async fn deliveries(State(core): State<Arc<Core>>) -> Response {
    json(&Deliveries {
        deliveries: core.deliveries(),
    })
}

/// The address of a data verification: fetching it is the proof.
async fn seamless(State(core): State<Arc<Core>>, Path(token): Path<String>) -> Response {
    let link = token
        .split_once('.')
        .and_then(|(uid, secret)| Some((Uid::parse(uid)?, u64::from_str_radix(secret, 16).ok()?)));
    // An address that was never given out belongs to no verification.
    let (uid, secret) = link.unwrap_or_default();
    match core.run(Command::Follow { uid, secret }) {
        Answer::Verification(verification) => verification.to_http_response().map(axum::body::Body::from),
        Answer::Refused(refusal) => refusal_response(&core, refusal),
        _ => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// Reads a number in a path, with or without its `+`, which shells and URLs make hard to type.
fn read_number(text: &str) -> Result<PhoneNumber, Response> {
    let text = text.trim_start_matches([' ', '+']);
    format!("+{text}")
        .parse()
        .map_err(|error: sinch_verify_protocol::phone_number::PhoneNumberError| {
            refuse(StatusCode::BAD_REQUEST, &error.to_string())
        })
}

fn read_body<T: for<'de> Deserialize<'de>>(body: &Bytes, example: &str) -> Result<T, Response> {
    serde_json::from_slice(body).map_err(|error| {
        refuse(
            StatusCode::BAD_REQUEST,
            &format!("body is not JSON such as {example}: {error}"),
        )
    })
}

#[derive(Serialize)]
struct Refused<'a> {
    error: &'a str,
}

pub(super) fn refuse(status: StatusCode, error: &str) -> Response {
    let mut response = json(&Refused { error });
    *response.status_mut() = status;
    response
}

fn json<T: Serialize>(value: &T) -> Response {
    match serde_json::to_vec(value) {
        Ok(body) => {
            let mut response = body.into_response();
            response.headers_mut().insert(
                CONTENT_TYPE,
                HeaderValue::from_static("application/json; charset=utf-8"),
            );
            response
        }
        // Our own types always encode; if one ever does not, the caller must not hang.
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
