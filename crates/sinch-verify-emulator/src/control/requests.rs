//! Lists and explains the recorded requests of the API.

use std::sync::Arc;

use axum::extract::{Path, State};
use http::Uri;
use http::header::{AUTHORIZATION, COOKIE, HeaderMap, HeaderName, PROXY_AUTHORIZATION, SET_COOKIE};
use serde_json::{Value, json as value};
use sinch_verify_protocol::server::Route;
use sinch_verify_protocol::start::StartRequest;
use sinch_verify_protocol::{ApiError, Method, PhoneNumber, WireObject as _};

use super::authorization::{AuthorizationScheme, Sender, inspect};
use super::query::Query;
use super::response::{Answer, Refused, json};
use super::{snippet, time};
use crate::core::Core;
use crate::journal::Exchange;
use crate::operation::Operation;

pub(super) async fn requests(State(core): State<Arc<Core>>, uri: Uri) -> Answer {
    let names = [
        "limit",
        "before",
        "application",
        "status",
        "operation",
        "verificationMethod",
        "number",
        "text",
    ];
    let query = Query::of(&uri, &names)?;
    let page = query.page()?;
    let app = query.application("application", &core)?;
    let status = query.seq("status")?;
    let number = query.number("number")?;
    let method = query.text("verificationMethod").map(Method::from);
    let operation = query.text("operation");
    if operation.is_some_and(|name| Operation::API.iter().all(|known| known.name() != name)) {
        let known = Operation::API.map(Operation::name).join(", ");
        return Err(Refused::bad(format!("operation must be one of {known}")));
    }
    let text = query.text("text").map(str::to_lowercase);
    let rows = core.journal.before(page.before, page.and_one(), |exchange| {
        let fits = status.is_none_or(|status| {
            exchange
                .status
                .is_some_and(|own| u64::from(own.as_u16()) == status)
        });
        if !fits {
            return None;
        }
        let sender = Sender::of(&core, &exchange.request_headers());
        if app.is_some() && sender.app != app {
            return None;
        }
        let row = row(&core, exchange, &sender);
        let fits = number.is_none_or(|number| row["number"] == number.as_str())
            && method
                .as_ref()
                .is_none_or(|method| row["verificationMethod"] == method.as_str())
            && operation.is_none_or(|operation| row["operation"] == operation)
            && text.as_ref().is_none_or(|text| contains(exchange, &row, text));
        fits.then_some(row)
    });
    let listed = page.of("requests", rows, |row| row["seq"].as_u64().unwrap_or_default());
    Ok(json(&listed))
}

/// Whether number, path, verdict or a body of an exchange contains `text`, which is in lower case. Headers
/// are left out, because they contain credentials.
fn contains(exchange: &Exchange, row: &Value, text: &str) -> bool {
    let shown = ["number", "path", "verdict"].map(|name| row[name].as_str().unwrap_or_default());
    let bodies = [&exchange.body, &exchange.answer].map(|body| String::from_utf8_lossy(body));
    let all = shown.into_iter().chain(bodies.iter().map(AsRef::as_ref));
    all.map(str::to_lowercase).any(|part| part.contains(text))
}

pub(super) async fn request(State(core): State<Arc<Core>>, Path(seq): Path<u64>) -> Answer {
    let exchange = core.journal.find(seq);
    let exchange = exchange.ok_or_else(|| {
        Refused::not_found(format!(
            "there is no request {seq}, or it is no longer kept; GET /_emu/requests lists them"
        ))
    })?;
    Ok(json(&detail(&core, &exchange)))
}

