//! How an answer looks: a line a field for people, JSON for scripts.

use crate::print::say;
use anstyle::{AnsiColor, Style};
use serde::Serialize;
use sinch_verify_protocol::start::StartResponse;
use sinch_verify_protocol::untrusted::escape;
use sinch_verify_protocol::{Status, Verification};

/// Prints an object as JSON when `json` is set, else its rows.
pub(crate) fn print<T: Serialize>(object: &T, json: bool, rows: Vec<(&str, String)>) -> anyhow::Result<()> {
    if json {
        say!("{}", serde_json::to_string(object)?);
        return Ok(());
    }
    let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let dim = Style::new().dimmed();
    for (name, value) in rows {
        say!("{dim}{name:width$}{dim:#}  {value}");
    }
    Ok(())
}

/// The rows of a started verification.
pub(crate) fn started(answer: &StartResponse) -> Vec<(&'static str, String)> {
    let mut rows = vec![("id", answer.id.to_string())];
    let mut put = |name, value: Option<String>| {
        if let Some(value) = value {
            rows.push((name, escape(&value).into_owned()));
        }
    };
    put("method", answer.method.as_ref().map(ToString::to_string));
    if let Some(sms) = &answer.sms {
        put("template", sms.template.clone());
        put(
            "wait for the SMS",
            sms.interception_timeout.map(|seconds| format!("{seconds} s")),
        );
    }
    if let Some(flash_call) = &answer.flash_call {
        put("cliFilter", Some(flash_call.cli_filter.clone()));
        put(
            "wait for the call",
            flash_call
                .interception_timeout
                .map(|seconds| format!("{seconds} s")),
        );
        put(
            "report within",
            flash_call.report_timeout.map(|seconds| format!("{seconds} s")),
        );
    }
    if let Some(schedule) = answer.callout.as_ref().and_then(|callout| {
        Some((
            callout.start_polling_after?,
            callout.polling_interval?,
            callout.stop_polling_after?,
        ))
    }) {
        let (start, interval, stop) = schedule;
        put(
            "ask for the status",
            Some(format!("from {start} s, every {interval} s, until {stop} s")),
        );
    }
    let target = answer
        .seamless
        .as_ref()
        .and_then(|seamless| seamless.target_uri.as_ref());
    put("target address", target.map(|uri| uri.as_str().to_owned()));
    rows
}

/// The rows of a verification.
pub(crate) fn verification(answer: &Verification) -> Vec<(&'static str, String)> {
    let style = status_style(&answer.status);
    let mut rows = vec![
        ("id", answer.id.to_string()),
        ("status", format!("{style}{}{style:#}", answer.status)),
    ];
    let mut put = |name, value: Option<String>| {
        if let Some(value) = value {
            rows.push((name, escape(&value).into_owned()));
        }
    };
    put("reason", answer.reason.as_ref().map(ToString::to_string));
    put("method", answer.method.as_ref().map(ToString::to_string));
    put("reference", answer.reference.clone());
    put("country", answer.country_id.clone());
    put("started", answer.timestamp.as_ref().map(ToString::to_string));
    put("source", answer.source.as_ref().map(ToString::to_string));
    put("call", answer.call_result.as_ref().map(ToString::to_string));
    let price = answer
        .price
        .as_ref()
        .and_then(|price| price.verification.as_ref());
    put(
        "price",
        price.and_then(|money| Some(format!("{} {}", money.amount.as_ref()?, money.currency.as_ref()?))),
    );
    rows
}

/// The colour of a status.
pub(crate) fn status_style(status: &Status) -> Style {
    let colour = match status {
        Status::Successful => AnsiColor::Green,
        Status::Pending => AnsiColor::Yellow,
        _ => AnsiColor::Red,
    };
    Style::new().fg_color(Some(colour.into()))
}
