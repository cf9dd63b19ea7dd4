//! What a client counts, with the `metrics` feature. No label holds a number, a code or text from outside.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use bytes::Bytes;
use http::Response;
use sinch_verify_protocol::{Method, PhoneNumber, Status, Verification};

use crate::error::Error;
use crate::transport::TransportError;

/// One request was sent, and this came of it.
pub(crate) fn attempted(operation: &'static str, answer: &Result<Response<Bytes>, TransportError>) {
    let result = match answer {
        Ok(response) => match response.status().as_u16() {
            200..=299 => "2xx",
            300..=399 => "3xx",
            400..=499 => "4xx",
            500..=599 => "5xx",
            _ => "other",
        },
        Err(error) => error.label(),
    };
    #[cfg(feature = "metrics")]
    metrics::counter!("sinch_client_attempts_total", "operation" => operation, "result" => result)
        .increment(1);
    #[cfg(not(feature = "metrics"))]
    let _ = (operation, result);
}

/// A call that began at `begun` is over, with all its attempts, pauses and status queries.
pub(crate) fn took(operation: &'static str, begun: Instant) {
    #[cfg(feature = "metrics")]
    metrics::histogram!("sinch_client_duration_seconds", "operation" => operation).record(begun.elapsed());
    #[cfg(not(feature = "metrics"))]
    let _ = (operation, begun);
}

/// A start by `method` ended with this error, or began a verification.
pub(crate) fn started(method: &Method, number: PhoneNumber, error: Option<&Error>) {
    let result = match error {
        None => "started",
        Some(error) if error.is_denied() => "denied",
        Some(error) if error.is_rate_limited() => "rate_limited",
        Some(error) => error.label(),
    };
    count(
        "sinch_client_starts_total",
        method,
        Some(number),
        ("result", result),
    );
}

/// A report was answered, with the verification or with a refusal, or failed.
pub(crate) fn reported(
    method: &Method,
    number: Option<PhoneNumber>,
    outcome: Result<Option<&Verification>, &Error>,
) {
    let result = match outcome {
        Ok(Some(verification)) if verification.is_successful() => "verified",
        Ok(Some(verification)) if verification.status.is_final() => "ended",
        Ok(_) => "refused",
        Err(error) => error.label(),
    };
    count("sinch_client_reports_total", method, number, ("result", result));
}

/// Counts the end of a verification, if it has ended.
pub(crate) fn end(method: &Method, number: Option<PhoneNumber>, verification: &Verification) {
    let status = &verification.status;
    if status.is_final() {
        let known = Status::KNOWN.iter().find(|known| **known == status.as_str());
        let status = known.copied().unwrap_or(UNKNOWN);
        count("sinch_client_ends_total", method, number, ("status", status));
    }
}

/// Counts the end of one verification once, however often its status is queried.
#[derive(Clone, Default)]
pub(crate) struct EndOnce(Arc<AtomicBool>);

impl EndOnce {
    /// As [`end`].
    pub(crate) fn count(&self, method: &Method, number: Option<PhoneNumber>, verification: &Verification) {
        if verification.status.is_final() && !self.0.swap(true, Ordering::Relaxed) {
            end(method, number, verification);
        }
    }
}

/// A method, a country or a status that is not known.
const UNKNOWN: &str = "unknown";

/// Adds one, with the method, the number's country and one more label.
fn count(
    name: &'static str,
    method: &Method,
    number: Option<PhoneNumber>,
    (label, value): (&'static str, &'static str),
) {
    #[cfg(feature = "metrics")]
    {
        let method = method.info().map_or(UNKNOWN, |info| info.name);
        let country = number.and_then(|number| number.country());
        let country = country.map_or_else(|| UNKNOWN.to_owned(), |country| country.to_string());
        metrics::counter!(name, "method" => method, "country" => country, label => value).increment(1);
    }
    #[cfg(not(feature = "metrics"))]
    let _ = (name, method, number, label, value);
}
