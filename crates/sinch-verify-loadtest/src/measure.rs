//! What was measured: how flows ended, and how long they and their steps took.
//!
//! [`Measurements`] only count. They add up exactly, so that parts of a run measured apart can be
//! judged as one.

mod counters;
mod interval;
mod latency;
mod packed;
mod record;
mod second;
mod tally;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::flows::Flow;

pub use counters::Counters;
pub(crate) use counters::LATE;
pub use interval::Interval;
pub use latency::Latency;
pub(crate) use packed::BadHistogram;
pub use packed::Packed;
pub use record::{FlowEnd, FlowRecord, Span, Timed};
pub use second::Second;
pub use tally::{FailureTally, FlowTally};

/// Everything measured in a run, by flow.
///
/// As JSON it is an object by the names of flows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
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

    /// What was measured of `flow`; `None` where it was not run.
    #[must_use]
    pub fn flow(&self, flow: Flow) -> Option<&FlowTally> {
        self.flows.get(&flow)
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

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;
    use crate::failure::{Failure, FailureKind};

    fn micros(micros: u64) -> Duration {
        Duration::from_micros(micros)
    }

    fn record(end: FlowEnd, took: u64) -> FlowRecord {
        let times = vec![
            Timed::new(Interval::Start, micros(took / 2), true),
            Timed::new(Interval::Phone, micros(1), true),
            Timed::new(Interval::Report, micros(took / 4), end == FlowEnd::Succeeded),
        ];
        let due = Instant::now();
        let span = Span {
            due: Some(due),
            started: due + micros(took / 10),
            ended: due + micros(took),
        };
        FlowRecord::new(Flow::SMS, end, span, times)
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
        let time = |interval| total.time(interval).unwrap();
        assert_eq!(time(Interval::EndToEnd).count(), 90);
        assert_eq!(time(Interval::EndToEnd).max(), micros(90_000));
        assert_eq!(time(Interval::FromSend).max(), micros(81_000));
        assert_eq!(time(Interval::FailedEndToEnd).count(), 9);
        assert_eq!(time(Interval::FailedEndToEnd).max(), micros(6_000_000));
        assert_eq!(time(Interval::Lag).count(), 100);
        assert_eq!(time(Interval::Start).count(), 100);
        assert_eq!(time(Interval::Report).count(), 90, "unanswered ones are left out");
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

    #[test]
    fn reads_back_what_was_written() {
        let mut measured = Measurements::default();
        sample().iter().for_each(|record| measured.record(record));
        let json = serde_json::to_string(&measured).unwrap();
        assert_eq!(serde_json::from_str::<Measurements>(&json).unwrap(), measured);
    }
}
