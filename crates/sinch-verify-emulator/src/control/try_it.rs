//! Requests that the emulator sends to its own API, as an application's backend would.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Path, State};
use http::header::HOST;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json as value};
use sinch_verify_protocol::method::MethodInfo;
use sinch_verify_protocol::report::{ReportRequest, Target};
use sinch_verify_protocol::{
    AcceptLanguage, Credentials, Custom, Endpoint as _, Method, PhoneNumber, Reference, Report, Start,
    WireObject as _,
};
use tokio::sync::Notify;

use super::response::{Answer, Body, Refused, json, read_body};
use super::snippet;
use crate::api;
use crate::core::{Core, Registered};
use crate::engine::Uid;

/// The longest wait for an answer. Some faults and one magic number never answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(15);

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct TryRequest {
    /// The key of the application; the first application if left out.
    application: Option<String>,
    method: String,
    #[schemars(with = "String")]
    number: PhoneNumber,
    reference: Option<String>,
    custom: Option<String>,
    accept_language: Option<String>,
}

impl Body for TryRequest {
    const EXAMPLE: &'static str = r#"{"method":"sms","number":"+46700000001"}"#;
}

/// Starts a verification with a signed request, and shows the request and the answer.
pub(super) async fn start(State(core): State<Arc<Core>>, headers: HeaderMap, body: Bytes) -> Answer {
    let wanted: TryRequest = read_body(&body)?;
    let own = match &wanted.application {
        None => core.registry.all().into_iter().next(),
        Some(key) => core.registry.find(key).and_then(|app| core.registry.get(app)),
    };
    let own = own.ok_or_else(|| {
        let problem = "the emulator has no application with this key; GET /_emu/info lists them";
        Refused::field("application", problem)
    })?;
    let method = Method::from(wanted.method.as_str());
    let info = method
        .info()
        .ok_or_else(|| Refused::field("method", MethodInfo::must_be(|_| true)))?;
    let mut request = start_request(&core, Start::by(info, wanted.number), &wanted)?;
    // Links in the answer use the host by which the emulator is reached.
    if let Some(host) = headers.get(HOST) {
        request.headers_mut().insert(HOST, host.clone());
    }
    send(&core, &own, request).await
}

/// Sends a signed report, whose body is that of the API. For applications that do not accept reports
/// from a device, which has no secret.
pub(super) async fn report(State(core): State<Arc<Core>>, Path(id): Path<String>, body: Bytes) -> Answer {
    let found = Uid::parse(&id).and_then(|uid| core.with_engine(|engine| engine.overview(uid)));
    let own = found.as_ref().and_then(|found| core.registry.get(found.app));
    let (Some(found), Some(own)) = (found, own) else {
        return Err(Refused::not_found(format!(
            "there is no verification {id:?}, or it is no longer kept"
        )));
    };
    let bad = |error: &dyn std::fmt::Display| Refused::bad(error.to_string());
    let report = ReportRequest::decode(&body).map_err(|error| bad(&error))?;
    let (id, base) = (found.uid.to_id(), core.base());
    let proof = report.require_proof().map_err(|error| bad(&error))?;
    let request = Report::new(Target::Id(id), &report.method, proof).map_err(|error| bad(&error))?;
    send(&core, &own, request.to_http(base).map_err(|error| bad(&error))?).await
}

/// Sends a signed request to the API, and shows the request and the answer.
async fn send(core: &Core, own: &Registered, mut request: Request<Bytes>) -> Answer {
    let credentials = Credentials::signed(own.signer.key().clone(), own.secret.clone());
    credentials
        .authorize(&mut request, core.clock().wire())
        .map_err(|error| Refused::bad(error.to_string()))?;
    let route = api::route(&request);
    let target = request.uri().path().to_owned();
    let call = snippet::Call {
        base: core.base(),
        verb: request.method().clone(),
        target,
        public_key: None,
        headers: request.headers(),
        body: request.body(),
    };
    let mut shown = value!({});
    for (language, code) in call.all(route.as_ref().ok()) {
        shown[language] = code.into();
    }
    let broken = Arc::new(Notify::new());
    let reset = api::Reset(Arc::clone(&broken));
    let answer = api::exchange(core, route, request.map(Full::new), Some(&reset));
    let answer = tokio::select! {
        answer = tokio::time::timeout(ANSWER_TIMEOUT, answer) => answer,
        () = broken.notified() => {
            let error = "no answer: a fault rule reset the connection";
            return Err(Refused::new(StatusCode::BAD_GATEWAY, error));
        }
    };
    let (response, seq) = answer.map_err(|_| {
        let error = format!("no answer within {} s", ANSWER_TIMEOUT.as_secs());
        Refused::new(StatusCode::GATEWAY_TIMEOUT, error)
    })?;
    let (head, body) = response.into_parts();
    let body = body.collect().await;
    let body = body.map_or_else(|_| Bytes::new(), http_body_util::Collected::to_bytes);
    shown["status"] = head.status.as_u16().into();
    shown["response"] = serde_json::from_slice(&body)
        .unwrap_or_else(|_| Value::from(String::from_utf8_lossy(&body).into_owned()));
    if let Some(seq) = seq {
        shown["request"] = seq.into();
    }
    Ok(json(&shown))
}

/// The unsigned start request.
fn start_request(core: &Core, mut start: Start, wanted: &TryRequest) -> Result<Request<Bytes>, Refused> {
    if let Some(reference) = &wanted.reference {
        let reference = Reference::new(reference);
        start = start.reference(reference.map_err(|error| Refused::field("reference", error))?);
    }
    if let Some(custom) = &wanted.custom {
        start = start.custom(Custom::new(custom).map_err(|error| Refused::field("custom", error))?);
    }
    if let Some(languages) = &wanted.accept_language {
        let languages = languages.parse::<AcceptLanguage>();
        start = start.languages(languages.map_err(|error| Refused::field("acceptLanguage", error))?);
    }
    let request = start.to_http(core.base());
    request.map_err(|error| Refused::bad(error.to_string()))
}
