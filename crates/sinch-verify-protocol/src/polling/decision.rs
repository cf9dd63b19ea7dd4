//! What an answer to a poll means for the next one.

use std::time::Duration;

use super::PollSchedule;
use crate::retry::Outcome;

impl PollSchedule {
    /// What to do after the poll of the slot `polled`, whose answer came at `elapsed`.
    ///
    /// Trouble on the way (no answer, 5xx, 429) and an unknown verification do not end the
    /// polling: the next slot may go better. A `Retry-After` is honoured by skipping the slots
    /// before it; if it points past the window, there is no further poll.
    ///
    /// ```
    /// use std::time::Duration;
    /// use sinch_verify_protocol::polling::{PollDecision, PollOutcome, PollSchedule};
    ///
    /// let schedule = PollSchedule::new(3, 30, 3);
    /// let at = Duration::from_secs;
    ///
    /// let pending = schedule.decide(PollOutcome::Status("PENDING"), at(3), at(4));
    /// assert_eq!(pending, PollDecision::PollAt(at(6)));
    ///
    /// let done = schedule.decide(PollOutcome::Status("SUCCESSFUL"), at(6), at(7));
    /// assert_eq!(done, PollDecision::Verified);
    /// ```
    #[must_use]
    pub fn decide(&self, outcome: PollOutcome<'_>, polled: Duration, elapsed: Duration) -> PollDecision {
        let (not_before, at_end) = match outcome {
            PollOutcome::Status(status) if is(status, "SUCCESSFUL") => {
                return PollDecision::Verified;
            }
            PollOutcome::Status(status) if !is(status, "PENDING") => return PollDecision::Failed,
            PollOutcome::Refused => return PollDecision::Failed,
            PollOutcome::Status(_) | PollOutcome::Unavailable => (elapsed, PollDecision::TimedOut),
            PollOutcome::NotFound => (elapsed, PollDecision::Unknown),
            PollOutcome::RateLimited { retry_after } => (
                elapsed.saturating_add(retry_after.unwrap_or_default()),
                PollDecision::TimedOut,
            ),
        };
        self.next_after_poll(polled, not_before)
            .map_or(at_end, PollDecision::PollAt)
    }
}

/// What came of one poll.
///
/// ```
/// use std::time::Duration;
/// use sinch_verify_protocol::polling::{PollDecision, PollOutcome, PollSchedule};
///
/// let schedule = PollSchedule::new(3, 30, 3);
/// let slow_down = PollOutcome::RateLimited { retry_after: Some(Duration::from_secs(10)) };
/// let at = Duration::from_secs;
/// assert_eq!(schedule.decide(slow_down, at(3), at(3)), PollDecision::PollAt(at(15)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PollOutcome<'a> {
    /// The service gave a status, in any letter case. Everything but `PENDING` is final, also a
    /// status not known here.
    Status(&'a str),
    /// 404, or another verification: this one is not known, or not yet.
    NotFound,
    /// 429, or 503 with a time to come back at.
    RateLimited {
        /// The `Retry-After` of the answer, counted from its arrival.
        retry_after: Option<Duration>,
    },
    /// No answer that can be read, 408, or 5xx.
    Unavailable,
    /// Any other error answer, such as 401. Asking again would give the same.
    Refused,
}

impl PollOutcome<'_> {
    /// What a query that brought no status means.
    #[must_use]
    pub fn of(outcome: Outcome) -> Self {
        match outcome {
            Outcome::NotFound | Outcome::Refused { status: 404, .. } => Self::NotFound,
            Outcome::Refused { retry_after, .. } if outcome.is_put_off() => Self::RateLimited { retry_after },
            Outcome::Refused { status: 429, .. } => Self::RateLimited { retry_after: None },
            Outcome::Refused {
                status: 408 | 500.., ..
            }
            | Outcome::NotSent
            | Outcome::Lost
            | Outcome::Unreadable => Self::Unavailable,
            _ => Self::Refused,
        }
    }
}

/// What to do after a poll.
///
/// ```
/// use std::time::Duration;
/// use sinch_verify_protocol::polling::{PollDecision, PollOutcome, PollSchedule};
///
/// let once = PollSchedule::new(3, 3, 1);
/// let at = Duration::from_secs(3);
/// assert_eq!(once.decide(PollOutcome::Status("PENDING"), at, at), PollDecision::TimedOut);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PollDecision {
    /// Ask again at this time, counted from when the start request was sent.
    PollAt(Duration),
    /// The number is verified.
    Verified,
    /// The verification ended without success, or the service will not say. The answer has the
    /// reason.
    Failed,
    /// The window is over and the outcome is not known. This is not a failure: the verification
    /// may still succeed.
    TimedOut,
    /// The window is over, and at its end the service did not know the verification.
    Unknown,
}

fn is(status: &str, name: &str) -> bool {
    status.eq_ignore_ascii_case(name)
}
