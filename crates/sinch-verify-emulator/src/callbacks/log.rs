//! The latest tries.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::delivery::Delivery;

/// The latest tries, as many as are kept.
pub(crate) struct Log {
    tries: Mutex<Tries>,
    kept: usize,
}

#[derive(Default)]
struct Tries {
    last: u64,
    kept: VecDeque<Delivery>,
}

impl Log {
    pub(crate) fn new(kept: usize) -> Self {
        Self {
            tries: Mutex::default(),
            kept,
        }
    }

    /// Numbers a try and keeps it.
    pub(super) fn push(&self, mut delivery: Delivery) {
        let mut tries = self.lock();
        tries.last += 1;
        delivery.seq = tries.last;
        tries.kept.push_back(delivery);
        while tries.kept.len() > self.kept {
            tries.kept.pop_front();
        }
    }

    pub(crate) fn newest_first(&self) -> Vec<Delivery> {
        self.lock().kept.iter().rev().cloned().collect()
    }

    pub(crate) fn clear(&self) {
        self.lock().kept.clear();
    }

    fn lock(&self) -> MutexGuard<'_, Tries> {
        // Nothing in here panics between two steps that belong together.
        self.tries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
