//! Whether a receiver answered a callback as it should.

use bytes::Bytes;
use http::{Response, StatusCode};
use sinch_verify_protocol::callback::{DecisionBody, Event};
use sinch_verify_protocol::{Method, WireObject as _};

/// What is wrong with the answer to `event`.
pub(crate) fn answer(event: &Event, answer: &Response<Bytes>) -> Result<(), String> {
    match event {
        Event::Request(event) => decision(answer, &event.method),
        _ => acknowledged(answer),
    }
}

/// What is wrong with the answer to an event that asks nothing.
pub(crate) fn acknowledged(answer: &Response<Bytes>) -> Result<(), String> {
    if answer.status().is_success() {
        Ok(())
    } else {
        Err("not acknowledged".to_owned())
    }
}

/// What is wrong with the answer to a request event of `method`.
pub(crate) fn decision(answer: &Response<Bytes>, method: &Method) -> Result<(), String> {
    if answer.status() != StatusCode::OK {
        return Err("no decision".to_owned());
    }
    let body = DecisionBody::receive(answer.body()).map_err(|error| error.to_string())?;
    if let Some(anomaly) = body.anomalies.first() {
        return Err(anomaly.to_string());
    }
    let body = body.value;
    if body.decision(method).is_none() {
        return Err(format!("action is {}", body.action));
    }
    if let Some(in_vain) = body.set_in_vain(method) {
        return Err(in_vain);
    }
    Ok(())
}
