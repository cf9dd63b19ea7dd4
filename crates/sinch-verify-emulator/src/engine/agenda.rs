//! What will happen by itself, and when.

use std::collections::BTreeSet;
use std::time::SystemTime;

use super::record::Uid;

/// Something that happens to a verification when its time has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Task {
    /// Whoever holds the handset does something, or the network does.
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
