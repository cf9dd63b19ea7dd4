use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::failure::{Failure, FailureKind};
use super::latency::Latency;
use super::record::{FlowEnd, FlowRecord, StepKind};
use super::step::StepName;

/// What was measured of the flows of one scenario.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct FlowTally {
    /// How many ended as expected.
    pub succeeded: u64,
    /// How many did not.
    pub failed: u64,
    /// How many were cut off because the run was ended before its time.
    pub aborted: u64,
    /// How many requests were sent, answered or not.
    pub requests: u64,
    /// The failures by kind.
    pub failures: BTreeMap<FailureKind, FailureTally>,
    /// How long everything took.
    pub times: BTreeMap<StepName, Latency>,
}

impl FlowTally {
    /// How many were started.
    #[must_use]
    pub fn started(&self) -> u64 {
        self.finished() + self.aborted
    }

    /// How many came to an end of their own.
    #[must_use]
    pub fn finished(&self) -> u64 {
        self.succeeded + self.failed
    }

    /// How long `step` took; `None` where it never happened.
    #[must_use]
    pub fn time(&self, step: StepName) -> Option<&Latency> {
        self.times.get(&step)
    }

    pub(super) fn record(&mut self, record: &FlowRecord) {
        for step in &record.steps {
            self.requests += u64::from(step.kind == StepKind::Request);
            if step.answered {
                self.times.entry(step.step).or_default().record(step.took);
            }
        }
        let mut time = |step, took| self.times.entry(step).or_default().record(took);
        if let Some(lag) = record.lag() {
            time(StepName::LAG, lag);
        }
        match &record.end {
            FlowEnd::Succeeded => {
                time(StepName::END_TO_END, record.end_to_end());
                time(StepName::FROM_SEND, record.since_started());
                self.succeeded += 1;
            }
            FlowEnd::Failed(failure) => {
                time(StepName::FAILED_END_TO_END, record.end_to_end());
                self.failed += 1;
                self.failures.entry(failure.kind()).or_default().record(failure);
            }
            FlowEnd::Aborted => self.aborted += 1,
        }
    }

    /// Adds what was measured elsewhere, exactly.
    pub fn merge(&mut self, other: &Self) {
        self.succeeded += other.succeeded;
        self.failed += other.failed;
        self.aborted += other.aborted;
        self.requests += other.requests;
        for (step, latency) in &other.times {
            self.times.entry(*step).or_default().merge(latency);
        }
        for (kind, tally) in &other.failures {
            self.failures.entry(*kind).or_default().merge(tally);
        }
    }
}

/// The failures of one kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FailureTally {
    /// How many.
    pub count: u64,
    /// The detail of the first.
    pub example: String,
}

impl FailureTally {
    fn record(&mut self, failure: &Failure) {
        if self.count == 0 {
            failure.detail().clone_into(&mut self.example);
        }
        self.count += 1;
    }

    fn merge(&mut self, other: &Self) {
        if self.count == 0 {
            self.example.clone_from(&other.example);
        }
        self.count += other.count;
    }
}
