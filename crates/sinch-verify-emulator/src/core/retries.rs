//! When events that were not heard are tried again.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use super::Core;
use super::jobs::Job;
use crate::engine::Uid;

/// The next tries, by service time; of each verification one event at most waits for its own.
#[derive(Default)]
pub(super) struct Retries(Mutex<BTreeSet<(SystemTime, Uid)>>);

impl Retries {
    pub(super) fn next(&self) -> Option<SystemTime> {
        self.lock().first().map(|(due, _)| *due)
    }

    fn pop_due(&self, now: SystemTime) -> Option<(SystemTime, Uid)> {
        let mut due = self.lock();
        due.first().filter(|(at, _)| *at <= now)?;
        due.pop_first()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeSet<(SystemTime, Uid)>> {
        // Nothing in here panics between two steps that belong together.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Core {
    /// Has an event tried again at `due`; says `false` when that is now.
    pub(crate) fn try_again_at(&self, due: SystemTime, uid: Uid) -> bool {
        let mut retries = self.retries.lock();
        // Under the lock: a move of the clock after this look finds what is put in here.
        if due <= self.clock.service() {
            return false;
        }
        retries.insert((due, uid));
        let is_next = retries.first() == Some(&(due, uid));
        drop(retries);
        if is_next {
            self.nearer.notify_one();
        }
        true
    }

    /// Has nothing tried again that waits.
    pub(crate) fn forget_retries(&self) {
        self.retries.lock().clear();
    }

    /// Has all that is due tried, in order.
    pub(super) fn try_what_is_due(&self) {
        let now = self.clock.service();
        while let Some((due, uid)) = self.retries.pop_due(now) {
            self.post(Job::Retry { uid, due });
        }
    }
}
