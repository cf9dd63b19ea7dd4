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
pub(super) enum Task {
    /// A scripted outcome happens.
    Act,
    /// A message that was held up arrives.
    Arrive,
    /// A call rang, or waited, long enough. Before expiry, if both come at once.
    CallOver,
    /// It was pending for too long.
    Expire,
}

/// Tasks by time. At one instant the older verification comes first.
#[derive(Debug, Default)]
pub(super) struct Agenda(BTreeSet<(SystemTime, Uid, Task)>);

impl Agenda {
    pub(super) fn add(&mut self, at: SystemTime, uid: Uid, task: Task) {
        self.0.insert((at, uid, task));
    }

    pub(super) fn remove(&mut self, at: SystemTime, uid: Uid, task: Task) {
        self.0.remove(&(at, uid, task));
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn next(&self) -> Option<SystemTime> {
        self.0.first().map(|(at, _, _)| *at)
    }

    /// When the next task of this kind is due.
    pub(super) fn next_of(&self, task: Task) -> Option<SystemTime> {
        let found = self.0.iter().find(|(_, _, own)| *own == task);
        found.map(|(at, _, _)| *at)
    }

    pub(super) fn pop_due(&mut self, now: SystemTime) -> Option<(SystemTime, Uid, Task)> {
        self.next().filter(|at| *at <= now)?;
        self.0.pop_first()
    }
}

impl Engine {
    /// Lets `task` happen to a verification at `at`, and no longer when it was to happen before;
    /// `None` for never.
    pub(super) fn schedule(&mut self, uid: Uid, task: Task, at: Option<SystemTime>) {
        let Some(record) = self.store.get_mut(uid) else {
            return;
        };
        if let Some(before) = std::mem::replace(record.due_mut(task), at) {
            self.agenda.remove(before, uid, task);
        }
        if let Some(at) = at {
            self.agenda.add(at, uid, task);
        }
    }

    /// A verification for which something is due that can no longer matter.
    #[cfg(test)]
    pub(crate) fn due_in_vain(&self) -> Option<Uid> {
        let in_vain = |(_, uid, task): &&(SystemTime, Uid, Task)| {
            self.store.get(*uid).is_none_or(|record| match task {
                Task::Arrive => record.arrived,
                _ => !record.is_pending(),
            })
        };
        self.agenda.0.iter().find(in_vain).map(|(_, uid, _)| *uid)
    }

    /// Whether the bytes of pending verifications are counted as they are kept.
    #[cfg(test)]
    pub(crate) fn is_counted_right(&self) -> bool {
        self.store.is_counted_right()
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
