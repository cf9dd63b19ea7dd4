use serde::{Deserialize, Serialize};

use super::packed::Packed;

/// One second of a run.
///
/// A flow is scheduled in the second in which it fell due, started in that in which it was, and
/// finished in that in which it ended.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Second {
    /// Which second, 0 for the first after the schedule's beginning.
    pub at: u64,
    /// Flows that fell due.
    pub scheduled: u64,
    /// Flows started.
    pub started: u64,
    /// Flows that came to an end of their own.
    pub finished: u64,
    /// Those of them that failed.
    pub failed: u64,
    /// Flows that were not started because every user was busy.
    pub dropped: u64,
    /// Callbacks that our receiver took.
    pub callbacks: u64,
    /// Flows under way when the second ended.
    pub in_flight: u64,
    /// How busy the generator's threads were, 1 for all of them all the time; `None` where the
    /// system does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu: Option<f64>,
    /// The median end to end of the flows that finished as expected, microseconds.
    pub p50_us: u64,
    /// The 99th percentile of the same.
    pub p99_us: u64,
    /// The histogram of the same.
    pub end_to_end: Packed,
}
