//! What is counted, with the `metrics` feature, and why callbacks were refused.

use std::time::Instant;

use sinch_verify_protocol::callback::Event;
use sinch_verify_protocol::wire::Anomaly;

use crate::rejection::Rejection;
use crate::replay::StoreError;

/// A callback was taken; says what was tolerated in it.
pub(crate) fn accepted(event: &Event, anomalies: &[Anomaly]) {
    count("sinch_callback_accepted_total", "event", kind(event));
    for anomaly in anomalies {
        tracing::debug!(%anomaly, "callback is not as documented");
    }
}

/// A callback was not taken: the log and the count are the only places that learn why.
pub(crate) fn rejected(rejection: &Rejection) {
    count(
        "sinch_callback_rejected_total",
        "reason",
        rejection.reason().name(),
    );
    let status = rejection.status().as_u16();
    tracing::warn!(status, reason = %rejection, "callback rejected");
}

/// A request event was answered: `allow` or `deny`, by whom.
pub(crate) fn decided(action: &'static str, by: &'static str) {
    #[cfg(feature = "metrics")]
    metrics::counter!("sinch_callback_decisions_total", "decision" => action, "by" => by).increment(1);
    #[cfg(not(feature = "metrics"))]
    let _ = (action, by);
}

/// A handler gave nothing: it was late, failed or panicked.
pub(crate) fn failed(failure: &'static str) {
    count("sinch_callback_handler_failures_total", "failure", failure);
}

/// The replay guard's store did not know.
pub(crate) fn doubted(error: &StoreError) {
    count("sinch_callback_guard_doubts_total", "store", error.name());
}

/// An answer is ready.
pub(crate) fn answered(start: Instant) {
    #[cfg(feature = "metrics")]
    metrics::histogram!("sinch_callback_duration_seconds").record(start.elapsed());
    #[cfg(not(feature = "metrics"))]
    let _ = start;
}

pub(crate) fn count(name: &'static str, label: &'static str, value: &'static str) {
    #[cfg(feature = "metrics")]
    metrics::counter!(name, label => value).increment(1);
    #[cfg(not(feature = "metrics"))]
    let _ = (name, label, value);
}

/// The event's kind. Not its name: one that is unknown is the sender's text.
fn kind(event: &Event) -> &'static str {
    match event {
        Event::Request(_) => "request",
        Event::Result(_) => "result",
        Event::SmsDelivered(_) => "sms_delivered",
        _ => "unknown",
    }
}
