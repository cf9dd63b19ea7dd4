use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::name::ScenarioName;
use super::record::FlowRecord;
use super::tally::FlowTally;

/// Everything measured of the flows of a run, by scenario. It adds up exactly, so that parts of a run
/// that were measured apart can be judged as one.
///
/// As JSON it is an object by the names of scenarios.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Measurements {
    flows: BTreeMap<ScenarioName, FlowTally>,
}

impl Measurements {
    /// Counts one flow.
    pub(crate) fn record(&mut self, record: &FlowRecord) {
        self.flows.entry(record.scenario).or_default().record(record);
    }

    /// Adds what was measured elsewhere. Nothing is lost: the sum is what one measurement of
    /// everything would have been.
    pub fn merge(&mut self, other: &Self) {
        for (flow, tally) in &other.flows {
            self.flows.entry(*flow).or_default().merge(tally);
        }
    }

    /// What was measured of the flows of `scenario`; `None` where it was not run.
    #[must_use]
    pub fn flow(&self, scenario: ScenarioName) -> Option<&FlowTally> {
        self.flows.get(&scenario)
    }

    /// The scenarios that were run, in the order of their names.
    pub fn flows(&self) -> impl Iterator<Item = (ScenarioName, &FlowTally)> {
        self.flows.iter().map(|(scenario, tally)| (*scenario, tally))
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
    use std::time::Duration;

    use super::*;
    use crate::model::{Arrival, Failure, FailureKind, FlowEnd, StepKind, StepName, StepTime};

    fn micros(micros: u64) -> Duration {
        Duration::from_micros(micros)
    }

    fn record(end: FlowEnd, took: u64) -> FlowRecord {
        let step = |step, took, kind, answered| StepTime {
            step,
            took: micros(took),
            kind,
            answered,
        };
        let steps = vec![
            step(StepName::START, took / 2, StepKind::Request, true),
            step(StepName::PHONE, 1, StepKind::Other, true),
            step(
                StepName::REPORT,
                took / 4,
                StepKind::Request,
                end == FlowEnd::Succeeded,
            ),
        ];
        let due = Duration::from_secs(1);
        FlowRecord {
            scenario: ScenarioName::new("sms").unwrap(),
            arrival: Arrival {
                index: took,
                at: Some(due),
            },
            started: due + micros(took / 10),
            ended: due + micros(took),
            end,
            steps,
        }
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
        let time = |step| total.time(step).unwrap();
        assert_eq!(time(StepName::END_TO_END).count(), 90);
        assert_eq!(time(StepName::END_TO_END).max(), micros(90_000));
        assert_eq!(time(StepName::FROM_SEND).max(), micros(81_000));
        assert_eq!(time(StepName::FAILED_END_TO_END).count(), 9);
        assert_eq!(time(StepName::FAILED_END_TO_END).max(), micros(6_000_000));
        assert_eq!(time(StepName::LAG).count(), 100);
        assert_eq!(time(StepName::START).count(), 100);
        assert_eq!(time(StepName::REPORT).count(), 90, "unanswered ones are left out");
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
