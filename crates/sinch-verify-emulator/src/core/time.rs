//! Service time: moved, stopped, and followed by what falls due.

use std::time::{Duration, SystemTime};

use super::Core;
use crate::engine::{Command, Engine};
use crate::feed::FeedEvent;

/// What can be done to service time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
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
    pub(crate) fn turn(&self, turn: Turn) -> bool {
        let turned = self.turn_clock(turn);
        if turned {
            while self.do_some_that_is_due() {}
            self.tell(FeedEvent::Clock);
        }
        turned
    }

    /// As [`Core::turn`], with requests answered in between, however much is due.
    pub(crate) async fn turn_among_others(&self, turn: Turn) -> bool {
        let turned = self.turn_clock(turn);
        if turned {
            while self.do_some_that_is_due() {
                tokio::task::yield_now().await;
            }
            self.tell(FeedEvent::Clock);
        }
        turned
    }

    fn turn_clock(&self, turn: Turn) -> bool {
        let due = match turn {
            Turn::By(by) => {
                self.clock.advance(by);
                return true;
            }
            Turn::Pause(true) => {
                self.clock.pause();
                return true;
            }
            Turn::Pause(false) => {
                self.clock.resume();
                // The driver did not look at the clock while it stood.
                self.nearer.notify_one();
                return true;
            }
            Turn::ToNextDue => self.next_deadline(),
            Turn::ToNextExpiry => self.look(Engine::next_expiry),
        };
        if let Some(due) = due {
            self.clock.advance_to(due);
        }
        due.is_some()
    }

    /// Does some of what is due, and has events tried that are; says whether there is more.
    pub(crate) fn do_some_that_is_due(&self) -> bool {
        self.run(Command::TimeReached);
        self.try_what_is_due();
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
        self.nearer.notified().await;
    }
}
