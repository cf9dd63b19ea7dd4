//! The timers of verifications.
//!
//! Each verification also keeps the times of its own timers, so that they can be canceled.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use super::Engine;
use super::ids::Uid;
use crate::clock;

/// What happens to a verification when a timer is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Timer {
    /// The scripted outcome is applied.
    Outcome,
    /// A delayed message arrives.
    Arrive,
    /// A call stops ringing or waiting for keys. At one instant this comes before the expiry.
    CallOver,
    /// The verification expires.
    Expire,
}

/// All timers, by time. At one instant the older verification comes first.
#[derive(Debug, Default)]
pub(super) struct Timers(BTreeSet<(SystemTime, Uid, Timer)>);

impl Timers {
    pub(super) fn add(&mut self, at: SystemTime, uid: Uid, timer: Timer) {
        self.0.insert((at, uid, timer));
    }

    pub(super) fn remove(&mut self, at: SystemTime, uid: Uid, timer: Timer) {
        self.0.remove(&(at, uid, timer));
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn next(&self) -> Option<SystemTime> {
        self.0.first().map(|(at, _, _)| *at)
    }

    /// The time of the next timer of this kind.
    pub(super) fn next_of(&self, timer: Timer) -> Option<SystemTime> {
        let found = self.0.iter().find(|(_, _, own)| *own == timer);
        found.map(|(at, _, _)| *at)
    }

    pub(super) fn pop_due(&mut self, now: SystemTime) -> Option<(SystemTime, Uid, Timer)> {
        self.next().filter(|at| *at <= now)?;
        self.0.pop_first()
    }
}

impl FromIterator<(SystemTime, Uid, Timer)> for Timers {
    fn from_iter<I: IntoIterator<Item = (SystemTime, Uid, Timer)>>(timers: I) -> Self {
        Self(timers.into_iter().collect())
    }
}

impl Engine {
    /// Sets or replaces a timer of a verification. `None` cancels it.
    pub(super) fn schedule(&mut self, uid: Uid, timer: Timer, at: Option<SystemTime>) {
        let Some(record) = self.store.get_mut(uid) else {
            return;
        };
        if let Some(before) = std::mem::replace(record.due_mut(timer), at) {
            self.timers.remove(before, uid, timer);
        }
        if let Some(at) = at {
            self.timers.add(at, uid, timer);
        }
    }

    /// A verification with a timer that no longer has an effect.
    #[cfg(test)]
    pub(crate) fn stale_timer(&self) -> Option<Uid> {
        let is_stale = |(_, uid, timer): &&(SystemTime, Uid, Timer)| {
            self.store.get(*uid).is_none_or(|record| match timer {
                Timer::Arrive => record.arrived,
                _ => !record.is_pending(),
            })
        };
        self.timers.0.iter().find(is_stale).map(|(_, uid, _)| *uid)
    }

    /// Whether the count of bytes equals the bytes of all pending verifications.
    #[cfg(test)]
    pub(crate) fn is_byte_count_correct(&self) -> bool {
        self.store.is_byte_count_correct()
    }

    /// The instant after a duration. `None` if it is past the end of service time and so never comes.
    pub(super) fn later(&self, by: Duration) -> Option<SystemTime> {
        after(self.now, by)
    }
}

/// As [`Engine::later`], counted from `at`.
pub(super) fn after(at: SystemTime, by: Duration) -> Option<SystemTime> {
    at.checked_add(by).filter(|at| *at <= clock::end())
}
