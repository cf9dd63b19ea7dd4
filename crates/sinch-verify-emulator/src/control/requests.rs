//! Lists and explains the recorded requests of the API.

use std::sync::Arc;

use axum::extract::{Path, State};
use http::Uri;
use http::header::{AUTHORIZATION, COOKIE, HeaderMap, HeaderName, PROXY_AUTHORIZATION, SET_COOKIE};
use serde_json::{Value, json as value};
use sinch_verify_protocol::server::Route;
use sinch_verify_protocol::{ApiError, WireObject as _};

use super::authorization::{AuthorizationScheme, Sender, inspect};
use super::query::Query;
use super::response::{Answer, Refused, json};
use super::{snippet, time};
use crate::core::Core;
use crate::journal::Exchange;
use crate::operation::Operation;

pub(super) async fn requests(State(core): State<Arc<Core>>, uri: Uri) -> Answer {
    let query = Query::of(&uri, &["limit", "before", "application", "status"])?;
    let page = query.page()?;
    let app = query.application("application", &core)?;
    let status = query.seq("status")?;
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
        let fits = app.is_none() || sender.app == app;
        fits.then(|| (exchange.seq, row(&core, exchange, &sender)))
    });
    let listed = page.of("requests", rows.iter().map(|(_, row)| row).collect(), |row| {
        row["seq"].as_u64().unwrap_or_default()
    });
    Ok(json(&listed))
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
    if let Ok(route) = &route {
        row["operation"] = Operation::of(route).name().into();
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
    }
    if let Some(fault) = exchange.notes.fault {
        row["fault"] = fault.into();
    }
    row
}

/// The details of a request, with its signature explained, and as a `curl` command and Rust code.
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
    detail["curl"] = core.registry.without_secrets(&call.curl()).into();
    if let Some(rust) = route.and_then(|route| call.rust(&route)) {
        detail["rust"] = core.registry.without_secrets(&rust).into();
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
