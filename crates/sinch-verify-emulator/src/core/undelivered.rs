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
    /// Any other event, and how far service time had been moved by hand when it came about.
    DeliverEvent { effect: Effect, moved: Duration },
    /// Try an event again; the try was due at this service time.
    Retry { uid: Uid, due: SystemTime },
    /// List the events that wait or are being posted.
    ListWaiting { reply: oneshot::Sender<Vec<Waiting>> },
    /// Drop all events that wait or are being posted.
    Forget,
}

/// An event that was not heard yet.
#[derive(Clone, Debug)]
pub(crate) struct Waiting {
    pub(crate) app: AppId,
    pub(crate) uid: Uid,
    pub(crate) event: &'static str,
    /// The try that is under way, or comes next.
    pub(crate) attempt: u32,
    /// When that is, service time; `None` when it is under way, or waits for another event of
    /// the same verification.
    pub(crate) next_at: Option<SystemTime>,
    pub(crate) under_way: bool,
}

/// Counts events from the moment the engine gives them out to the moment they are heard, given up
/// or dropped.
pub(crate) struct Outstanding(watch::Sender<usize>);

impl Default for Outstanding {
    fn default() -> Self {
        Self(watch::Sender::new(0))
    }
}

impl Outstanding {
    pub(crate) fn add(&self) {
        self.0.send_modify(|count| *count += 1);
    }

    pub(crate) fn remove(&self, settled: usize) {
        self.0.send_modify(|count| *count = count.saturating_sub(settled));
    }

    /// Resolves once there are none.
    pub(crate) async fn none(&self) {
        // The sender lives as long as this future, so waiting cannot fail.
        let _ = self.0.subscribe().wait_for(|count| *count == 0).await;
    }
}

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
    pub(crate) fn schedule_retry(&self, due: SystemTime, uid: Uid) -> bool {
        let mut retries = self.retries.lock();
        // Under the lock: a move of the clock after this look finds what is put in here.
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

    /// Has nothing tried again that waits.
    pub(crate) fn forget_retries(&self) {
        self.retries.lock().clear();
    }

    /// Has all that is due tried, in order.
    pub(super) fn run_due_retries(&self) {
        let now = self.clock.service();
        while let Some((due, uid)) = self.retries.pop_due(now) {
            self.post(Job::Retry { uid, due });
        }
    }
}
