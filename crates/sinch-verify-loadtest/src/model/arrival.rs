use std::time::Duration;

/// One flow that is due, on its way from the schedule to the figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Arrival {
    /// Its number in the whole run, from 0 on. No two shards have the same.
    pub(crate) index: u64,
    /// When it is due, after the beginning of the run; `None` in a closed model, which has no schedule.
    pub(crate) at: Option<Duration>,
}
