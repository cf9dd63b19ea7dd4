//! Lists and replays deliveries of callback events, and tests receivers.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::Response;
use http::{StatusCode, Uri};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json as value};
use sinch_verify_protocol::callback::{Decision, DecisionBody};
use sinch_verify_protocol::{Event, WireObject as _};

use super::query::Query;
use super::response::{Answer, Body, Refused, json, read_body};
use super::time;
use crate::callbacks;
use crate::control_error::ControlError;
use crate::core::{Core, Waiting};
use crate::delivery::Delivery;
use crate::replay::Replay;

/// Lists deliveries. With `run`, those of one conformance run; with `group=run`, each conformance run is
/// one item: its first check, with the counts of all its checks.
pub(super) async fn deliveries(State(core): State<Arc<Core>>, uri: Uri) -> Answer {
    let names = ["limit", "before", "verification", "application", "run", "group"];
    let query = Query::of(&uri, &names)?;
    let page = query.page()?;
    let of = query.text("verification");
    let run = query.text("run");
    let grouped = match query.text("group") {
        None => false,
        Some("run") => true,
        Some(_) => return Err(Refused::bad("group must be run")),
    };
    let wanted = query.application("application", &core)?;
    let deliveries = core.log.before(page.before, page.and_one(), |app, delivery| {
        let check = delivery.conformance.as_ref();
        of.is_none_or(|id| delivery.verification_id.as_str() == id)
            && wanted.is_none_or(|wanted| wanted == app)
            && run.is_none_or(|run| check.is_some_and(|check| check.run == run))
            && !(grouped && check.is_some_and(|check| check.number > 1))
    });
    let items = deliveries.iter().map(|delivery| {
        let mut item = delivery_view(delivery);
        if let Some(check) = delivery.conformance.as_ref().filter(|_| grouped) {
            item["checks"] = counts(&core, &check.run);
        }
        item
    });
    Ok(json(&page.of("deliveries", items.collect(), |item| {
        item["seq"].as_u64().unwrap_or_default()
    })))
}

/// How many checks of a conformance run were posted, and how many of them passed.
fn counts(core: &Core, run: &str) -> Value {
    let checks = core.log.before(u64::MAX, usize::MAX, |_, delivery| {
        delivery
            .conformance
            .as_ref()
            .is_some_and(|check| check.run == run)
    });
    let passed = checks.iter().filter(|check| check.ok).count();
    value!({"posted": checks.len(), "passed": passed})
}

/// A delivery with what its event and its answer say: number, method, and the decision or the result.
fn delivery_view(delivery: &Delivery) -> Value {
    let mut view = value!(delivery);
    // A truncated event says nothing.
    let Ok(event) = Event::decode(delivery.request.as_bytes()) else {
        return view;
    };
    if let Some(number) = event.identity().and_then(|identity| identity.phone_number().ok()) {
        view["number"] = value!(number);
    }
    if let Some(method) = event.method() {
        view["method"] = value!(method);
    }
    match &event {
        Event::Request(event) => {
            let answer = delivery
                .response
                .as_deref()
                .filter(|_| delivery.status == Some(200));
            let body = answer.and_then(|answer| DecisionBody::decode(answer.as_bytes()).ok());
            if let Some(decision) = body.and_then(|body| body.decision(&event.method)) {
                view["decision"] = if decision == Decision::Deny {
                    "deny"
                } else {
                    "allow"
                }
                .into();
            }
        }
        Event::Result(event) => view["result"] = value!(event.status),
        Event::SmsDelivered(event) => view["result"] = value!(event.sms_result),
        _ => {}
    }
    view
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReplayRequest {
    r#as: Option<String>,
}

impl Body for ReplayRequest {
    const EXAMPLE: &'static str = r#"{"as":"forged"}"#;
}

/// Posts a delivery again. The answer is one delivery, or a list if the replay posts several.
pub(super) async fn replay(State(core): State<Arc<Core>>, Path(seq): Path<u64>, body: Bytes) -> Answer {
    let how = if body.trim_ascii().is_empty() {
        ReplayRequest { r#as: None }
    } else {
        read_body(&body)?
    };
    let how = how.r#as.as_deref().map_or(Replay::Same, Replay::named);
    let posted = callbacks::replay_delivery(&core, seq, &how)
        .await
        .map_err(|error| refused(&error))?;
    let mut posted: Vec<_> = posted.iter().map(delivery_view).collect();
    match how {
        Replay::Duplicate | Replay::Reordered => Ok(json(&value!({"deliveries": posted}))),
        _ => match posted.pop() {
            Some(delivery) => Ok(json(&delivery)),
            None => Err(refused(&ControlError::NoDelivery(seq))),
        },
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ConformanceRequest {
    application: String,
}

impl Body for ConformanceRequest {
    const EXAMPLE: &'static str = r#"{"application":"KEY"}"#;
}

/// Runs the conformance checks on an application's receiver.
pub(super) async fn conformance(State(core): State<Arc<Core>>, body: Bytes) -> Answer {
    let tested: ConformanceRequest = read_body(&body)?;
    let app = core.registry.find(&tested.application);
    let app = app.ok_or_else(|| {
        Refused::not_found(
            "application: the emulator has no application with this key; GET /_emu/info lists them",
        )
    })?;
    let checks = callbacks::conform(&core, app)
        .await
        .map_err(|error| refused(&error))?;
    let ok = checks.iter().all(|check| check.ok);
    Ok(json(&value!({"ok": ok, "checks": checks})))
}

fn refused(error: &ControlError) -> Refused {
    let status = match error {
        ControlError::NoDelivery(_) => StatusCode::NOT_FOUND,
        ControlError::NoCallback => StatusCode::CONFLICT,
        ControlError::NoKit => StatusCode::NOT_IMPLEMENTED,
        _ => StatusCode::BAD_REQUEST,
    };
    Refused::failed(status, error)
}

/// Lists the events that are not delivered yet.
pub(super) async fn queue(State(core): State<Arc<Core>>) -> Response {
    let waiting = core.queue().await;
    let waiting: Vec<_> = waiting.iter().map(|waiting| view(&core, waiting)).collect();
    json(&value!({"waiting": waiting}))
}

fn view(core: &Core, waiting: &Waiting) -> Value {
    let mut view = value!({
        "event": waiting.event,
        "verificationId": waiting.uid.to_id(),
        "application": core.registry.key_of(waiting.app),
        "attempt": waiting.attempt,
        "underWay": waiting.under_way,
    });
    if let Some(url) = core.registry.callback(waiting.app) {
        view["url"] = url.to_string().into();
    }
    if let Some(at) = waiting.next_at {
        view["nextAt"] = time(at);
    }
    view
}
