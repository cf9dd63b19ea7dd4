//! What handsets do by themselves.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use sinch_verify_protocol::{ApplicationKey, PhoneNumber};

use super::respond::{Answer, Refused, done, read_body};
use crate::core::Core;
use crate::policy::{Policy, Scope};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PolicyBody {
    number: Option<PhoneNumber>,
    prefix: Option<String>,
    application: Option<String>,
    policy: Policy,
}

pub(super) async fn set(State(core): State<Arc<Core>>, body: Bytes) -> Answer {
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
    Ok(done())
}

pub(super) async fn clear(State(core): State<Arc<Core>>) -> Response {
    core.clear_policies();
    done()
}
