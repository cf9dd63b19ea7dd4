//! What follows an attempt to send a request: one pure decision for starts, reports and queries.
//!
//! [`RetryPolicy::decide`] takes what was tried so far ([`History`]) and what the last request met
//! ([`Outcome`]), and says what comes [`Next`]. The client's calls and the [session](crate::session)
//! both use it, so a request meets the same treatment however it is sent.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::endpoint::Idempotency;
use crate::error::ApiError;

/// How often, and how soon, a request may be sent again.
///
/// What may be sent again at all depends on the operation, and no setting changes it:
///
/// | outcome | start | report | status query |
/// |---|---|---|---|
/// | the request never left (port refused, name not found) | send again | send again | send again |
/// | 429 or 503 with `Retry-After` | send again after that time | the same | the same |
/// | 429 without `Retry-After` | stop | send again | send again |
/// | no answer, 408, or another 5xx | query the status | query the status; send again while it is `PENDING` | send again |
/// | success that cannot be read | query the status | query the status | stop |
/// | 409 after a sending that may have arrived | query the status once | stop | stop |
/// | 40003 | stop | the answer; query the status if an earlier answer was lost | stop |
/// | any other answer | stop | stop | stop |
///
/// A status query about a request is repeated like any query. All queries about one request together
/// may fail as often as the request may be sent, so requests add up and never multiply.
///
/// While the service does not know a start, its status is queried as often as a request may be sent, and
/// for 6 seconds at least: the service may wait 5 seconds for the application's callback before it begins
/// a verification.
///
/// ```
/// use std::time::Duration;
/// use sinch_verify_protocol::retry::RetryPolicy;
///
/// let patient = RetryPolicy::default()
///     .attempts(5)
///     .backoff(Duration::from_millis(500), Duration::from_secs(10));
/// # let _ = patient;
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetryPolicy {
    attempts: u32,
    first: Duration,
    longest: Duration,
    queries: bool,
}

/// Three attempts, with pauses from 200 milliseconds to 5 seconds.
impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            attempts: 3,
            first: Duration::from_millis(200),
            longest: Duration::from_secs(5),
            queries: true,
        }
    }
}

/// How long the status of a start is queried while the service does not know it.
const SLOWEST_START: Duration = Duration::from_secs(6);

/// The shortest pause between the later ones of these queries.
const LATE_PAUSE: Duration = Duration::from_secs(1);

impl RetryPolicy {
    /// Sends every request once: nothing is sent again, no status is queried after a lost answer, and a
    /// client does not correct its clock.
    #[must_use]
    pub fn never() -> Self {
        Self {
            attempts: 1,
            queries: false,
            ..Self::default()
        }
    }

