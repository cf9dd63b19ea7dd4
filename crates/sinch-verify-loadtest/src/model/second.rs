use std::time::Duration;

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use super::packed::{BadHistogram, Packed};

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

impl Second {
    /// Adds what another machine counted in the same second.
    ///
    /// # Errors
    ///
    /// When a histogram cannot be read.
    pub(crate) fn merge(&mut self, other: &Self) -> Result<(), BadHistogram> {
        self.scheduled += other.scheduled;
        self.started += other.started;
        self.finished += other.finished;
        self.failed += other.failed;
        self.dropped += other.dropped;
        self.callbacks += other.callbacks;
        self.in_flight += other.in_flight;
        // One machine at its limit is enough to spoil the figures of all.
        self.cpu = match (self.cpu, other.cpu) {
            (Some(one), Some(other)) => Some(one.max(other)),
            (one, other) => one.or(other),
        };
        let mut times = self.end_to_end.unpack()?;
        times.add(other.end_to_end.unpack()?).map_err(|_| BadHistogram)?;
        self.set_times(&times);
        Ok(())
    }

    /// Keeps the times end to end. The percentiles are made from the histogram alone, so that seconds
    /// of several machines add up to what one would have counted.
    pub(crate) fn set_times(&mut self, times: &Histogram<u64>) {
        self.p50_us = times.value_at_percentile(50.0);
        self.p99_us = times.value_at_percentile(99.0);
        self.end_to_end = Packed::new(times);
    }

    /// The times end to end that these parts, in per cent, of the flows that finished in any of
    /// `seconds` are not above. `None` where none did.
    #[must_use]
    pub fn percentiles<const N: usize>(seconds: &[Self], percents: [f64; N]) -> Option<[Duration; N]> {
        let mut all: Option<Histogram<u64>> = None;
        for second in seconds {
            let one = second.end_to_end.unpack().ok()?;
            match &mut all {
                None => all = Some(one),
                Some(all) => all.add(one).ok()?,
            }
        }
        let all = all.filter(|all| !all.is_empty())?;
        Some(percents.map(|percent| Duration::from_micros(all.value_at_percentile(percent))))
    }
}
