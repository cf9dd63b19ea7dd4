//! When to ask for the status of a callout.
//!
//! In the callout flow where the user presses a key in the call, the app learns the outcome by
//! asking for the status. The start answer says when, in three integers of its `callout` object.
//! Newer servers leave the object out: then the user types a code and nothing is polled.
//!
//! All times here are counted from the moment the start request was **sent**, on a monotonic
//! clock.

mod decision;

use std::time::Duration;

pub use self::decision::{PollDecision, PollOutcome};

/// The instants at which to ask: `start`, `start + interval`, and so on, up to and including
/// `stop`.
///
/// Whether `stop` itself counts is not documented; it is included here. The slots depend on the
/// schedule only: an answer that takes long makes the app skip the slots it missed, never ask
/// twice at once, and never shift the later ones.
///
/// ```
/// use std::time::Duration;
/// use sinch_verify_protocol::polling::PollSchedule;
///
/// // The sample of the public API reference: from 3 s to 30 s, every 3 s.
/// let schedule = PollSchedule::new(3, 30, 3);
/// assert_eq!(schedule.count(), 10);
/// assert_eq!(schedule.slots().next(), Some(Duration::from_secs(3)));
///
/// // The answer to the start request took 10 s.
/// let next = schedule.next_after(Duration::from_secs(10));
/// assert_eq!(next, Some(Duration::from_secs(12)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PollSchedule {
    first: u64,
    interval: u64,
    /// How many slots follow the first.
    more: u64,
}

impl PollSchedule {
    /// Makes sense of the `startPollingAfter`, `stopPollingAfter` and `pollingInterval` of a start
    /// answer, all in seconds.
    ///
    /// Any values do: a negative start or stop counts as 0, an interval below 1 as 1, and a start
    /// after the stop gives a single slot at the stop.
    #[must_use]
    pub fn new(start: i64, stop: i64, interval: i64) -> Self {
        let seconds = |value: i64| u64::try_from(value).unwrap_or(0);
        let (stop, interval) = (seconds(stop), seconds(interval).max(1));
        let first = seconds(start).min(stop);
        Self {
            first,
            interval,
            more: (stop - first) / interval,
        }
    }

    /// The slots in ascending order.
    pub fn slots(self) -> impl Iterator<Item = Duration> {
        (0..self.count()).map(move |index| self.slot(index))
    }

    /// How many slots there are; at least one.
    #[must_use]
    pub const fn count(&self) -> u64 {
        // `more` is at most `i64::MAX`.
        self.more + 1
    }

    /// The last slot.
    #[must_use]
    pub const fn last(&self) -> Duration {
        self.slot(self.more)
    }

    /// The first slot at or after `elapsed`, or `None` once the schedule is over.
    ///
    /// After a poll use [`next_after_poll`](Self::next_after_poll), which does not give the same
    /// slot again if the answer came at once.
    #[must_use]
    pub fn next_after(&self, elapsed: Duration) -> Option<Duration> {
        let past_first = elapsed.saturating_sub(Duration::from_secs(self.first));
        let whole = past_first.as_secs() / self.interval;
        let exact = past_first == Duration::from_secs(whole * self.interval);
        let index = if exact { whole } else { whole.saturating_add(1) };
        (index <= self.more).then(|| self.slot(index))
    }

    /// The first slot later than the one just polled, and at or after `elapsed`, the time at which
    /// the answer came.
    #[must_use]
    pub fn next_after_poll(&self, polled: Duration, elapsed: Duration) -> Option<Duration> {
        let later = polled.saturating_add(Duration::from_nanos(1));
        self.next_after(elapsed.max(later))
    }

    const fn slot(&self, index: u64) -> Duration {
        // `index` is at most `more`, so this is at most `stop`.
        Duration::from_secs(self.first + index * self.interval)
    }
}
