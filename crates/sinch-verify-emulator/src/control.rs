//! The control interface under `/_emu`, probes, and the index.

mod feed;
mod guard;

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderValue};
use serde::{Deserialize, Serialize};
use sinch_verify_protocol::timestamp::XTimestamp;
use sinch_verify_protocol::{ApplicationKey, PhoneNumber};

use crate::api::refusal_response;
use crate::core::Core;
use crate::delivery::Delivery;
use crate::emulator::ControlError;
use crate::engine::{self, Command, SEAMLESS, Uid};
use crate::fault::{ActiveFault, FaultRule};
use crate::magic::MagicNumber;
use crate::message::Message;
use crate::policy::{Policy, Scope};
use crate::span;

/// All routes but those of the API.
pub(crate) fn routes(core: Arc<Core>) -> Router {
    let control = Router::new()
        .route("/_emu/numbers/{number}/messages", get(messages))
        .route("/_emu/numbers/{number}/keypad", post(keypad))
        .route("/_emu/clock", get(clock).post(advance))
        .route("/_emu/reset", post(reset))
        .route("/_emu/deliveries", get(deliveries))
        .route("/_emu/deliveries/{seq}/replay", post(replay))
        .route("/_emu/numbers", get(magic_numbers))
        .route("/_emu/policies", post(set_policy).delete(clear_policies))
        .route("/_emu/faults", get(faults).post(add_fault).delete(clear_faults))
        .route("/_emu/faults/{id}", delete(remove_fault))
        .route("/_emu/events", get(feed::events))
        .route("/_emu/messages/wait", get(feed::wait))
        .layer(axum::middleware::from_fn(guard::own_origin));
    Router::new()
        .route("/", get(index))
        .route("/livez", get(alive))
        .route("/readyz", get(alive))
        // Fetched by devices, and so not guarded. HEAD is what proxies and link checkers send: to
        // axum it would be a GET, and verify the number.
        .route(
            &format!("{SEAMLESS}{{token}}"),
            get(seamless).head(|| async { StatusCode::METHOD_NOT_ALLOWED }),
        )
        .merge(control)
        .with_state(core)
}

const INDEX: &str = "\
Emulator of the Sinch Verification service. Not the real service, not affiliated with Sinch.

