use std::time::Duration;

use serde::{Deserialize, Serialize};

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
