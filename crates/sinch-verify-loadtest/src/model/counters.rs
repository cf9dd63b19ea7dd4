use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::names::named;

/// A flow that is started later than this after it was due counts as late.
pub(crate) const LATE: Duration = Duration::from_millis(5);

/// What was counted beside what flows tell.
///
/// Nothing is lost: `scheduled` is `started + dropped` (a closed model schedules what it starts),
/// and `started` is `finished + aborted`, once a run is over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Counters {
    /// Flows that fell due.
    pub scheduled: u64,
    /// Those of them that were started.
    pub started: u64,
    /// Those that came to an end of their own, as expected or not.
    pub finished: u64,
    /// Those of the finished that failed.
    pub failed: u64,
    /// Those that were cut off because the run was ended before its time.
    pub aborted: u64,
    /// Those that were due while every user was busy and the queue was full.
    pub dropped: u64,
    /// Those of the started that were started more than 5 ms late.
    pub late: u64,
    /// Callbacks that our receiver took.
    pub callbacks: u64,
    /// Those of them that had come before.
    pub duplicates: u64,
    /// Those of them whose flow had stopped waiting for them.
    #[serde(default)]
    pub overdue: u64,
    /// Those of them that belong to no flow of this run.
    pub orphans: u64,
    /// Callbacks that our receiver refused, such as unsigned ones.
    pub refused: u64,
}

impl Counters {
    /// The count of this name; `None` for one that is kept by flow only.
    #[must_use]
    pub fn get(&self, counter: Counter) -> Option<u64> {
        Some(match counter {
            Counter::Scheduled => self.scheduled,
            Counter::Started => self.started,
            Counter::Finished => self.finished,
            Counter::Failed => self.failed,
            Counter::Aborted => self.aborted,
            Counter::Dropped => self.dropped,
            Counter::Late => self.late,
            Counter::Callbacks => self.callbacks,
            Counter::Duplicates => self.duplicates,
            Counter::Overdue => self.overdue,
            Counter::Orphans => self.orphans,
            Counter::Refused => self.refused,
            Counter::Succeeded | Counter::Requests => return None,
        })
    }

    /// Adds what was counted elsewhere.
    pub fn merge(&mut self, other: &Self) {
        self.scheduled += other.scheduled;
        self.started += other.started;
        self.finished += other.finished;
        self.failed += other.failed;
        self.aborted += other.aborted;
        self.dropped += other.dropped;
        self.late += other.late;
        self.callbacks += other.callbacks;
        self.duplicates += other.duplicates;
        self.overdue += other.overdue;
        self.orphans += other.orphans;
        self.refused += other.refused;
    }
}

named! {
    /// The name of a count, as in thresholds.
    pub enum Counter as "counter" {
        /// Flows that fell due. Of the whole run only.
        Scheduled = "scheduled",
        /// Flows that were started.
        Started = "started",
        /// Flows that came to an end of their own.
        Finished = "finished",
        /// Those of them that ended as expected.
        Succeeded = "succeeded",
        /// Those that did not.
        Failed = "failed",
        /// Flows that were cut off because the run was ended before its time.
        Aborted = "aborted",
        /// Requests to the target.
        Requests = "requests",
        /// Flows that were due while every user was busy. Of the whole run only.
        Dropped = "dropped",
        /// Flows that were started more than 5 ms late. Of the whole run only.
        Late = "late",
        /// Callbacks that our receiver took. Of the whole run only.
        Callbacks = "callbacks",
        /// Callbacks that had come before. Of the whole run only.
        Duplicates = "duplicates",
        /// Callbacks whose flow had stopped waiting for them. Of the whole run only.
        Overdue = "overdue",
        /// Callbacks that belong to no flow of the run. Of the whole run only.
        Orphans = "orphans",
        /// Callbacks that our receiver refused. Of the whole run only.
        Refused = "refused",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::FlowTally;

    #[test]
    fn every_count_is_kept_somewhere() {
        for counter in Counter::all() {
            let of_flow = FlowTally::default().get(counter);
            let count = of_flow.or_else(|| Counters::default().get(counter));
            assert_eq!(count, Some(0), "{counter}");
        }
    }
}
