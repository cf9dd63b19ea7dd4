use std::collections::BTreeMap;
use std::time::Duration;

use super::Phase;
use crate::model::{Counters, FailureKind, Second};

/// How a run stands.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Snapshot {
    /// Since the run began.
    pub elapsed: Duration,
    /// For how long flows are started.
    pub duration: Duration,
    /// How far it is.
    pub phase: Phase,
    /// The rate that the schedule wants of this shard now, in flows a second; 0 in a closed model.
    pub wanted: f64,
    /// How many flows can be under way at once.
    pub users: usize,
    /// Everything counted so far, warm-up included.
    pub total: Counters,
    /// Flows under way.
    pub in_flight: u64,
    /// The last whole second: flows finished in it, its percentiles, how busy the generator was.
    pub last: Second,
    /// The median end to end, of all that ended as expected so far.
    pub p50: Duration,
    /// The 99th percentile of the same.
    pub p99: Duration,
    /// Failures of flows so far.
    pub errors: BTreeMap<FailureKind, u64>,
}