    /// How often a request may be sent in all, the first time included. At least 1; a client's builder
    /// refuses zero, and elsewhere zero counts as 1.
    #[must_use]
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts;
        self
    }

    /// The pause after the first attempt, which doubles with every further one up to `longest`. Up to
    /// half of each pause is left to chance. `Retry-After` takes its place.
    #[must_use]
    pub fn backoff(mut self, first: Duration, longest: Duration) -> Self {
        self.first = first;
        self.longest = longest;
        self
    }

    /// How often a request may be sent in all.
    #[must_use]
    pub fn max_attempts(&self) -> u32 {
        self.attempts
    }

    /// Whether requests may follow that the caller did not ask for: `false` for [`RetryPolicy::never`].
    #[must_use]
    pub fn sends_more(&self) -> bool {
        self.queries
    }

    /// Decides what follows `outcome`, and records it in `history`.
    ///
    /// `jitter` is 64 random bits: they shorten or lengthen the pause. After [`Next::Query`] the next
    /// outcome is that of the status query, otherwise that of the request itself.
    pub fn decide(&self, history: &mut History, outcome: Outcome, jitter: u64) -> Next {
        match history.query.take() {
            None => self.after_request(history, outcome, jitter),
            Some(query) => self.after_query(history, query, outcome, jitter),
        }
    }

    fn after_request(&self, history: &mut History, outcome: Outcome, jitter: u64) -> Next {
        use Idempotency::{AskFirst, Never, Safe};

        history.sent = history.sent.saturating_add(1);
        let operation = history.operation;
        let was_in_doubt = history.in_doubt;
        history.in_doubt |= leaves_doubt(operation, outcome);
        let more = history.sent < self.attempts;
        let pause = self.pause(history.sent, jitter);
        let again = match self.repeats(history.sent, outcome, jitter) {
            Some(wait) if more => Next::Send { wait },
            _ => Next::Stop,
        };
        match (operation, outcome) {
            (_, Outcome::Answered) => Next::Done,
            // An earlier start may have been carried out, although it was put off.
            (Never, Outcome::NotSent) if !more && was_in_doubt => {
                self.query(history, pause, Query::patient())
            }
            (_, Outcome::NotSent) | (Safe, _) => again,
            (_, Outcome::Refused { .. }) if outcome.is_put_off() => again,
            (AskFirst, Outcome::Refused { status: 429, .. }) => again,
            (Never, Outcome::Refused { status: 409, .. }) if was_in_doubt => {
                // It is there, or will not come.
                self.query(history, pause, Query::default())
            }
            (Never, _) if outcome.may_be_done() => self.query(history, pause, Query::patient()),
            (AskFirst, Outcome::Unreadable) => self.query(history, pause, Query::undecided()),
            (AskFirst, _) if outcome.may_be_done() => self.query(history, pause, Query::default()),
            (AskFirst, Outcome::Refused { status: 400, .. }) if was_in_doubt => {
                self.query(history, pause, Query::undecided())
            }
            (
                AskFirst,
                Outcome::Refused {
                    code: Some(ApiError::NOT_PROCESSABLE),
                    ..
                },
            ) => Next::Done,
            _ => Next::Stop,
        }
    }

    fn query(&self, history: &mut History, wait: Duration, mut query: Query) -> Next {
        if !self.queries {
            return Next::Stop;
        }
        query.waited = query.waited.saturating_add(wait);
        history.query = Some(query);
        Next::Query { wait }
    }

    fn after_query(&self, history: &mut History, mut query: Query, outcome: Outcome, jitter: u64) -> Next {
        let is_start = history.operation == Idempotency::Never;
        match outcome {
            Outcome::Found { certain, pending } if is_start || !pending => {
                if certain {
                    Next::Done
                } else {
                    Next::Stop
                }
            }
            // The service took the request and did not find it right.
            Outcome::Found { .. } if query.undecided => {
                history.in_doubt = false;
                Next::Done
            }
            Outcome::Found { .. } if history.sent < self.attempts => Next::Send { wait: Duration::ZERO },
            Outcome::NotFound | Outcome::Refused { status: 404, .. } if query.patient => {
                query.unknown = query.unknown.saturating_add(1);
                let pause = self.pause(query.unknown, jitter);
                if query.unknown < self.attempts {
                    self.query(history, pause, query)
                } else if query.waited < SLOWEST_START {
                    self.query(history, pause.max(LATE_PAUSE), query)
                } else {
                    Next::Stop
                }
            }
            _ => {
                history.failed_queries = history.failed_queries.saturating_add(1);
                let failed = history.failed_queries;
                match self.repeats(failed, outcome, jitter) {
                    Some(wait) if failed < self.attempts => self.query(history, wait, query),
                    _ => Next::Stop,
                }
            }
        }
    }

    /// The pause before what changes nothing at the service is sent again after its `nth` attempt; `None`
    /// where the next attempt would end the same way.
    fn repeats(&self, nth: u32, outcome: Outcome, jitter: u64) -> Option<Duration> {
        match outcome {
            Outcome::Refused {
                retry_after: Some(after),
                ..
            } if outcome.is_put_off() => {
                // All clients were given the same time.
                Some(after.saturating_add(part(self.first, jitter)))
            }
            Outcome::NotSent
            | Outcome::Lost
            | Outcome::Refused {
                status: 408 | 429 | 500..,
                ..
            } => Some(self.pause(nth, jitter)),
            _ => None,
        }
    }

    /// The pause after attempt number `attempt`.
    fn pause(&self, attempt: u32, jitter: u64) -> Duration {
        let doubled = 1_u32.checked_shl(attempt.saturating_sub(1)).unwrap_or(u32::MAX);
        let whole = self.first.saturating_mul(doubled).min(self.longest);
        let half = whole / 2;
        half + part(whole - half, jitter)
    }
}

