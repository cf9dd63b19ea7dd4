//! Service time.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use sinch_verify_protocol::timestamp::XTimestamp;

use super::respond::{Answer, Refused, json, read_body};
use crate::core::Core;
use crate::span;

/// Ten years: a slip of the finger must not take the clock to its end for good.
const LONGEST_ADVANCE: Duration = Duration::from_secs(3650 * 86_400);

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

pub(super) async fn clock(State(core): State<Arc<Core>>) -> Response {
    let clock = core.clock();
    let ahead = clock.ahead();
    let (service, wire) = clock.both();
    json(&Times {
        service: XTimestamp::new(service).as_str().to_owned(),
        wire: XTimestamp::new(wire).as_str().to_owned(),
        ahead_ms: ahead.map(|ahead| u64::try_from(ahead.as_millis()).unwrap_or(u64::MAX)),
        manual: ahead.is_none(),
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    advance: String,
}

pub(super) async fn advance(State(core): State<Arc<Core>>, body: Bytes) -> Answer {
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
