//! Changes service time, and runs what falls due.

use std::time::{Duration, SystemTime};

use super::Core;
use crate::engine::{Command, Engine};
use crate::feed::FeedEvent;

/// A change of service time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClockChange {
    /// Move ahead by this duration.
    By(Duration),
    /// Move to the next deadline.
    ToNextDue,
    /// Move to the next expiry of a verification.
    ToNextExpiry,
    /// Pause (`true`) or resume (`false`).
    Pause(bool),
}

impl Core {
    /// Changes service time and runs everything that is due. Returns `false` if there is no deadline to
    /// move to.
    pub(crate) fn change_clock(&self, change: ClockChange) -> bool {
        let is_changed = self.apply_clock_change(change);
        if is_changed {
            while self.run_due_batch() {}
            self.publish_clock();
        }
        is_changed
    }

    /// As [`Core::change_clock`], but answers requests in between.
    pub(crate) async fn change_clock_yielding(&self, change: ClockChange) -> bool {
        let is_changed = self.apply_clock_change(change);
        if is_changed {
            while self.run_due_batch() {
                tokio::task::yield_now().await;
            }
            self.publish_clock();
        }
        is_changed
    }

    fn publish_clock(&self) {
        self.lock().note_change();
        self.publish(FeedEvent::Clock);
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
                // The clock driver does not check deadlines while the clock is paused.
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

    /// Runs a part of what is due in the engine, and all tries that are due. Returns whether more is due.
    pub(crate) fn run_due_batch(&self) -> bool {
        self.run(Command::TimeReached);
        self.run_due_retries();
        let now = self.clock.service();
        self.next_deadline().is_some_and(|deadline| deadline <= now)
    }

    /// The next deadline: of a verification, or of the next try of an event.
    pub(crate) fn next_deadline(&self) -> Option<SystemTime> {
        let of_verifications = self.lock().next_deadline();
        let of_events = self.retries.next();
        of_verifications.into_iter().chain(of_events).min()
    }

    pub(crate) async fn deadline_moved(&self) {
        self.deadline_change.notified().await;
    }
}
