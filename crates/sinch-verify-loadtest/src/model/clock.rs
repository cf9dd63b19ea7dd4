use std::time::{Instant, SystemTime};

/// Where time comes from.
pub(crate) trait Clock: Send + Sync {
    /// The monotonic clock, which intervals are measured by.
    fn now(&self) -> Instant;

    /// The wall clock, which requests are signed with.
    fn wall(&self) -> SystemTime;
}

/// The machine's clocks.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn wall(&self) -> SystemTime {
        SystemTime::now()
    }
}
