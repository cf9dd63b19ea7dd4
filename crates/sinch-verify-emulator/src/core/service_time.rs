//! Service time: moved, stopped, and followed by what falls due.

use std::time::{Duration, SystemTime};

use super::Core;
use crate::engine::{Command, Engine};
use crate::feed::FeedEvent;

/// What can be done to service time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClockChange {
    /// It moves ahead.
    By(Duration),
    /// It moves to whatever is due next.
    ToNextDue,
    /// It moves to the next expiry of a verification.
    ToNextExpiry,
    /// It stands, or goes on.
    Pause(bool),
}

impl Core {
    /// Moves service time, and does all that is due then before this returns. Says whether there was
    /// anything to move it to.
    pub(crate) fn change_clock(&self, change: ClockChange) -> bool {
        let is_changed = self.apply_clock_change(change);
        if is_changed {
            while self.run_due_batch() {}
            self.publish(FeedEvent::Clock);
        }
        is_changed
    }

    /// As [`Core::change_clock`], with requests answered in between, however much is due.
    pub(crate) async fn change_clock_yielding(&self, change: ClockChange) -> bool {
        let is_changed = self.apply_clock_change(change);
        if is_changed {
            while self.run_due_batch() {
                tokio::task::yield_now().await;
            }
            self.publish(FeedEvent::Clock);
        }
        is_changed
    }

    fn apply_clock_change(&self, change: ClockChange) -> bool {
        let due = match change {
            ClockChange::By(by) => {
                self.clock.advance(by);
                return true;
            }
            ClockChange::Pause(true) => {
                self.clock.pause();
                return true;
            }
            ClockChange::Pause(false) => {
                self.clock.resume();
                // The driver did not look at the clock while it stood.
                self.deadline_change.notify_one();
                return true;
            }
            ClockChange::ToNextDue => self.next_deadline(),
            ClockChange::ToNextExpiry => self.with_engine(Engine::next_expiry),
        };
        if let Some(due) = due {
            self.clock.advance_to(due);
        }
        due.is_some()
    }

    /// Does some of what is due, and has events tried that are; says whether there is more.
    pub(crate) fn run_due_batch(&self) -> bool {
        self.run(Command::TimeReached);
        self.run_due_retries();
        let now = self.clock.service();
        self.next_deadline().is_some_and(|deadline| deadline <= now)
    }

    /// When something happens next by itself: to a verification, or to an event that was not heard.
    pub(crate) fn next_deadline(&self) -> Option<SystemTime> {
        let of_verifications = self.lock().next_deadline();
        let of_events = self.retries.next();
        of_verifications.into_iter().chain(of_events).min()
    }

    pub(crate) async fn deadline_moved(&self) {
        self.deadline_change.notified().await;
    }
}
