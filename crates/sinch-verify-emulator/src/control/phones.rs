//! Handsets: reads their messages, presses their keys, ends their calls.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use http::{StatusCode, Uri};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json as value;
use sinch_verify_protocol::VerificationId;

use super::query::{Query, list};
use super::response::{Answer, Body, Refused, json, read_body, read_number};
use crate::control_error::ControlError;
use crate::core::Core;
use crate::engine::Phone;
use crate::magic::MagicNumber;

/// The longest wait for a message; a longer `timeout` is shortened to this.
const LONGEST_WAIT: std::time::Duration = std::time::Duration::from_secs(300);

/// Lists phones, the one with the latest message first. With `text`, those whose number or latest code
/// contains it.
pub(super) async fn phones(State(core): State<Arc<Core>>, uri: Uri) -> Answer {
    let query = Query::of(&uri, &["limit", "before", "text"])?;
    let page = query.page()?;
    let text = query.text("text").unwrap_or_default();
    let part = core.with_engine(|engine| engine.phones(text, page.before, page.limit));
    let phones: Vec<_> = part.items.iter().map(view).collect();
    Ok(json(&list("phones", &phones, part.next)))
}

fn view(phone: &Phone) -> serde_json::Value {
    value!({
        "number": phone.number,
        "messages": phone.messages,
        "last": phone.last,
        "status": phone.status,
        "pendingCallout": phone.pending_callout,
    })
}

/// Lists the messages and calls of one phone, newest first.
pub(super) async fn messages(State(core): State<Arc<Core>>, Path(number): Path<String>, uri: Uri) -> Answer {
    let number = read_number(&number)?;
    let query = Query::of(&uri, &["application", "limit", "before"])?;
    let page = query.page()?;
    let mut messages = core.inbox(query.application("application", &core)?, &number);
    messages.retain(|message| message.seq < page.before);
    Ok(json(&page.of("messages", messages, |message| message.seq)))
}

/// Waits for a message after number `after`, of one application or verification if given. Answers
/// 200 with the oldest one, or 204 if none arrives in time.
pub(super) async fn wait(State(core): State<Arc<Core>>, uri: Uri) -> Answer {
    let query = Query::of(&uri, &["to", "after", "application", "verification", "timeout"])?;
    let to = query.number("to")?;
    let to =
        to.ok_or_else(|| Refused::bad("to is missing; set it to the number that receives the message"))?;
    let app = query.application("application", &core)?;
    let after = query.seq("after")?.unwrap_or_default();
    let of = query.text("verification").map(VerificationId::new).transpose();
    let of = of.map_err(|error| Refused::bad(format!("verification: {error}")))?;
    let timeout = query.duration("timeout")?;
    let timeout = timeout.map_or(std::time::Duration::from_secs(10), |limit| {
        limit.min(LONGEST_WAIT)
    });
    let mut stopping = core.stopping();
    let message = tokio::select! {
        message = core.wait_message(app, &to, after, of.as_ref(), timeout) => message,
        _ = stopping.wait_for(|stop| *stop) => None,
    };
    Ok(match message {
        Some(message) => json(&message),
        None => StatusCode::NO_CONTENT.into_response(),
    })
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Keys {
    digits: String,
}

impl Body for Keys {
    const EXAMPLE: &'static str = r#"{"digits":"1"}"#;
}

pub(super) async fn keypad(
    State(core): State<Arc<Core>>,
    Path(number): Path<String>,
    uri: Uri,
    body: Bytes,
) -> Answer {
    let number = read_number(&number)?;
    let app = Query::of(&uri, &["application"])?.application("application", &core)?;
    let keys: Keys = read_body(&body)?;
    match core.press_keypad(app, &number, &keys.digits) {
        Ok(verification) => Ok(json(&verification)),
        Err(error @ ControlError::NoCallout) => Err(Refused::failed(StatusCode::NOT_FOUND, &error)),
        Err(error) => Err(Refused::failed(StatusCode::BAD_REQUEST, &error)),
    }
}

pub(super) async fn hang_up(State(core): State<Arc<Core>>, Path(number): Path<String>, uri: Uri) -> Answer {
    let number = read_number(&number)?;
    let app = Query::of(&uri, &["application"])?.application("application", &core)?;
    let hung_up = core.hang_up(app, &number);
    let verification = hung_up.map_err(|error| Refused::failed(StatusCode::NOT_FOUND, &error))?;
    Ok(json(&verification))
}

#[derive(Serialize)]
struct Numbers {
    numbers: Vec<MagicNumber>,
}

pub(super) async fn magic_numbers() -> Response {
    json(&Numbers {
        numbers: MagicNumber::all(),
    })
}
