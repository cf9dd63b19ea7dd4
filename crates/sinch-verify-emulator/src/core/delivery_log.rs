//! The log of the latest deliveries.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::delivery::Delivery;
use crate::engine::AppId;
use crate::ring_buffer::RingBuffer;

/// The latest deliveries. The oldest are dropped.
pub(crate) struct DeliveryLog {
    tries: Mutex<RingBuffer<(AppId, Delivery)>>,
    /// Notified of failed deliveries only, so that a success wakes no task.
    failed: Notify,
}

impl DeliveryLog {
    pub(crate) fn new(kept: usize) -> Self {
        Self {
            tries: Mutex::new(RingBuffer::new(kept)),
            failed: Notify::new(),
        }
    }

    /// Numbers and keeps a delivery. Returns the number.
    pub(crate) fn push(&self, app: AppId, mut delivery: Delivery) -> u64 {
        let ok = delivery.ok;
        let seq = self.lock().push(|seq| {
            delivery.seq = seq;
            (app, delivery)
        });
        if !ok {
            self.failed.notify_waiters();
        }
        seq
    }

    /// The deliveries before `seq` that `fits` selects, newest first.
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

    /// Waits for a failed delivery after `seq`. Returns the oldest one that is kept.
    pub(crate) async fn next_failed(&self, seq: u64) -> Delivery {
        loop {
            let failed = self.failed.notified();
            tokio::pin!(failed);
            // Enabled before the search, so that no failure is missed in between.
            failed.as_mut().enable();
            let found = {
                let tries = self.lock();
                let newer = tries
                    .before(u64::MAX)
                    .take_while(|(_, delivery)| delivery.seq > seq);
                newer
                    .filter(|(_, delivery)| !delivery.ok)
                    .last()
                    .map(|(_, delivery)| delivery.clone())
            };
            if let Some(delivery) = found {
                return delivery;
            }
            failed.await;
        }
    }

    pub(crate) fn find(&self, seq: u64) -> Option<(AppId, Delivery)> {
        self.lock().get(seq).cloned()
    }

    pub(crate) fn clear(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, RingBuffer<(AppId, Delivery)>> {
        // No update can panic halfway, so the state is valid.
        self.tries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
