use std::collections::BTreeMap;
use std::time::Duration;

use super::Phase;
use crate::model::{Counters, FailureKind, Second};

/// How a run stands.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub(crate) struct Snapshot {
    /// Since the run began.
    pub(crate) elapsed: Duration,
    /// For how long flows are started.
    pub(crate) duration: Duration,
    /// How far it is.
    pub(crate) phase: Phase,
    /// The rate that the schedule wants of this shard now, in flows a second; 0 in a closed model.
    pub(crate) wanted: f64,
    /// How many flows can be under way at once.
    pub(crate) users: usize,
    /// Everything counted so far, warm-up included.
    pub(crate) total: Counters,
    /// Flows under way.
    pub(crate) in_flight: u64,
    /// The last whole second: flows finished in it, its percentiles, how busy the generator was.
    pub(crate) last: Second,
    /// The median end to end, of all that ended as expected so far.
    pub(crate) p50: Duration,
    /// The 99th percentile of the same.
    pub(crate) p99: Duration,
    /// Failures of flows so far.
    pub(crate) errors: BTreeMap<FailureKind, u64>,
}
