//! Reads and changes service time.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json as value;
use sinch_verify_protocol::duration;

use super::response::{Answer, Body, Refused, json, read_body};
use super::time;
use crate::core::{ClockChange, Core};
use crate::engine::Engine;

/// Ten years. The clock cannot be moved back, so a typing error must not move it to its end.
const LONGEST_ADVANCE: Duration = Duration::from_secs(3650 * 86_400);

pub(super) async fn clock(State(core): State<Arc<Core>>) -> Response {
    let (service, wire) = core.clock().both();
    let is_running = core.clock().is_running();
    let mut times = value!({
        // Service time, which decides when verifications expire.
        "service": time(service),
        // The wall clock.
        "wire": time(wire),
        // Whether service time is paused and moves only on request.
        "manual": !is_running,
    });
    if is_running {
        times["aheadMs"] = ahead(service, wire).into();
    }
    let expiry = core.with_engine(Engine::next_expiry);
    for (name, at) in [("nextDeadline", core.next_deadline()), ("nextExpiry", expiry)] {
        if let Some(at) = at {
            times[name] = time(at);
        }
    }
    json(&times)
}

/// Milliseconds from `wire` to `service`.
fn ahead(service: SystemTime, wire: SystemTime) -> i64 {
    let millis = |by: Duration| i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
    match service.duration_since(wire) {
        Ok(ahead) => millis(ahead),
        Err(behind) => -millis(behind.duration()),
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ClockRequest {
    advance: Option<String>,
    pause: Option<bool>,
    to: Option<MoveTarget>,
}

impl Body for ClockRequest {
    const EXAMPLE: &'static str = r#"{"advance":"5m"}"#;
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum MoveTarget {
    Next,
    NextExpiry,
}

pub(super) async fn change(State(core): State<Arc<Core>>, body: Bytes) -> Answer {
    let wanted: ClockRequest = read_body(&body)?;
    let change = match (wanted.advance, wanted.pause, wanted.to) {
        (Some(text), None, None) => ClockChange::By(advance(&text)?),
        (None, Some(pause), None) => ClockChange::Pause(pause),
        (None, None, Some(MoveTarget::Next)) => ClockChange::ToNextDue,
        (None, None, Some(MoveTarget::NextExpiry)) => ClockChange::ToNextExpiry,
        _ => return Err(Refused::bad("give exactly one of advance, pause and to")),
    };
    if !core.change_clock_yielding(change).await {
        return Err(Refused::new(
            StatusCode::CONFLICT,
            "nothing is due, so the clock was not moved; start a verification, or use advance",
        ));
    }
    Ok(clock(State(core)).await)
}

fn advance(text: &str) -> Result<Duration, Refused> {
    let by = duration::parse(text).map_err(|error| Refused::bad(format!("advance {error}")))?;
    if by > LONGEST_ADVANCE {
        return Err(Refused::bad(
            "advance must be at most 3650d, because the clock cannot be moved back",
        ));
    }
    Ok(by)
}
