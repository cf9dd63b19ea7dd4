//! What a run says about itself in the end.

mod table;

use std::time::Duration;

use serde::Serialize;

use crate::failure::FailureKind;
use crate::flows::Flow;
use crate::measure::{FlowTally, Interval, Latency, Measurements};
use crate::scenario::Scenario;
use crate::verdict::Verdict;

/// The version of the JSON form. It grows when a field changes its meaning or goes away.
const SCHEMA: u32 = 1;
/// What a reader of closed-model figures must know.
const CLOSED: &str = "closed: users wait for answers, so latency under a stall is understated";

/// How a run was set up.
#[derive(Clone, Debug)]
pub struct RunFacts {
    /// What was run.
    pub scenario: Scenario,
    /// By how many users at once.
    pub users: usize,
    /// For how long it was to go on.
    pub planned: Duration,
    /// For how long it went on.
    pub elapsed: Duration,
    /// What was under load, in words.
    pub target: String,
    /// What sent the requests.
    pub transport: &'static str,
}

/// The report on a run. [`to_json`](Self::to_json) is for scripts, [`table`](Self::table) for
/// people.
///
/// All latencies are microseconds in JSON.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    schema: u32,
    version: &'static str,
    scenario: &'static str,
    model: &'static str,
    transport: &'static str,
    target: String,
    users: usize,
    planned_seconds: f64,
    seconds: f64,
    verdict: VerdictPart,
    totals: Counts,
    flows: Vec<FlowPart>,
}

impl Report {
    /// The report on what was measured, with its verdict.
    #[must_use]
    pub fn new(facts: RunFacts, measured: &Measurements, verdict: &Verdict) -> Self {
        let seconds = facts.elapsed.as_secs_f64();
        Self {
            schema: SCHEMA,
            version: env!("CARGO_PKG_VERSION"),
            scenario: facts.scenario.as_str(),
            model: CLOSED,
            transport: facts.transport,
            target: facts.target,
            users: facts.users,
            planned_seconds: facts.planned.as_secs_f64(),
            seconds: rounded(seconds),
            verdict: VerdictPart {
                result: verdict.exit.as_str(),
                exit_code: verdict.exit.code(),
                reasons: verdict.reasons.clone(),
            },
            totals: Counts::of(&measured.total(), seconds),
            flows: measured
                .flows()
                .map(|(flow, tally)| FlowPart::of(flow, tally, seconds))
                .collect(),
        }
    }

    /// One JSON document, over several lines.
    ///
    /// # Errors
    ///
    /// None that can be told in advance: the report holds nothing that JSON cannot.
    pub fn to_json(&self) -> serde_json::Result<String> {
        serde_json::to_string_pretty(self)
    }

    /// A plain text with a table, ending in a line break.
    #[must_use]
    pub fn table(&self) -> String {
        table::render(self)
    }
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct VerdictPart {
    result: &'static str,
    exit_code: u8,
    reasons: Vec<String>,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Counts {
    started: u64,
    succeeded: u64,
    failed: u64,
    aborted: u64,
    requests: u64,
    flows_per_second: f64,
    requests_per_second: f64,
}

impl Counts {
    fn of(tally: &FlowTally, seconds: f64) -> Self {
        let rate = |count: u64| {
            if seconds > 0.0 {
                rounded(count as f64 / seconds)
            } else {
                0.0
            }
        };
        Self {
            started: tally.started(),
            succeeded: tally.succeeded,
            failed: tally.failed,
            aborted: tally.aborted,
            requests: tally.requests,
            flows_per_second: rate(tally.finished()),
            requests_per_second: rate(tally.requests),
        }
    }
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct FlowPart {
    flow: Flow,
    #[serde(flatten)]
    counts: Counts,
    steps: Vec<StepPart>,
    failures: Vec<FailurePart>,
}

impl FlowPart {
    fn of(flow: Flow, tally: &FlowTally, seconds: f64) -> Self {
        let step = |(step, latency): (&Interval, &Latency)| StepPart {
            step: *step,
            times: Times::of(latency),
        };
        let failures = tally.failures.iter().map(|(kind, failures)| FailurePart {
            kind: *kind,
            count: failures.count,
            example: failures.example.clone(),
        });
        Self {
            flow,
            counts: Counts::of(tally, seconds),
            steps: tally.times.iter().map(step).collect(),
            failures: failures.collect(),
        }
    }
}

#[derive(Clone, Debug, Serialize)]
struct StepPart {
    step: Interval,
    #[serde(flatten)]
    times: Times,
}

#[derive(Clone, Debug, Serialize)]
struct FailurePart {
    kind: FailureKind,
    count: u64,
    example: String,
}

/// A distribution in microseconds.
#[derive(Clone, Copy, Debug, Serialize)]
struct Times {
    count: u64,
    min: u64,
    mean: u64,
    p50: u64,
    p95: u64,
    p99: u64,
    max: u64,
}

impl Times {
    fn of(latency: &Latency) -> Self {
        let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        Self {
            count: latency.count(),
            min: micros(latency.min()),
            mean: micros(latency.mean()),
            p50: micros(latency.percentile(50.0)),
            p95: micros(latency.percentile(95.0)),
            p99: micros(latency.percentile(99.0)),
            max: micros(latency.max()),
        }
    }
}

/// To three digits behind the point.
fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}
