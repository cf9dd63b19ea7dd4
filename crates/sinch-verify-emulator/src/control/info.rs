//! Information about this emulator.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use serde_json::{Value, json as value};
use sinch_verify_protocol::method::{Form, MethodInfo};

use super::response::json;
use super::time;
use crate::core::Core;
use crate::replay::Replay;

pub(super) async fn info(State(core): State<Arc<Core>>) -> Response {
    let applications: Vec<Value> = core
        .registry
        .all()
        .iter()
        .map(|own| {
            let mut view = value!({
                "key": own.signer.key().as_str(),
                "minimum": own.minimum.name(),
                "callbackAuth": own.callback_auth().name(),
            });
            if let Some(url) = own.callback_url() {
                view["callbackUrl"] = url.to_string().into();
            }
            view
        })
        .collect();
    let own = Replay::BUILT_IN;
    let kit = core.kit().map(|kit| kit.names()).unwrap_or_default();
    // If the kit has the name of a built-in replay, the built-in one is used.
    let more = kit
        .into_iter()
        .filter(|name| own.iter().all(|own| own.name() != *name));
    let replays: Vec<&str> = own.iter().map(Replay::name).chain(more).collect();
    let methods: Vec<Value> = MethodInfo::ALL.iter().map(|info| method(info)).collect();
    json(&value!({
        "version": env!("CARGO_PKG_VERSION"),
        // A string, because JavaScript would round the number.
        "seed": core.seed().to_string(),
        // Distinguishes a restart from a broken connection.
        "startedAt": time(core.started()),
        "strictness": core.settings().strictness.name(),
        "url": core.base().to_string(),
        "applications": applications,
        "methods": methods,
        // Whether conformance checks are available, and the names of all replays.
        "conformance": core.kit().is_some(),
        "replays": replays,
    }))
}

/// A method: the form of its messages, and the report of its proof.
fn method(info: &MethodInfo) -> Value {
    let mut view = value!({
        "method": info.name,
        "title": info.title,
        "form": match info.form {
            Form::Text => "text",
            Form::Ring => "ring",
            Form::Speech => "speech",
            Form::Address => "address",
            _ => "several",
        },
    });
    if let Some((key, field)) = info.report_field() {
        view["report"] = value!({"key": key, "field": field});
    }
    view
}
