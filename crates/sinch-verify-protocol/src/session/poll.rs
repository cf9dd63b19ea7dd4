//! Following a callout by its polling schedule.

use std::time::Duration;

use super::failure::Failure;
use super::output::Progress;
use super::request::Answered;
use super::state::{MethodAttempt, Polling, State, Window};
use super::step::Step;
use crate::polling::{PollDecision, PollOutcome};

impl Step<'_> {
    /// The time for a poll has come.
    pub(super) fn poll(&mut self, mut attempt: Box<MethodAttempt>) -> State {
        if let Polling::Next { window, slot } = attempt.polling {
            let query = self.status_query(&attempt);
            let request = self.send(query);
            // Woken late, this one poll stands for all the slots that went by.
            let slot = slot.max(self.now.saturating_sub(attempt.sent_at));
            attempt.polling = Polling::Asked {
                window,
                slot,
                request,
            };
        }
        State::Active(attempt)
    }

    pub(super) fn poll_answered(
        &mut self,
        mut attempt: Box<MethodAttempt>,
        window: Window,
        slot: Duration,
        answer: Answered,
    ) -> State {
        let outcome = match &answer {
            Ok(verification) => PollOutcome::Status(verification.status.as_str()),
            Err(failure) => PollOutcome::of(failure.outcome()),
        };
        let elapsed = self.now.saturating_sub(attempt.sent_at);
        let decision = window.schedule().decide(outcome, slot, elapsed);
        attempt.polling = match decision {
            PollDecision::PollAt(slot) => Polling::Next { window, slot },
            _ => Polling::Off,
        };
        match (decision, answer) {
            (PollDecision::PollAt(_), _) => State::Active(attempt),
            (PollDecision::Verified, Ok(verification)) => self.verified(verification),
            (PollDecision::Failed, Ok(verification)) => {
                self.attempt_failed(attempt, Failure::of(verification))
            }
            (PollDecision::Failed, Err(failure)) => self.attempt_failed(attempt, failure.into_failure()),
            _ => self.window_over(attempt),
        }
    }

    /// The outcome is still unknown at the end of the window.
    fn window_over(&mut self, attempt: Box<MethodAttempt>) -> State {
        self.progress(Progress::PollingEnded);
        if self.core.settings.wait_after_polling && !self.has_next(&attempt) {
            return State::Active(attempt);
        }
        self.attempt_failed(attempt, Failure::TimedOut)
    }
}
