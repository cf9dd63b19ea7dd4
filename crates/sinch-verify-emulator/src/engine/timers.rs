//! What will happen by itself, and when.
//!
//! Each verification knows when its tasks are due, so that none of them outlives what it is for.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use super::Engine;
use super::ids::Uid;
use crate::clock;

/// Something that happens to a verification when its time has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Timer {
    /// A scripted outcome happens.
    Outcome,
    /// A message that was held up arrives.
    Arrive,
    /// A call rang, or waited, long enough. Before expiry, if both come at once.
    CallOver,
    /// It was pending for too long.
    Expire,
}

/// Tasks by time. At one instant the older verification comes first.
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

    /// When the next timer of this kind is due.
    pub(super) fn next_of(&self, timer: Timer) -> Option<SystemTime> {
        let found = self.0.iter().find(|(_, _, own)| *own == timer);
        found.map(|(at, _, _)| *at)
    }

    pub(super) fn pop_due(&mut self, now: SystemTime) -> Option<(SystemTime, Uid, Timer)> {
        self.next().filter(|at| *at <= now)?;
        self.0.pop_first()
    }
}

impl Engine {
    /// Lets `timer` happen to a verification at `at`, and no longer when it was to happen before;
    /// `None` for never.
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

    /// A verification for which something is due that can no longer matter.
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

    /// Whether the bytes of pending verifications are counted as they are kept.
    #[cfg(test)]
    pub(crate) fn is_byte_count_correct(&self) -> bool {
        self.store.is_byte_count_correct()
    }

    /// The instant after so long; `None` when the clock ends before: what is due then never comes.
    pub(super) fn later(&self, by: Duration) -> Option<SystemTime> {
        after(self.now, by)
    }
}

/// As [`Engine::later`], counted from `at`.
pub(super) fn after(at: SystemTime, by: Duration) -> Option<SystemTime> {
    at.checked_add(by).filter(|at| *at <= clock::end())
}