/// The summary of a request, for lists.
pub(super) fn row(core: &Core, exchange: &Exchange, sender: &Sender) -> Value {
    let target = exchange.target();
    let route = Route::parse(&exchange.verb(), target.path());
    let error = exchange
        .status
        .filter(|status| !status.is_success())
        .and_then(|_| ApiError::decode(&exchange.answer).ok());
    let verdict = match (&error, exchange.status) {
        (Some(error), _) => error.message.clone().unwrap_or_default(),
        (None, None) => "no answer: a fault rule reset the connection".to_owned(),
        (None, Some(status)) if status.is_success() => "accepted".to_owned(),
        (None, Some(status)) => format!("answered {}", status.as_u16()),
    };
    let mut row = value!({
        "seq": exchange.seq,
        "at": time(exchange.at),
        "method": exchange.verb().as_str(),
        "path": core.registry.without_secrets(&target.to_string()),
        "authorization": sender.kind.name(),
        "ms": exchange.took.as_micros() as f64 / 1000.0,
        "verdict": verdict,
        "anomalies": exchange.notes.anomalies,
    });
    let (mut number, mut method) = (None, None);
    if let Ok(route) = &route {
        row["operation"] = Operation::of(route).name().into();
        (number, method) = asked_for(exchange, route);
    }
    if let Some(own) = sender.app.and_then(|app| core.registry.get(app)) {
        row["application"] = own.signer.key().as_str().into();
    }
    if let Some(status) = exchange.status {
        row["status"] = status.as_u16().into();
    }
    if let Some(error) = error {
        row["errorCode"] = error.code.into();
    }
    if let Some(uid) = exchange.notes.about {
        row["verificationId"] = value!(uid.to_id());
        if let Some(about) = core.with_engine(|engine| engine.overview(uid)) {
            (number, method) = (Some(about.number), Some(about.method));
        }
    }
    if let Some(number) = number {
        row["number"] = value!(number);
    }
    if let Some(method) = method {
        row["verificationMethod"] = value!(method);
    }
    if let Some(fault) = exchange.notes.fault {
        row["fault"] = fault.into();
    }
    row
}

/// The number and the method in the request itself. A request by id has none.
fn asked_for(exchange: &Exchange, route: &Route) -> (Option<PhoneNumber>, Option<Method>) {
    match route {
        Route::Start => StartRequest::decode(&exchange.body).map_or((None, None), |start| {
            (start.identity.phone_number().ok(), Some(start.method))
        }),
        Route::ReportByNumber { number } | Route::Outcome { number } => (Some(*number), None),
        Route::StatusByNumber { number, method } => (Some(*number), method.clone()),
        _ => (None, None),
    }
}

/// The details of a request, with its signature explained, and in the languages of its clients.
fn detail(core: &Core, exchange: &Exchange) -> Value {
    let headers = exchange.request_headers();
    let sender = Sender::of(core, &headers);
    let mut detail = row(core, exchange, &sender);
    detail["wireAt"] = time(exchange.wire);
    detail["headers"] = shown(core, &headers);
    detail["body"] = core
        .registry
        .without_secrets(&String::from_utf8_lossy(&exchange.body))
        .into();
    if let Some(status) = exchange.status {
        detail["response"] = value!({
            "status": status.as_u16(),
            "headers": shown(core, &exchange.answer_headers()),
            "body": core.registry.without_secrets(&String::from_utf8_lossy(&exchange.answer)),
        });
    }
    inspect(core, exchange, &headers, &sender, &mut detail);
    let target = exchange.target();
    let route = Route::parse(&exchange.verb(), target.path()).ok();
    let key = sender.app.and_then(|app| core.registry.key_of(app));
    let call = snippet::Call {
        base: core.base(),
        verb: exchange.verb(),
        target: target.to_string(),
        public_key: key
            .as_deref()
            .filter(|_| sender.kind == AuthorizationScheme::Public),
        headers: &headers,
        body: &exchange.body,
    };
    for (language, code) in call.all(route.as_ref()) {
        detail[language] = core.registry.without_secrets(&code).into();
    }
    detail
}

/// Headers as pairs. Credentials are hidden.
pub(super) fn shown(core: &Core, headers: &HeaderMap) -> Value {
    let pairs = headers.iter().map(|(name, value)| {
        let text = String::from_utf8_lossy(value.as_bytes());
        let text = if is_private(name) {
            hidden(&text)
        } else {
            text.into_owned()
        };
        let text = core.registry.without_secrets(&text);
        value!([name.as_str(), text])
    });
    pairs.collect()
}

fn is_private(name: &HeaderName) -> bool {
    [AUTHORIZATION, PROXY_AUTHORIZATION, COOKIE, SET_COOKIE].contains(name)
}

/// Hides everything in an `Authorization` value except key and signature, which are not secret.
fn hidden(text: &str) -> String {
    let scheme = text.split(' ').next().unwrap_or_default();
    if scheme.eq_ignore_ascii_case("application") {
        return text.to_owned();
    }
    let is_scheme = scheme.len() < text.len() && scheme.bytes().all(|byte| byte.is_ascii_alphabetic());
    format!("{} [hidden]", if is_scheme { scheme } else { "" })
        .trim()
        .to_owned()
}
