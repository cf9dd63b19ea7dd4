//! What a policy logs, and counts with the `metrics` feature.

use sinch_verify_protocol::Method;
use sinch_verify_protocol::country::Country;

use super::store::End;
use super::verdict::PolicyVerdict;
use crate::replay::StoreError;
use crate::telemetry::count;

/// A policy allowed or denied a start of this price, in millionths.
pub(super) fn decided(verdict: &PolicyVerdict, country: Option<Country>, method: &Method, cost: u64) {
    if let Some(denial) = &verdict.denial {
        let retry_at = denial.retry_at;
        tracing::warn!(rule = %denial.rule, key = %denial.key, limit = %denial.limit, ?retry_at, "policy denies the start");
    }
    for denial in &verdict.observed {
        let retry_at = denial.retry_at;
        tracing::info!(rule = %denial.rule, key = %denial.key, limit = %denial.limit, ?retry_at, "policy would deny the start");
    }
    #[cfg(feature = "metrics")]
    counters::decided(verdict, country, method, cost);
    #[cfg(not(feature = "metrics"))]
    let _ = (country, method, cost);
}

/// A verification ended that a policy had counted.
pub(super) fn ended(country: Option<Country>, method: &Method, end: End, cost: u64) {
    #[cfg(feature = "metrics")]
    counters::ended(country, method, end, cost);
    #[cfg(not(feature = "metrics"))]
    let _ = (country, method, end, cost);
}

/// A request event has a price that cannot be used.
pub(super) fn bad_price(reason: &'static str) {
    count("sinch_callback_policy_bad_prices_total", "reason", reason);
}

/// The policy's store did not know.
pub(super) fn doubted(error: &StoreError) {
    count("sinch_callback_policy_doubts_total", "store", error.name());
}

#[cfg(feature = "metrics")]
mod counters {
    use metrics::{Label, counter};

    use super::{Country, End, Method, PolicyVerdict};

    pub(super) fn decided(verdict: &PolicyVerdict, country: Option<Country>, method: &Method, cost: u64) {
        let decision = |decision: &'static str, rule: &str, mode: &'static str| {
            let mut labels = destination(country, method);
            labels.push(Label::from_static_parts("decision", decision));
            labels.push(Label::new("rule", rule.to_owned()));
            labels.push(Label::from_static_parts("mode", mode));
            counter!("sinch_callback_policy_decisions_total", labels).increment(1);
        };
        if verdict.is_allowed() {
            decision("allow", "none", "enforce");
            let country = name(country);
            counter!("sinch_callback_policy_reserved_millionths_total", "country" => country).increment(cost);
        }
        for denial in verdict.denial.iter().chain(&verdict.observed) {
            decision("deny", &denial.rule, denial.mode.as_str());
        }
        for skipped in &verdict.skipped {
            let (rule, reason) = (skipped.rule.to_string(), skipped.reason.name());
            counter!("sinch_callback_policy_skipped_total", "rule" => rule, "reason" => reason).increment(1);
        }
    }

    pub(super) fn ended(country: Option<Country>, method: &Method, end: End, cost: u64) {
        let mut labels = destination(country, method);
        labels.push(Label::from_static_parts(
            "end",
            match end {
                End::Denied => "denied",
                End::Success => "success",
                End::Failure => "failure",
            },
        ));
        counter!("sinch_callback_policy_ended_total", labels).increment(1);
        if end == End::Denied {
            let country = name(country);
            counter!("sinch_callback_policy_released_millionths_total", "country" => country).increment(cost);
        }
    }

    /// In words of which there are not too many.
    fn destination(country: Option<Country>, method: &Method) -> Vec<Label> {
        let method = method.info().map_or("unknown", |info| info.name);
        vec![
            Label::new("country", name(country)),
            Label::from_static_parts("method", method),
        ]
    }

    fn name(country: Option<Country>) -> String {
        country.map_or_else(|| "none".to_owned(), |country| country.to_string())
    }
}
