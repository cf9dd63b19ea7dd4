//! Which connections wait for a request, and which of them closes when there is no room for another.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// The connections of a server that wait for the complete head of a request.
#[derive(Default)]
pub(super) struct Waiting {
    queue: Mutex<Queue>,
    /// A connection began to wait.
    joined: Notify,
}

#[derive(Default)]
struct Queue {
    /// By number: the lowest waits longest.
    connections: BTreeMap<u64, Arc<Notify>>,
    last: u64,
}

impl Waiting {
    /// Tells the connection that waits longest to close, as soon as there is one.
    pub(super) async fn close_oldest(&self) {
        loop {
            if let Some((_, close)) = self.queue().connections.pop_first() {
                close.notify_one();
                return;
            }
            // Returns at once when one began to wait since the queue was empty.
            self.joined.notified().await;
        }
    }

    /// No code that holds the lock can panic halfway, so a poisoned one is whole.
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection: it waits for a request unless it has left.
pub(super) struct Place {
    waiting: Arc<Waiting>,
    /// Its number in the queue, while it is there. No number is used twice.
    number: AtomicU64,
    close: Arc<Notify>,
}

impl Place {
    pub(super) fn new(waiting: Arc<Waiting>) -> Self {
        let place = Self {
            waiting,
            number: AtomicU64::new(0),
            close: Arc::default(),
        };
        place.join();
        place
    }

    /// A request is answered, or none has come yet: the connection waits.
    pub(super) fn join(&self) {
        let mut queue = self.waiting.queue();
        queue.last += 1;
        let number = queue.last;
        queue.connections.insert(number, Arc::clone(&self.close));
        self.number.store(number, Ordering::Relaxed);
        drop(queue);
        self.waiting.joined.notify_one();
    }

    /// The head of a request is complete: the connection does not wait.
    pub(super) fn leave(&self) {
        let number = self.number.load(Ordering::Relaxed);
        self.waiting.queue().connections.remove(&number);
    }

    /// Returns when this connection is to make room for another. It may have a request by then.
    pub(super) async fn told_to_close(&self) {
        self.close.notified().await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.leave();
    }
}
