//! A start that the emulator makes itself, as an application's backend would.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State;
use http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use serde::Deserialize;
use serde_json::{Value, json as value};
use sinch_verify_protocol::method::VerifyMethod;
use sinch_verify_protocol::server::Route;
use sinch_verify_protocol::{
    AcceptLanguage, Credentials, Custom, Endpoint as _, Method, PhoneNumber, Reference, Start,
};

use super::respond::{Answer, Refused, json, read_body};
use super::snippet;
use crate::api;
use crate::core::{Core, Registered};

/// How long an answer is awaited: some faults, and one magic number, never answer.
const PATIENCE: Duration = Duration::from_secs(15);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Wanted {
    /// The first one, when it is left out.
    application: Option<String>,
    method: String,
    number: PhoneNumber,
    reference: Option<String>,
    custom: Option<String>,
    accept_language: Option<String>,
}

/// Starts a verification through the API, signed, and shows how it is done.
pub(super) async fn start(State(core): State<Arc<Core>>, body: Bytes) -> Answer {
    let wanted: Wanted = read_body(&body, r#"{"method":"sms","number":"+46700000001"}"#)?;
    let own = match &wanted.application {
        None => core.applications().next().map(|(_, own)| own),
        Some(key) => core.find(key).and_then(|app| core.application(app)),
    };
    let own = own.ok_or_else(|| Refused::bad("no application of this emulator has this key"))?;
    let request = match Method::from(wanted.method.as_str()) {
        Method::Sms => signed(&core, own, Start::sms(wanted.number), &wanted),
        Method::FlashCall => signed(&core, own, Start::flash_call(wanted.number), &wanted),
        Method::Callout => signed(&core, own, Start::callout(wanted.number), &wanted),
        Method::Seamless => signed(&core, own, Start::seamless(wanted.number), &wanted),
        Method::WhatsApp => signed(&core, own, Start::whatsapp(wanted.number), &wanted),
        Method::Auto => signed(&core, own, Start::auto(wanted.number), &wanted),
        _ => {
            return Err(Refused::bad(
                "method must be sms, flashcall, callout, seamless, whatsapp or auto",
            ));
        }
    }?;
    let target = request.uri().path().to_owned();
    let call = snippet::Call {
        base: core.base(),
        verb: request.method().clone(),
        target,
        public_key: None,
        headers: request.headers(),
        body: request.body(),
    };
    let mut shown = value!({"curl": call.curl(), "rust": call.rust(&Route::Start)});
    let answer = tokio::time::timeout(PATIENCE, api::exchange(&core, request.map(Body::from)));
    let (response, seq) = answer.await.map_err(|_| {
        let error = format!("no answer within {} s", PATIENCE.as_secs());
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

fn signed<M: VerifyMethod>(
    core: &Core,
    own: &Registered,
    mut start: Start<M>,
    wanted: &Wanted,
) -> Result<Request<Bytes>, Refused> {
    let bad = |field: &str, problem: &dyn std::fmt::Display| Refused::bad(format!("{field}: {problem}"));
    if let Some(reference) = &wanted.reference {
        let reference = Reference::new(reference);
        start = start.reference(reference.map_err(|error| bad("reference", &error))?);
    }
    if let Some(custom) = &wanted.custom {
        start = start.custom(Custom::new(custom).map_err(|error| bad("custom", &error))?);
    }
    if let Some(languages) = &wanted.accept_language {
        let languages = languages.parse::<AcceptLanguage>();
        start = start.languages(languages.map_err(|error| bad("acceptLanguage", &error))?);
    }
    let request = start.to_http(core.base());
    let mut request = request.map_err(|error| Refused::bad(error.to_string()))?;
    let credentials = Credentials::signed(own.signer.key().clone(), own.secret.clone());
    credentials
        .authorize(&mut request, core.clock().wire())
        .map_err(|error| Refused::bad(error.to_string()))?;
    Ok(request)
}
