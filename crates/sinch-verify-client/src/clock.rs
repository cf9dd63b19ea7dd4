//! Where the client's time comes from.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, Instant, SystemTime};

/// Tells the time, and waits.
///
/// A client takes [`SystemClock`] unless it is given another, in a test for example. Requests are
/// signed with [`now`](Self::now), deadlines are kept by [`instant`](Self::instant), and the pauses
/// between attempts and between polls are [`sleep`](Self::sleep). The time limit of one attempt is
/// real time whatever the clock: it watches a socket.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use sinch_verify_client::{Clock, SystemClock};
///
/// /// A host whose clock is known to be five minutes late.
/// #[derive(Debug)]
/// struct Late;
///
/// impl Clock for Late {
///     fn now(&self) -> SystemTime {
///         SystemClock.now() + Duration::from_secs(300)
///     }
/// }
/// ```
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// The time of day now.
    fn now(&self) -> SystemTime;

    /// A time that never goes back, to measure with. By default the system's.
    fn instant(&self) -> Instant {
        Instant::now()
    }

    /// Waits. By default on tokio's timer.
    fn sleep(&self, duration: Duration) -> Sleep {
        Box::pin(tokio::time::sleep(duration))
    }
}

/// The future of [`Clock::sleep`].
pub type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The system's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }
}

/// A time of day as saved forms have it: milliseconds since the Unix epoch.
pub(crate) fn to_millis(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// `None` where it lies past what a time of day can hold.
pub(crate) fn from_millis(millis: u64) -> Option<SystemTime> {
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(millis))
}

/// The time that a whole call may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Budget {
    /// `None` where the limit lies past what an instant can hold.
    deadline: Option<Instant>,
}

impl Budget {
    pub(crate) fn new(clock: &dyn Clock, limit: Duration) -> Self {
        Self {
            deadline: clock.instant().checked_add(limit),
        }
    }

    /// What is left; zero once it is used up.
    pub(crate) fn left(self, clock: &dyn Clock) -> Duration {
        self.deadline.map_or(Duration::MAX, |deadline| {
            deadline.saturating_duration_since(clock.instant())
        })
    }

    /// Waits, unless nothing would be left after it.
    pub(crate) async fn sleep(self, clock: &dyn Clock, wait: Duration) -> bool {
        if wait >= self.left(clock) {
            return false;
        }
        if !wait.is_zero() {
            clock.sleep(wait).await;
        }
        true
    }
}
