//! The latest tries.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::delivery::Delivery;
use crate::engine::AppId;

/// The latest tries, as many as are kept.
pub(crate) struct Log {
    tries: Mutex<Tries>,
    kept: usize,
}

#[derive(Default)]
struct Tries {
    last: u64,
    kept: VecDeque<(AppId, Delivery)>,
}

impl Log {
    pub(crate) fn new(kept: usize) -> Self {
        Self {
            tries: Mutex::default(),
            kept,
        }
    }

    /// Numbers a try and keeps it; gives the number.
    pub(super) fn push(&self, app: AppId, mut delivery: Delivery) -> u64 {
        let mut tries = self.lock();
        tries.last += 1;
        delivery.seq = tries.last;
        tries.kept.push_back((app, delivery));
        while tries.kept.len() > self.kept {
            tries.kept.pop_front();
        }
        tries.last
    }

    pub(crate) fn newest_first(&self) -> Vec<Delivery> {
        self.lock()
            .kept
            .iter()
            .rev()
            .map(|(_, delivery)| delivery.clone())
            .collect()
    }

    pub(crate) fn find(&self, seq: u64) -> Option<(AppId, Delivery)> {
        let tries = self.lock();
        // Numbers have no gaps, but old ones are gone.
        let first = tries.kept.front()?.1.seq;
        let place = usize::try_from(seq.checked_sub(first)?).ok()?;
        tries.kept.get(place).cloned()
    }

    pub(crate) fn clear(&self) {
        self.lock().kept.clear();
    }

    fn lock(&self) -> MutexGuard<'_, Tries> {
        // Nothing in here panics between two steps that belong together.
        self.tries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