/// A part of `whole`, from none to all of it.
fn part(whole: Duration, jitter: u64) -> Duration {
    // 16 bits are chance enough, and keep the product in range.
    let share = u32::try_from(jitter >> 48).unwrap_or(0);
    (whole / (1 << 16)).saturating_mul(share)
}

/// Whether the request may have been carried out, for all that `outcome` says.
fn leaves_doubt(operation: Idempotency, outcome: Outcome) -> bool {
    match operation {
        // The service takes a reference once: 409 may be the answer to an earlier sending, also to one
        // that the service put off.
        Idempotency::Never => !matches!(outcome, Outcome::NotSent | Outcome::Unsendable),
        // A wrong code must not become right because the service was busy: a report that was put off was
        // not carried out.
        _ => outcome.may_be_done() && !outcome.is_put_off(),
    }
}

/// What was tried for one request of the user: how often it was sent, and how its status queries went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct History {
    operation: Idempotency,
    sent: u32,
    in_doubt: bool,
    failed_queries: u32,
    /// The status query that is under way.
    query: Option<Query>,
}

/// Why the status is queried.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Query {
    /// The service took the request, so while the status is pending it was not right.
    undecided: bool,
    /// The verification may not be there yet.
    patient: bool,
    /// How often the service did not know it.
    unknown: u32,
    /// All pauses before these queries together.
    waited: Duration,
}

impl Query {
    fn undecided() -> Self {
        Self {
            undecided: true,
            ..Self::default()
        }
    }

    fn patient() -> Self {
        Self {
            patient: true,
            ..Self::default()
        }
    }
}

impl History {
    /// Nothing was sent yet.
    #[must_use]
    pub fn new(operation: Idempotency) -> Self {
        Self {
            operation,
            sent: 0,
            in_doubt: false,
            failed_queries: 0,
            query: None,
        }
    }

    /// The answer to an earlier request of this kind was lost, and nothing has settled it since: a
    /// refusal of this one may be due to that one's success.
    pub(crate) fn in_doubt_before(mut self, in_doubt: bool) -> Self {
        self.in_doubt = in_doubt;
        self
    }

    /// Whether one of the sendings may have been carried out although no answer says so.
    pub(crate) fn is_in_doubt(&self) -> bool {
        self.in_doubt
    }
}

/// What a request met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The answer that was asked for.
    Answered,
    /// No part of the request left this machine.
    NotSent,
    /// The request cannot be sent. Another attempt would end the same way.
    Unsendable,
    /// The request may have arrived, and no whole answer came.
    Lost,
    /// A success without the body that it should have.
    Unreadable,
    /// An answer that is no success.
    Refused {
        /// The HTTP status.
        status: u16,
        /// The `errorCode`, where there was one.
        code: Option<u32>,
        /// `Retry-After`, counted from the arrival of the answer.
        retry_after: Option<Duration>,
    },
    /// A status query about the request found a verification.
    Found {
        /// Whether it is certainly the one that the request is about.
        certain: bool,
        /// Whether it has not ended.
        pending: bool,
    },
    /// A status query about the request was answered with another verification.
    NotFound,
}

impl Outcome {
    /// Whether the service asked to come back later, and so has not carried the request out.
    pub(crate) fn is_put_off(self) -> bool {
        matches!(
            self,
            Self::Refused {
                status: 429 | 503,
                retry_after: Some(_),
                ..
            }
        )
    }

    /// Whether the service may have carried the request out.
    fn may_be_done(self) -> bool {
        matches!(
            self,
            Self::Lost
                | Self::Unreadable
                | Self::Refused {
                    status: 408 | 500..,
                    ..
                }
        )
    }
}

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// The last outcome is the answer.
    Done,
    /// Send the request again.
    Send {
        /// After this pause.
        wait: Duration,
    },
    /// Query the status.
    Query {
        /// After this pause.
        wait: Duration,
    },
    /// Give up: the request has failed, or its outcome is not known.
    Stop,
}

#[cfg(test)]
mod tests;
