//! What an emulator counts, as text for Prometheus.
//!
//! Each emulator has counters of its own, so two in one process do not mix. No label has a value that comes
//! from outside, so their number is bounded, and none has personal data.

use std::fmt;

use http::StatusCode;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use sinch_verify_protocol::Method;
use sinch_verify_protocol::callback::ResultEvent;

use crate::fault::Fault;
use crate::operation::Operation;

/// The content type of [`Metrics::text`].
pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The counters of one emulator.
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    started: Family<StartedLabels, Counter>,
    ended: Family<EndedLabels, Counter>,
    messages: Counter,
    deliveries: Family<DeliveryLabels, Counter>,
    faults: Family<FaultLabels, Counter>,
    verifications: Family<StateLabels, Gauge>,
    undelivered: Gauge,
    applications: Gauge,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct RequestLabels {
    operation: &'static str,
    status: u16,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct StartedLabels {
    method: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct EndedLabels {
    method: String,
    status: String,
    reason: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct DeliveryLabels {
    event: String,
    ok: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct FaultLabels {
    kind: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct StateLabels {
    state: &'static str,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("sinch_emulator"),
            requests: Family::default(),
            started: Family::default(),
            ended: Family::default(),
            messages: Counter::default(),
            deliveries: Family::default(),
            faults: Family::default(),
            verifications: Family::default(),
            undelivered: Gauge::default(),
            applications: Gauge::default(),
        };
        let registry = &mut metrics.registry;
        registry.register(
            "requests",
            "Answered requests to the API",
            metrics.requests.clone(),
        );
        registry.register(
            "verifications_started",
            "Accepted starts",
            metrics.started.clone(),
        );
        registry.register(
            "verifications_ended",
            "Ended verifications",
            metrics.ended.clone(),
        );
        registry.register(
            "messages",
            "Messages and calls that reached handsets",
            metrics.messages.clone(),
        );
        registry.register(
            "deliveries",
            "Tries to post a callback event, by whether the answer was accepted",
            metrics.deliveries.clone(),
        );
        registry.register("faults", "Triggered faults", metrics.faults.clone());
        registry.register(
            "verifications",
            "Kept verifications",
            metrics.verifications.clone(),
        );
        registry.register(
            "events_undelivered",
            "Undelivered callback events",
            metrics.undelivered.clone(),
        );
        registry.register("applications", "Applications", metrics.applications.clone());
        metrics
    }

    /// Counts an answer of the API; `None` for a path that is no operation.
    pub(crate) fn request(&self, operation: Option<Operation>, status: StatusCode) {
        let labels = RequestLabels {
            operation: operation.map_or("none", Operation::name),
            status: status.as_u16(),
        };
        self.requests.get_or_create(&labels).inc();
    }

    pub(crate) fn started(&self, method: &Method) {
        let method = method.as_str().to_owned();
        self.started.get_or_create(&StartedLabels { method }).inc();
    }

    pub(crate) fn ended(&self, event: &ResultEvent) {
        let labels = EndedLabels {
            method: event.method.as_str().to_owned(),
            status: event.status.as_str().to_owned(),
            reason: event
                .reason
                .as_ref()
                .map_or_else(String::new, |reason| reason.as_str().to_owned()),
        };
        self.ended.get_or_create(&labels).inc();
    }

    pub(crate) fn messages(&self, arrived: usize) {
        self.messages.inc_by(arrived as u64);
    }

    pub(crate) fn delivery(&self, event: &str, is_ok: bool) {
        let labels = DeliveryLabels {
            event: event.to_owned(),
            ok: if is_ok { "true" } else { "false" },
        };
        self.deliveries.get_or_create(&labels).inc();
    }

    pub(crate) fn fault(&self, fault: &Fault) {
        let kind = fault.name();
        self.faults.get_or_create(&FaultLabels { kind }).inc();
    }

    /// All counters as text.
    ///
    /// # Errors
    ///
    /// None: writing to memory does not fail.
    pub(crate) fn text(&self, present: &Present) -> Result<String, fmt::Error> {
        for (state, count) in [("pending", present.pending), ("ended", present.ended)] {
            self.verifications
                .get_or_create(&StateLabels { state })
                .set(gauge(count));
        }
        self.undelivered.set(gauge(present.undelivered));
        self.applications.set(gauge(present.applications));
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

/// What there is at present.
pub(crate) struct Present {
    pub(crate) pending: usize,
    pub(crate) ended: usize,
    pub(crate) undelivered: usize,
    pub(crate) applications: usize,
}

fn gauge(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
