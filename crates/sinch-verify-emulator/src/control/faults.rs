//! Lists, adds and removes fault rules.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::Response;
use serde_json::json as value;

use super::response::{Answer, Body, Refused, done, json, read_body};
use crate::core::Core;
use crate::fault::FaultRule;

impl Body for FaultRule {
    const EXAMPLE: &'static str = r#"{"on":"api","operation":"report","fault":{"kind":"reset"}}"#;
}

pub(super) async fn list(State(core): State<Arc<Core>>) -> Response {
    json(&value!({"faults": core.faults.list()}))
}

pub(super) async fn add(State(core): State<Arc<Core>>, body: Bytes) -> Answer {
    let rule: FaultRule = read_body(&body)?;
    let id = core.add_fault(rule).map_err(Refused::bad)?;
    Ok(json(&value!({"id": id})))
}

pub(super) async fn remove(State(core): State<Arc<Core>>, Path(id): Path<u64>) -> Answer {
    if core.remove_fault(id) {
        Ok(done())
    } else {
        Err(Refused::not_found(format!(
            "there is no fault {id}; GET /_emu/faults lists them"
        )))
    }
}

pub(super) async fn clear(State(core): State<Arc<Core>>) -> Response {
    core.clear_faults();
    done()
}
