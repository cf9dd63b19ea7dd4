//! Adds applications, and sets where their callbacks are posted.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json as value;
use sinch_verify_protocol::ApplicationKey;

use super::response::{Answer, Body, Refused, done, json, read_body};
use crate::application::{CallbackAuth, CallbackUrl};
use crate::control_error::ControlError;
use crate::core::Core;
use crate::test_application::TestApplication;

/// Adds an application with a key and a secret of its own.
pub(super) async fn add(State(core): State<Arc<Core>>) -> Response {
    let own = TestApplication::add(&core);
    json(&value!({"url": own.url(), "key": own.key(), "secret": own.secret()}))
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Target {
    // Required, even if `null`: an empty body must not remove the URL.
    #[serde(deserialize_with = "Option::deserialize")]
    url: Option<String>,
    /// Unchanged if left out.
    auth: Option<CallbackAuth>,
}

impl Body for Target {
    const EXAMPLE: &'static str = r#"{"url":"http://127.0.0.1:8000/callback"}"#;
}

/// Sets the callback URL of an application, and how its callbacks are authorized.
pub(super) async fn set_callback(
    State(core): State<Arc<Core>>,
    Path(key): Path<String>,
    body: Bytes,
) -> Answer {
    let key = ApplicationKey::new(&key).map_err(|error| Refused::bad(error.to_string()))?;
    let target: Target = read_body(&body)?;
    let url = target.url.as_deref().map(str::parse::<CallbackUrl>);
    let url = url.transpose().map_err(|error| Refused::field("url", error))?;
    let set = core.set_callback_url(&key, url).and_then(|()| match target.auth {
        Some(auth) => core.set_callback_auth(&key, auth),
        None => Ok(()),
    });
    match set {
        Ok(()) => Ok(done()),
        Err(error @ ControlError::UnknownApplication(_)) => {
            Err(Refused::failed(StatusCode::NOT_FOUND, &error))
        }
        Err(error) => Err(Refused::failed(StatusCode::BAD_REQUEST, &error)),
    }
}
