//! Events that are not delivered yet: the dispatcher's jobs, the next tries, and the count.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::sync::{oneshot, watch};

use super::Core;
use crate::engine::{Answer, AppId, DecisionRequest, Effect, Uid};

/// A job of the dispatcher.
pub(crate) enum Job {
    /// A request event; the engine's answer to the decision goes to `reply`.
    RequestEvent {
        app: AppId,
        decision_request: DecisionRequest,
        reply: oneshot::Sender<Answer>,
    },
    /// A result or delivered event, and the sum of all moves of service time when it happened.
    DeliverEvent { effect: Effect, moved: Duration },
    /// Try an event again. The try was due at this service time.
    Retry { uid: Uid, due: SystemTime },
    /// List all undelivered events.
    ListWaiting { reply: oneshot::Sender<Vec<Waiting>> },
    /// Drop all undelivered events.
    Forget,
}

/// An undelivered event, for a list.
#[derive(Clone, Debug)]
pub(crate) struct Waiting {
    pub(crate) app: AppId,
    pub(crate) uid: Uid,
    pub(crate) event: &'static str,
    /// The number of the current or next try.
    pub(crate) attempt: u32,
    /// When the next try is due, service time. `None` while a try is under way, or while the event waits
    /// for an earlier event of the same verification.
    pub(crate) next_at: Option<SystemTime>,
    pub(crate) under_way: bool,
}

/// Counts the undelivered events of each application: those that the engine emitted and that were not yet
/// delivered, given up or dropped.
pub(crate) struct Outstanding(watch::Sender<Vec<usize>>);

impl Default for Outstanding {
    fn default() -> Self {
        Self(watch::Sender::new(Vec::new()))
    }
}

impl Outstanding {
    pub(crate) fn add(&self, app: AppId) {
        let index = app.0 as usize;
        self.0.send_modify(|counts| {
            if index >= counts.len() {
                counts.resize(index + 1, 0);
            }
            counts[index] += 1;
        });
    }

    pub(crate) fn remove(&self, app: AppId, settled: usize) {
        self.0.send_modify(|counts| {
            if let Some(count) = counts.get_mut(app.0 as usize) {
                *count = count.saturating_sub(settled);
            }
        });
    }

    /// How many there are, of all applications.
    pub(crate) fn count(&self) -> usize {
        self.0.borrow().iter().sum()
    }

    /// Waits until there are none, of one application if given.
    pub(crate) async fn none(&self, app: Option<AppId>) {
        let are_none = |counts: &Vec<usize>| match app {
            Some(app) => counts.get(app.0 as usize).is_none_or(|count| *count == 0),
            None => counts.iter().all(|count| *count == 0),
        };
        // The sender lives as long as this future, so the wait cannot fail.
        let _ = self.0.subscribe().wait_for(are_none).await;
    }
}

/// The next tries, by service time: at most one for each verification.
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
        // No update can panic halfway, so the state is valid.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Core {
    /// Schedules the next try of an event. Returns `false` if it is due now.
    pub(crate) fn schedule_retry(&self, due: SystemTime, uid: Uid) -> bool {
        let mut retries = self.retries.lock();
        // Under the lock, so that a later move of the clock finds the new try.
        if due <= self.clock.service() {
            return false;
        }
        retries.insert((due, uid));
        let is_next = retries.first() == Some(&(due, uid));
        drop(retries);
        if is_next {
            self.deadline_change.notify_one();
        }
        true
    }

    /// Cancels all scheduled tries.
    pub(crate) fn forget_retries(&self) {
        self.retries.lock().clear();
    }

    /// Starts all tries that are due, in order.
    pub(super) fn run_due_retries(&self) {
        let now = self.clock.service();
        while let Some((due, uid)) = self.retries.pop_due(now) {
            self.post(Job::Retry { uid, due });
        }
    }
}
