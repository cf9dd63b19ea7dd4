//! What was measured: how flows ended, and how long they and their steps took.
//!
//! [`Measurements`] only count. They add up exactly, so that parts of a run measured apart can be
//! judged as one.

mod latency;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::failure::{Failure, FailureKind};
use crate::flows::{Flow, Step, StepTime};

pub use latency::Latency;

/// One flow, as it went.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FlowRecord {
    /// Which flow.
    pub flow: Flow,
    /// How it ended.
    pub end: FlowEnd,
    /// From when it was due until the final status was seen, or until it ended otherwise.
    pub took: Duration,
    /// The steps it went through.
    pub steps: Vec<StepTime>,
}

impl FlowRecord {
    /// A flow that ended.
    #[must_use]
    pub fn new(flow: Flow, end: FlowEnd, took: Duration, steps: Vec<StepTime>) -> Self {
        Self {
            flow,
            end,
            took,
            steps,
        }
    }
}

/// How a flow ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FlowEnd {
    /// As it was expected to.
    Succeeded,
    /// Otherwise.
    Failed(Failure),
    /// The end of the run cut it off. No failure.
    Aborted,
}

/// Everything measured in a run, by flow.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Measurements {
    flows: BTreeMap<Flow, FlowTally>,
}

impl Measurements {
    /// Counts one flow.
    pub fn record(&mut self, record: &FlowRecord) {
        self.flows.entry(record.flow).or_default().record(record);
    }

    /// Adds what was measured elsewhere. Nothing is lost: the sum is what one measurement of
    /// everything would have been.
    pub fn merge(&mut self, other: &Self) {
        for (flow, tally) in &other.flows {
            self.flows.entry(*flow).or_default().merge(tally);
        }
    }

    /// The flows that were run, in the order of [`Flow`].
    pub fn flows(&self) -> impl Iterator<Item = (Flow, &FlowTally)> {
        self.flows.iter().map(|(flow, tally)| (*flow, tally))
    }

    /// All flows taken together.
    #[must_use]
    pub fn total(&self) -> FlowTally {
        let mut total = FlowTally::default();
        for tally in self.flows.values() {
            total.merge(tally);
        }
        total
    }
}

/// What was measured of one flow.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct FlowTally {
    /// How many ended as expected.
    pub succeeded: u64,
    /// How many did not.
    pub failed: u64,
    /// How many were cut off by the end of the run.
    pub aborted: u64,
    /// How many requests were sent, answered or not.
    pub requests: u64,
    /// End to end, of the flows that ended as expected.
    pub end_to_end: Latency,
    /// Of the steps that came to an answer, in any flow.
    pub steps: BTreeMap<Step, Latency>,
    /// The failures by kind.
    pub failures: BTreeMap<FailureKind, FailureTally>,
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

    fn record(&mut self, record: &FlowRecord) {
        for step in &record.steps {
            self.requests += u64::from(step.step.is_request());
            if step.answered {
                self.steps.entry(step.step).or_default().record(step.took);
            }
        }
        match &record.end {
            FlowEnd::Succeeded => {
                self.succeeded += 1;
                self.end_to_end.record(record.took);
            }
            FlowEnd::Failed(failure) => {
                self.failed += 1;
                self.failures.entry(failure.kind()).or_default().record(failure);
            }
            FlowEnd::Aborted => self.aborted += 1,
        }
    }

    fn merge(&mut self, other: &Self) {
        self.succeeded += other.succeeded;
        self.failed += other.failed;
        self.aborted += other.aborted;
        self.requests += other.requests;
        self.end_to_end.merge(&other.end_to_end);
        for (step, latency) in &other.steps {
            self.steps.entry(*step).or_default().merge(latency);
        }
        for (kind, tally) in &other.failures {
            self.failures.entry(*kind).or_default().merge(tally);
        }
    }
}

/// The failures of one kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
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

#[cfg(test)]
mod tests {
    use super::*;

    fn micros(micros: u64) -> Duration {
        Duration::from_micros(micros)
    }

    fn record(end: FlowEnd, took: u64) -> FlowRecord {
        let steps = vec![
            StepTime::new(Step::Start, micros(took / 2), true),
            StepTime::new(Step::Phone, micros(1), true),
            StepTime::new(Step::Report, micros(took / 4), end == FlowEnd::Succeeded),
        ];
        FlowRecord::new(Flow::Sms, end, micros(took), steps)
    }

    fn sample() -> Vec<FlowRecord> {
        let failed = |kind| FlowEnd::Failed(Failure::new(kind, "why"));
        (1..=90)
            .map(|took| record(FlowEnd::Succeeded, took * 1000))
            .chain((1..=6).map(|took| record(failed(FailureKind::ReadTimeout), took * 1_000_000)))
            .chain((1..=3).map(|took| record(failed(FailureKind::Api(40003)), took)))
            .chain((1..=1).map(|took| record(FlowEnd::Aborted, took)))
            .collect()
    }

    #[test]
    fn flows_are_counted_by_their_end() {
        let mut measured = Measurements::default();
        sample().iter().for_each(|record| measured.record(record));
        let total = measured.total();
        assert_eq!((total.succeeded, total.failed, total.aborted), (90, 9, 1));
        assert_eq!((total.started(), total.finished()), (100, 99));
        assert_eq!(total.requests, 200, "the phone is no request");
        let failures: Vec<_> = total
            .failures
            .iter()
            .map(|(kind, tally)| (kind.to_string(), tally.count, tally.example.as_str()))
            .collect();
        assert_eq!(
            failures,
            [
                ("timeout.read".to_owned(), 6, "why"),
                ("api.40003".to_owned(), 3, "why")
            ]
        );
    }

    #[test]
    fn only_success_counts_end_to_end() {
        let mut measured = Measurements::default();
        sample().iter().for_each(|record| measured.record(record));
        let total = measured.total();
        assert_eq!(total.end_to_end.count(), 90);
        assert_eq!(total.end_to_end.max(), micros(90_000));
        assert_eq!(total.steps[&Step::Start].count(), 100);
        assert_eq!(
            total.steps[&Step::Report].count(),
            90,
            "steps without an answer are left out"
        );
    }

    #[test]
    fn parts_add_up_to_the_whole() {
        let mut whole = Measurements::default();
        let mut parts = [
            Measurements::default(),
            Measurements::default(),
            Measurements::default(),
        ];
        for (index, record) in sample().iter().enumerate() {
            whole.record(record);
            parts[index % 3].record(record);
        }
        let mut sum = Measurements::default();
        parts.iter().for_each(|part| sum.merge(part));
        assert_eq!(sum, whole);
    }
}
