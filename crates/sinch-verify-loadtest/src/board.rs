use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::measure::{FlowRecord, Interval, Measurements};

/// The live state of a run, shared by its users and by whoever watches.
#[derive(Debug)]
pub struct Board {
    measured: Mutex<Measurements>,
    in_flight: AtomicU64,
    began: OnceLock<Instant>,
    ended: OnceLock<Instant>,
    stop: watch::Sender<bool>,
}

impl Default for Board {
    fn default() -> Self {
        Self {
            measured: Mutex::default(),
            in_flight: AtomicU64::new(0),
            began: OnceLock::new(),
            ended: OnceLock::new(),
            stop: watch::Sender::new(false),
        }
    }
}

impl Board {
    /// Ends the run: no flow begins after this, and those under way are cut off.
    pub fn stop(&self) {
        let _ = self.ended.set(Instant::now());
        self.stop.send_replace(true);
    }

    /// Whether the run was ended.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        *self.stop.borrow()
    }

    /// Waits for the end of the run.
    pub async fn stopped(&self) {
        // The sender lives in `self`, so the only answer is the one waited for.
        let _ = self.stop.subscribe().wait_for(|stopped| *stopped).await;
    }

    /// A flow begins.
    pub fn begin(&self) {
        self.began.get_or_init(Instant::now);
        self.in_flight.fetch_add(1, Ordering::Relaxed);
    }

    /// A flow that had begun is over.
    pub fn end(&self, record: &FlowRecord) {
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
        self.lock().record(record);
    }

    /// From the first flow's beginning until the end of the run, or until now.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        let end = self.ended.get().copied().unwrap_or_else(Instant::now);
        self.began
            .get()
            .map_or(Duration::ZERO, |began| end.saturating_duration_since(*began))
    }

    /// Everything measured so far.
    #[must_use]
    pub fn measured(&self) -> Measurements {
        self.lock().clone()
    }

    /// The few figures that a progress line shows.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let total = self.lock().total();
        let percentile = |percent| {
            let latency = total.time(Interval::EndToEnd);
            latency.map_or(Duration::ZERO, |latency| latency.percentile(percent))
        };
        Snapshot {
            elapsed: self.elapsed(),
            finished: total.finished(),
            failed: total.failed,
            in_flight: self.in_flight.load(Ordering::Relaxed),
            p50: percentile(50.0),
            p99: percentile(99.0),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Measurements> {
        // A panic between two counters would leave them off by one, which no reader minds.
        self.measured.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Snapshot {
    /// Since the first flow began.
    pub elapsed: Duration,
    /// Flows that came to an end of their own.
    pub finished: u64,
    /// Those of them that failed.
    pub failed: u64,
    /// Flows under way.
    pub in_flight: u64,
    /// The median end to end, of all that succeeded so far.
    pub p50: Duration,
    /// The 99th percentile end to end, of all that succeeded so far.
    pub p99: Duration,
}