API           /verification/v1/verifications
messages      GET  /_emu/numbers/{number}/messages
next message  GET  /_emu/messages/wait?to=+46700000001&after=0&timeout=10s
press keys    POST /_emu/numbers/{number}/keypad   {\"digits\":\"1\"}
clock         GET  /_emu/clock
faults        GET, POST, DELETE /_emu/faults, DELETE /_emu/faults/{id}
move clock    POST /_emu/clock                     {\"advance\":\"5m\"}
callbacks     GET  /_emu/deliveries
send again    POST /_emu/deliveries/{seq}/replay
events        GET  /_emu/events                    server-sent, resumed by Last-Event-ID
magic numbers GET  /_emu/numbers
policies      POST /_emu/policies                  {\"prefix\":\"+46\",\"policy\":{\"do\":\"report\",\"after\":\"2s\"}}
              DELETE /_emu/policies
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

async fn messages(State(core): State<Arc<Core>>, Path(number): Path<String>) -> Answer {
    let number = read_number(&number)?;
    Ok(json(&Messages {
        messages: core.inbox(&number),
    }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    digits: String,
}

async fn keypad(State(core): State<Arc<Core>>, Path(number): Path<String>, body: Bytes) -> Answer {
    let number = read_number(&number)?;
    let keys: Keys = read_body(&body, r#"{"digits":"1"}"#)?;
    match core.press_keypad(&number, &keys.digits) {
        Ok(verification) => Ok(json(&verification)),
        Err(error) => Err(Refused {
            status: match error {
                ControlError::NoCallout => StatusCode::NOT_FOUND,
                _ => StatusCode::BAD_REQUEST,
            },
            error: error.to_string(),
        }),
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

/// Ten years: a slip of the finger must not take the clock to its end for good.
const LONGEST_ADVANCE: std::time::Duration = std::time::Duration::from_secs(3650 * 86_400);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    advance: String,
}

async fn advance(State(core): State<Arc<Core>>, body: Bytes) -> Answer {
    let wanted: Advance = read_body(&body, r#"{"advance":"5m"}"#)?;
    let by = span::parse(&wanted.advance)
        .ok_or_else(|| Refused::bad("advance is not a span such as 250ms, 90s, 5m, 1h or 1h30m"))?;
    if by > LONGEST_ADVANCE {
        return Err(Refused::bad(
            "advance is longer than 3650d: the clock cannot be moved back",
        ));
    }
    core.advance(by);
    Ok(clock(State(core)).await)
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

async fn replay(State(core): State<Arc<Core>>, Path(seq): Path<u64>) -> Answer {
    match core.replay(seq).await {
        Some(delivery) => Ok(json(&delivery)),
        None => Err(Refused {
            status: StatusCode::NOT_FOUND,
            error: format!("delivery {seq} is not known, or its application has no callback URL"),
        }),
    }
}

#[derive(Serialize)]
struct Numbers {
    numbers: Vec<MagicNumber>,
}

async fn magic_numbers() -> Response {
    json(&Numbers {
        numbers: MagicNumber::all(),
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PolicyBody {
    number: Option<PhoneNumber>,
    prefix: Option<String>,
    application: Option<String>,
    policy: Policy,
}

async fn set_policy(State(core): State<Arc<Core>>, body: Bytes) -> Answer {
    let wanted: PolicyBody = read_body(&body, r#"{"prefix":"+46","policy":{"do":"report","after":"2s"}}"#)?;
    let scope = match (wanted.number, wanted.prefix, wanted.application) {
        (Some(number), None, None) => Scope::Number(number),
        (None, Some(prefix), None) => Scope::Prefix(prefix),
        (None, None, Some(key)) => {
            let key = ApplicationKey::new(&key);
            Scope::Application(key.map_err(|error| Refused::bad(format!("application: {error}")))?)
        }
        (None, None, None) => Scope::Everyone,
        _ => {
            return Err(Refused::bad(
                "name one of number, prefix and application, or none for everyone",
            ));
        }
    };
    core.set_policy(scope, wanted.policy)
        .map_err(|error| Refused::bad(error.to_string()))?;
    Ok(json(&serde_json::Map::new()))
}

#[derive(Serialize)]
struct Faults {
    faults: Vec<ActiveFault>,
}

async fn faults(State(core): State<Arc<Core>>) -> Response {
    json(&Faults {
        faults: core.faults.list(),
    })
}

#[derive(Serialize)]
struct Added {
    id: u64,
}

async fn add_fault(State(core): State<Arc<Core>>, body: Bytes) -> Answer {
    let rule: FaultRule = read_body(
        &body,
        r#"{"on":"api","operation":"report","fault":{"kind":"reset"}}"#,
    )?;
    let id = core.faults.add(rule).map_err(Refused::bad)?;
    Ok(json(&Added { id }))
}

async fn remove_fault(State(core): State<Arc<Core>>, Path(id): Path<u64>) -> Answer {
    if core.faults.remove(id) {
        Ok(json(&serde_json::Map::new()))
    } else {
        Err(Refused {
            status: StatusCode::NOT_FOUND,
            error: format!("no fault has the id {id}"),
        })
    }
}

async fn clear_faults(State(core): State<Arc<Core>>) -> Response {
    core.faults.clear();
    json(&serde_json::Map::new())
}

async fn clear_policies(State(core): State<Arc<Core>>) -> Response {
    core.clear_policies();
    json(&serde_json::Map::new())
}

/// The address of a data verification: fetching it is the proof.
async fn seamless(State(core): State<Arc<Core>>, Path(token): Path<String>) -> Response {
    let link = token
        .split_once('.')
        .and_then(|(uid, secret)| Some((Uid::parse(uid)?, u64::from_str_radix(secret, 16).ok()?)));
    // An address that was never given out belongs to no verification.
    let (uid, secret) = link.unwrap_or_default();
    match core.run(Command::Follow { uid, secret }) {
        engine::Answer::Verification(verification) => {
            verification.to_http_response().map(axum::body::Body::from)
        }
        engine::Answer::Refused(refusal) => refusal_response(&core, refusal),
        _ => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// Reads a number in a path, with or without its `+`, which shells and URLs make hard to type.
fn read_number(text: &str) -> Result<PhoneNumber, Refused> {
    let text = text.trim_start_matches([' ', '+']);
    PhoneNumber::parse(&format!("+{text}")).map_err(|error| Refused::bad(error.to_string()))
}

fn read_body<T: for<'de> Deserialize<'de>>(body: &Bytes, example: &str) -> Result<T, Refused> {
    serde_json::from_slice(body)
        .map_err(|error| Refused::bad(format!("body is not JSON such as {example}: {error}")))
}

type Answer = Result<Response, Refused>;

/// A request that was not carried out.
pub(super) struct Refused {
    status: StatusCode,
    error: String,
}

impl Refused {
    fn bad(error: impl Into<String>) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            error: error.into(),
        }
    }

    fn forbidden(error: &str) -> Self {
        Self {
            status: StatusCode::FORBIDDEN,
            error: error.to_owned(),
        }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        #[derive(Serialize)]
        struct Body {
            error: String,
        }
        let mut response = json(&Body { error: self.error });
        *response.status_mut() = self.status;
        response
    }
}

fn json<T: Serialize>(value: &T) -> Response {
    match serde_json::to_vec(value) {
        Ok(body) => {
            let json = HeaderValue::from_static("application/json; charset=utf-8");
            let mut response = body.into_response();
            response.headers_mut().insert(CONTENT_TYPE, json);
            response
        }
        // Our own types always encode; if one ever does not, the caller must not hang.
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
