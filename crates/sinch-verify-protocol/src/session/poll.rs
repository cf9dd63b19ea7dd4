//! Following a callout by its polling schedule.

use std::time::Duration;

use super::failure::{Failure, RequestFailure};
use super::output::Progress;
use super::phase::{Leg, Phase, Polling, Window};
use super::turn::Turn;
use crate::polling::{PollDecision, PollOutcome};
use crate::verification::Verification;

impl Turn<'_> {
    /// The time for a poll has come.
    pub(super) fn poll(&mut self, mut leg: Box<Leg>) -> Phase {
        if let Polling::Next { window, slot } = leg.polling {
            let query = self.status_query(&leg);
            let request = self.send(query);
            // Woken late, this one poll stands for all the slots that went by.
            let slot = slot.max(self.now.saturating_sub(leg.sent_at));
            leg.polling = Polling::Asked {
                window,
                slot,
                request,
            };
        }
        Phase::Active(leg)
    }

    pub(super) fn poll_answered(
        &mut self,
        mut leg: Box<Leg>,
        window: Window,
        slot: Duration,
        answer: Result<Box<Verification>, RequestFailure>,
    ) -> Phase {
        let outcome = match &answer {
            Ok(verification) => PollOutcome::Status(verification.status.as_str()),
            Err(failure) => PollOutcome::of(failure.outcome()),
        };
        let elapsed = self.now.saturating_sub(leg.sent_at);
        let decision = window.schedule().decide(outcome, slot, elapsed);
        leg.polling = match decision {
            PollDecision::PollAt(slot) => Polling::Next { window, slot },
            _ => Polling::Off,
        };
        match (decision, answer) {
            (PollDecision::PollAt(_), _) => Phase::Active(leg),
            (PollDecision::Verified, Ok(verification)) => self.verified(verification),
            (PollDecision::Failed, Ok(verification)) => self.leg_failed(leg, Failure::of(verification)),
            (PollDecision::Failed, Err(failure)) => self.leg_failed(leg, failure.into_failure()),
            _ => self.window_over(leg),
        }
    }

    /// The outcome is still unknown at the end of the window.
    fn window_over(&mut self, leg: Box<Leg>) -> Phase {
        self.progress(Progress::PollingEnded);
        if self.core.settings.wait_after_polling && !self.has_next(&leg) {
            return Phase::Active(leg);
        }
        self.leg_failed(leg, Failure::TimedOut)
    }
}
