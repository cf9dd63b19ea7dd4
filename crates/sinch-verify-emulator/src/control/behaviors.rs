//! Lists, sets and removes handset behaviors.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use http::{StatusCode, Uri};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json as value;
use sinch_verify_protocol::{ApplicationKey, PhoneNumber};

use super::query::Query;
use super::response::{Answer, Body, Refused, done, json, read_body};
use crate::core::Core;
use crate::engine::{BehaviorScope, Engine};
use crate::handset_behavior::{HandsetBehavior, Scope};

/// Lists all handset behaviors, the widest scope last.
pub(super) async fn list(State(core): State<Arc<Core>>) -> Response {
    let behaviors = core.with_engine(Engine::behaviors);
    let behaviors: Vec<_> = behaviors
        .iter()
        .map(|(scope, behavior)| {
            let mut view = value!({"behavior": behavior});
            match scope {
                BehaviorScope::Number(number) => view["number"] = value!(number),
                BehaviorScope::Prefix(prefix) => view["prefix"] = value!(prefix),
                BehaviorScope::Application(app) => {
                    view["application"] = value!(core.registry.key_of(*app));
                }
                BehaviorScope::Everyone => view["everyone"] = true.into(),
            }
            view
        })
        .collect();
    json(&value!({"behaviors": behaviors}))
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct BehaviorBody {
    #[schemars(with = "Option<String>")]
    number: Option<PhoneNumber>,
    prefix: Option<String>,
    application: Option<String>,
    everyone: Option<bool>,
    behavior: HandsetBehavior,
}

impl Body for BehaviorBody {
    const EXAMPLE: &'static str = r#"{"prefix":"+46","behavior":{"do":"report","after":"2s"}}"#;
}

pub(super) async fn set(State(core): State<Arc<Core>>, body: Bytes) -> Answer {
    let wanted: BehaviorBody = read_body(&body)?;
    if wanted.everyone == Some(false) {
        return Err(Refused::bad(
            "everyone must be true; leave it out to use number, prefix or application",
        ));
    }
    let everyone = wanted.everyone.unwrap_or_default();
    let scope = scope(
        wanted.number,
        wanted.prefix,
        wanted.application.as_deref(),
        everyone,
    )?;
    core.set_handset_behavior(scope.unwrap_or(Scope::Everyone), wanted.behavior)
        .map_err(|error| Refused::failed(StatusCode::BAD_REQUEST, &error))?;
    Ok(done())
}

/// Removes the handset behavior of one scope, or all of them.
pub(super) async fn clear(State(core): State<Arc<Core>>, uri: Uri) -> Answer {
    let query = Query::of(&uri, &["number", "prefix", "application", "everyone"])?;
    let number = query.number("number")?;
    let prefix = query.text("prefix").map(str::to_owned);
    let everyone = query.text("everyone") == Some("true");
    match scope(number, prefix, query.text("application"), everyone)? {
        // A parameter left empty by mistake in a script must not remove all behaviors.
        None if uri.query().is_some_and(|query| !query.is_empty()) => {
            return Err(Refused::bad(
                "the query names no scope; give number, prefix or application a value, or everyone=true; without a query \
                 all behaviors are removed",
            ));
        }
        None => core.clear_handset_behaviors(),
        Some(scope) => core
            .remove_handset_behavior(scope)
            .map_err(|error| Refused::failed(StatusCode::BAD_REQUEST, &error))?,
    }
    Ok(done())
}

/// The scope that the request names, if any.
fn scope(
    number: Option<PhoneNumber>,
    prefix: Option<String>,
    application: Option<&str>,
    everyone: bool,
) -> Result<Option<Scope>, Refused> {
    Ok(Some(match (number, prefix, application, everyone) {
        (Some(number), None, None, false) => Scope::Number(number),
        (None, Some(prefix), None, false) => Scope::Prefix(prefix),
        (None, None, Some(key), false) => {
            let key = ApplicationKey::new(key);
            Scope::Application(key.map_err(|error| Refused::bad(format!("application: {error}")))?)
        }
        (None, None, None, true) => Scope::Everyone,
        (None, None, None, false) => return Ok(None),
        _ => {
            return Err(Refused::bad(
                "more than one scope is given; use only one of number, prefix, application and everyone",
            ));
        }
    }))
}
