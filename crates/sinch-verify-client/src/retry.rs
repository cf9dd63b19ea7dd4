//! Whether a request is sent again: a pure decision.

use std::time::Duration;

use http::StatusCode;
use sinch_verify_protocol::endpoint::Idempotency;

/// How often, and how soon, a request may be sent again.
///
/// What may be repeated at all depends on the operation, and no setting changes it:
///
/// | what came of the request | start | report | status query |
/// |---|---|---|---|
/// | it never left (port refused, name not found) | again | again | again |
/// | 429 or 503 with `Retry-After` | again, after that time | the same | the same |
/// | the answer was lost, could not be read, or was a 5xx | ask for the status, never again | ask for the status; again while that says `PENDING` | again |
/// | 429 without `Retry-After` | no | ask for the status; again while that says `PENDING` | again |
/// | any other answer | no | no | no |
///
/// A start that the service does not know yet is asked for as often as a request may be sent, and at
/// least for 6 seconds, where the time for the call allows it: the service may wait 5 seconds for your
/// callback before it begins a verification. What is found is judged before it is believed: see
/// [`Found`](crate::Found).
///
/// ```
/// use std::time::Duration;
/// use sinch_verify_client::RetryPolicy;
///
/// let patient = RetryPolicy::default()
///     .attempts(5)
///     .backoff(Duration::from_millis(500), Duration::from_secs(10));
/// # let _ = patient;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    attempts: u32,
    first: Duration,
    longest: Duration,
    asks: bool,
}

/// Three attempts, with pauses from 200 milliseconds to 5 seconds.
impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            attempts: 3,
            first: Duration::from_millis(200),
            longest: Duration::from_secs(5),
            asks: true,
        }
    }
}

/// How long the status of a start is asked for while the service does not know it: the service may
/// wait 5 seconds for the application's callback before it begins a verification.
const SLOWEST_START: Duration = Duration::from_secs(6);

/// The shortest pause between the later ones of these questions.
const LATE_PAUSE: Duration = Duration::from_secs(1);

impl RetryPolicy {
    /// One call is one HTTP request: nothing is sent again, no status is asked for when an answer is
    /// lost, and a clock that is wrong stays wrong.
    #[must_use]
    pub fn never() -> Self {
        Self {
            attempts: 1,
            asks: false,
            ..Self::default()
        }
    }

    /// How often a request may be sent in all, the first time included. Zero is an error of
    /// [`build`](crate::ClientBuilder::build).
    #[must_use]
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts;
        self
    }

    /// The pause after the first attempt, which doubles with every further one up to `longest`. A
    /// part of each pause, at most half, is left to chance. `Retry-After` of an answer goes before
    /// it.
    #[must_use]
    pub fn backoff(mut self, first: Duration, longest: Duration) -> Self {
        self.first = first;
        self.longest = longest;
        self
    }

    pub(crate) fn has_attempts(&self) -> bool {
        self.attempts > 0
    }

    /// How long to wait before asking once more for a verification that the service does not know
    /// yet, after `questions` that were asked in `spent`; `None` to leave it at that.
    ///
    /// It is asked for as often as a request may be sent, and until the service must have made up its
    /// mind about the start.
    pub(crate) fn ask_again(&self, questions: u32, spent: Duration, jitter: u64) -> Option<Duration> {
        let pause = self.pause(questions, jitter);
        if questions < self.attempts {
            return Some(pause);
        }
        (spent < SLOWEST_START).then(|| pause.max(LATE_PAUSE))
    }

    /// Whether trouble is looked into with further requests.
    pub(crate) fn asks(&self) -> bool {
        self.asks
    }

    /// What to do after this attempt.
    pub(crate) fn decide(
        &self,
        idempotency: Idempotency,
        attempt: Attempt,
        outcome: Outcome,
        jitter: u64,
    ) -> Next {
        let Attempt { nth, arrived_before } = attempt;
        let more = nth < self.attempts;
        let wait = self.pause(nth, jitter);
        let again = |wait| if more { Next::Again { wait } } else { Next::Stop };
        let ask = |again| match self.asks {
            true => Next::Ask { wait, again },
            false => Next::Stop,
        };
        let (status, retry_after) = match (outcome, idempotency) {
            (Outcome::NeverLeft, _) | (Outcome::Lost, Idempotency::Safe) => return again(wait),
            // The same question would get the same answer.
            (Outcome::Unreadable, Idempotency::Safe) => return Next::Stop,
            (Outcome::Lost | Outcome::Unreadable, Idempotency::AskFirst) => return ask(more),
            (Outcome::Lost | Outcome::Unreadable, _) => return ask(false),
            (Outcome::Answered { status, retry_after }, _) => (status, retry_after),
        };
        let busy = status == StatusCode::TOO_MANY_REQUESTS;
        match retry_after {
            Some(after) if busy || status == StatusCode::SERVICE_UNAVAILABLE => {
                // Everybody was told the same time.
                return again(after.saturating_add(part(self.first, jitter)));
            }
            _ => {}
        }
        let broken = status.is_server_error();
        match idempotency {
            Idempotency::Safe if broken || busy => again(wait),
            Idempotency::AskFirst if broken || busy => ask(more),
            Idempotency::Never if broken => ask(false),
            // An earlier attempt may have been carried out after all.
            Idempotency::AskFirst if arrived_before && status == StatusCode::BAD_REQUEST => ask(false),
            Idempotency::Never if arrived_before && status == StatusCode::CONFLICT => ask(false),
            _ => Next::Stop,
        }
    }

    /// The pause after attempt number `attempt`.
    pub(crate) fn pause(&self, attempt: u32, jitter: u64) -> Duration {
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

/// One attempt of a call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attempt {
    /// Its number, counted from 1.
    pub(crate) nth: u32,
    /// Whether the service may have seen one before it.
    pub(crate) arrived_before: bool,
}

