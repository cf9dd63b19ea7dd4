//! The latest tries.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::delivery::Delivery;
use crate::engine::AppId;
use crate::ring::Ring;

/// The latest tries, as many as are kept.
pub(crate) struct Log(Mutex<Ring<(AppId, Delivery)>>);

impl Log {
    pub(crate) fn new(kept: usize) -> Self {
        Self(Mutex::new(Ring::new(kept)))
    }

    /// Numbers a try and keeps it; gives the number.
    pub(super) fn push(&self, app: AppId, mut delivery: Delivery) -> u64 {
        self.lock().push(|seq| {
            delivery.seq = seq;
            (app, delivery)
        })
    }

    /// Those before `seq` that `fits` takes, newest first.
    pub(crate) fn before(
        &self,
        seq: u64,
        most: usize,
        fits: impl Fn(AppId, &Delivery) -> bool,
    ) -> Vec<Delivery> {
        let tries = self.lock();
        let fitting = tries.before(seq).filter(|(app, delivery)| fits(*app, delivery));
        fitting.map(|(_, delivery)| delivery.clone()).take(most).collect()
    }

    pub(crate) fn find(&self, seq: u64) -> Option<(AppId, Delivery)> {
        self.lock().get(seq).cloned()
    }

    pub(crate) fn clear(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, Ring<(AppId, Delivery)>> {
        // Nothing in here panics between two steps that belong together.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
