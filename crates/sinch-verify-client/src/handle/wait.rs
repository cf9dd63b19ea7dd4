//! Waiting for the end of a verification.

use std::time::{Duration, Instant};

use sinch_verify_protocol::Verification;
use sinch_verify_protocol::polling::{PollDecision, PollOutcome, PollSchedule};
use sinch_verify_protocol::start::{CalloutDetails, MethodMarker};

use super::Handle;
use crate::call::Repeat;
use crate::clock::Budget;
use crate::context::Context;
use crate::error::Error;

/// How long [`Handle::wait`] waits: the service lets a verification expire about then.
const PATIENCE: Duration = Duration::from_secs(300);

/// The first pause between two questions where the service gave no schedule, and the longest.
const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(10);

impl<M: MethodMarker> Handle<M> {
    /// Asks for the status until the verification has ended, for at most five minutes. See
    /// [`wait_for`](Self::wait_for).
    ///
    /// # Errors
    ///
    /// See [`wait_for`](Self::wait_for).
    pub async fn wait(&self) -> Result<Verification, Error> {
        self.wait_for(PATIENCE).await
    }

    /// Asks for the status until the verification has ended, for at most `limit`, which ends a question
    /// that is not answered as well.
    ///
    /// It is for methods that end without your doing: a callout in which a key is pressed, a data
    /// verification, or a code that someone else reports. A callout's answer may hold a schedule,
    /// which is then kept, counted from the start; otherwise the questions are one to ten seconds
    /// apart, at growing distances. Trouble on the way, and a verification that is not known yet, do
    /// not end the waiting.
    ///
    /// When the schedule or `limit` is over, the last status is given, which is then `PENDING`: the
    /// verification may still succeed.
    ///
    /// # Errors
    ///
    /// When the service refuses to tell, or never told: see [`Error`].
    pub async fn wait_for(&self, limit: Duration) -> Result<Verification, Error> {
        let clock = &*self.context.clock;
        let budget = Budget::new(clock, limit);
        let mut pace = self.pace();
        let mut last = None;
        while let Some(wait) = pace.next(self.elapsed()) {
            if !budget.sleep(clock, wait).await {
                break;
            }
            let answer = self.status_within(budget).await;
            let decision = pace.decide(&answer, self.elapsed());
            match (decision, answer) {
                (PollDecision::Verified | PollDecision::Failed, answer) => return answer,
                (_, Ok(verification)) => last = Some(Ok(verification)),
                // A status that was told is better than why the next one was not.
                (_, Err(error)) if !matches!(last, Some(Ok(_))) => last = Some(Err(error)),
                (_, Err(_)) => {}
            }
            if !matches!(decision, PollDecision::PollAt(_)) {
                break;
            }
        }
        match last {
            Some(answer) => answer,
            // Too late for any question in time: this one is the last.
            None => self.status_within(budget).await,
        }
    }

    /// One question, which may take as long as a call, and no longer than this.
    async fn status_within(&self, limit: Budget) -> Result<Verification, Error> {
        let Context {
            clock, total_timeout, ..
        } = &*self.context;
        let limit = limit.left(&**clock).min(*total_timeout);
        let budget = Budget::new(&**clock, limit);
        // The next slot takes the place of another attempt.
        self.query(budget, Repeat::Never).await
    }

    fn pace(&self) -> Pace {
        match self.started.callout.as_ref().and_then(CalloutDetails::schedule) {
            Some(schedule) => Pace::Schedule { schedule, slot: None },
            None => Pace::Growing { pause: None },
        }
    }

    /// Since the start was sent.
    fn elapsed(&self) -> Duration {
        let now: Instant = self.context.clock.instant();
        now.saturating_duration_since(self.began_at)
    }
}

/// When to ask next.
enum Pace {
    /// At slots that are counted from the start.
    Schedule {
        schedule: PollSchedule,
        /// The slot to ask at next, once there was a first.
        slot: Option<Duration>,
    },
    /// At once, and then after growing pauses.
    Growing {
        /// The pause before the next question, once there was a first.
        pause: Option<Duration>,
    },
}

impl Pace {
    /// How long to wait for the next question.
    fn next(&mut self, elapsed: Duration) -> Option<Duration> {
        match self {
            Self::Schedule { schedule, slot } => {
                let next = match *slot {
                    Some(slot) => slot,
                    None => schedule.next_after(elapsed)?,
                };
                *slot = Some(next);
                Some(next.saturating_sub(elapsed))
            }
            Self::Growing { pause } => Some(pause.unwrap_or_default()),
        }
    }

    /// What the answer, which came at `elapsed`, means.
    fn decide(&mut self, answer: &Result<Verification, Error>, elapsed: Duration) -> PollDecision {
        let outcome = match answer {
            Ok(verification) => PollOutcome::Status(verification.status.as_str()),
            Err(error) => PollOutcome::of(error.outcome()),
        };
        match self {
            Self::Schedule { schedule, slot } => {
                let decision = schedule.decide(outcome, slot.unwrap_or(elapsed), elapsed);
                if let PollDecision::PollAt(next) = decision {
                    *slot = Some(next);
                }
                decision
            }
            Self::Growing { pause } => {
                let asked = match outcome {
                    PollOutcome::RateLimited { retry_after } => retry_after.unwrap_or_default(),
                    _ => Duration::ZERO,
                };
                let grown = pause.map_or(FIRST, |pause| (pause.saturating_mul(3) / 2).min(LONGEST));
                let next = grown.max(asked);
                *pause = Some(next);
                match answer {
                    Ok(verification) if verification.is_successful() => PollDecision::Verified,
                    Ok(verification) if verification.status.is_final() => PollDecision::Failed,
                    Err(_) if outcome == PollOutcome::Refused => PollDecision::Failed,
                    _ => PollDecision::PollAt(elapsed.saturating_add(next)),
                }
            }
        }
    }
}