/// What came of one attempt that got no usable answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// No part of the request left this machine.
    NeverLeft,
    /// The service may have seen the request, and no whole answer came.
    Lost,
    /// A success that tells nothing: no body, or not what it should be.
    Unreadable,
    /// The service answered that it did not, or would not.
    Answered {
        status: StatusCode,
        /// Counted from the arrival of the answer.
        retry_after: Option<Duration>,
    },
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Give the error to the caller.
    Stop,
    /// Send the request again.
    Again { wait: Duration },
    /// Ask for the status, and send the request again only if `again`, and while the status is
    /// `PENDING`.
    Ask { wait: Duration, again: bool },
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAFE: Idempotency = Idempotency::Safe;
    const REPORT: Idempotency = Idempotency::AskFirst;
    const START: Idempotency = Idempotency::Never;

    fn answered(status: u16, retry_after: Option<u64>) -> Outcome {
        Outcome::Answered {
            status: StatusCode::from_u16(status).unwrap_or_default(),
            retry_after: retry_after.map(Duration::from_secs),
        }
    }

    /// An attempt after others that arrived.
    fn nth(nth: u32) -> Attempt {
        Attempt {
            nth,
            arrived_before: nth > 1,
        }
    }

    /// One letter for a decision.
    fn letter(next: Next) -> char {
        match next {
            Next::Stop => '-',
            Next::Again { .. } => 'a',
            Next::Ask { again: true, .. } => '?',
            Next::Ask { again: false, .. } => '!',
        }
    }

    #[test]
    fn the_table() {
        let policy = RetryPolicy::default();
        for (outcome, first, last) in [
            // Start, report, query: on the first attempt, and on the last.
            (Outcome::NeverLeft, "aaa", "---"),
            (Outcome::Lost, "!?a", "!!-"),
            (Outcome::Unreadable, "!?-", "!!-"),
            (answered(429, Some(1)), "aaa", "---"),
            (answered(503, Some(1)), "aaa", "---"),
            (answered(429, None), "-?a", "-!-"),
            (answered(503, None), "!?a", "!!-"),
            (answered(500, None), "!?a", "!!-"),
            // Asked for a pause by an answer that does not say the request was not carried out.
            (answered(500, Some(1)), "!?a", "!!-"),
            (answered(400, None), "---", "-!-"),
            (answered(401, None), "---", "---"),
            (answered(403, None), "---", "---"),
            (answered(404, None), "---", "---"),
            (answered(409, None), "---", "!--"),
            (answered(302, None), "---", "---"),
        ] {
            for (attempt, expected) in [(nth(1), first), (nth(3), last)] {
                let told: String = [START, REPORT, SAFE]
                    .map(|idempotency| letter(policy.decide(idempotency, attempt, outcome, 0)))
                    .iter()
                    .collect();
                assert_eq!(told, expected, "{outcome:?} on {attempt:?}");
            }
        }
    }

    /// After attempts that never left, a refusal is about something else than this call's own start
    /// or report.
    #[test]
    fn what_cannot_have_been_carried_out_is_not_asked_for() {
        let attempt = Attempt {
            nth: 3,
            arrived_before: false,
        };
        for (idempotency, status) in [(START, 409), (REPORT, 400)] {
            let next = RetryPolicy::default().decide(idempotency, attempt, answered(status, None), 0);
            assert_eq!(next, Next::Stop);
        }
    }

    #[test]
    fn a_start_whose_answer_is_missing_is_never_sent_again() {
        let policy = RetryPolicy::default().attempts(u32::MAX);
        for attempt in 1..10 {
            for outcome in [Outcome::Lost, Outcome::Unreadable, answered(504, None)] {
                for jitter in [0, u64::MAX] {
                    let next = policy.decide(START, nth(attempt), outcome, jitter);
                    assert!(matches!(next, Next::Ask { again: false, .. }), "{next:?}");
                }
            }
        }
    }

    #[test]
    fn never_means_never() {
        for outcome in [Outcome::NeverLeft, Outcome::Lost, answered(503, Some(0))] {
            for idempotency in [START, REPORT, SAFE] {
                let next = RetryPolicy::never().decide(idempotency, nth(1), outcome, 0);
                assert_eq!(next, Next::Stop);
            }
        }
    }

    #[test]
    fn pauses_double_up_to_the_longest_and_keep_half() {
        let ms = Duration::from_millis;
        let policy = RetryPolicy::default().backoff(ms(100), ms(1000));
        for (attempt, whole) in [
            (1, 100),
            (2, 200),
            (4, 800),
            (5, 1000),
            (40, 1000),
            (u32::MAX, 1000),
        ] {
            assert_eq!(policy.pause(attempt, 0), ms(whole) / 2, "{attempt}");
            let most = policy.pause(attempt, u64::MAX);
            assert!(
                most <= ms(whole) && most > ms(whole) * 99 / 100,
                "{attempt}: {most:?}"
            );
        }
    }

    #[test]
    fn the_services_own_time_is_kept() {
        let policy = RetryPolicy::default();
        for jitter in [0, u64::MAX] {
            let Next::Again { wait } = policy.decide(START, nth(1), answered(503, Some(7)), jitter) else {
                panic!("not sent again");
            };
            assert!(
                wait >= Duration::from_secs(7) && wait < Duration::from_secs(8),
                "{wait:?}"
            );
        }
    }
}
