use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Semaphore;

use crate::model::Arrival;

/// What is due and was not started yet, first come, first served.
///
/// It has an end: a schedule never waits, and what finds no room is dropped.
#[derive(Debug)]
pub(crate) struct Queue {
    waiting: Mutex<VecDeque<Arrival>>,
    /// One permit for each that waits. Closed when nothing will come any more.
    there: Semaphore,
    room: usize,
}

impl Queue {
    /// A queue with room for so many.
    #[must_use]
    pub(crate) fn new(room: usize) -> Self {
        Self {
            waiting: Mutex::default(),
            there: Semaphore::new(0),
            room,
        }
    }

    /// Puts one in; says whether there was room.
    pub(crate) fn push(&self, arrival: Arrival) -> bool {
        let mut waiting = self.lock();
        if waiting.len() >= self.room {
            return false;
        }
        waiting.push_back(arrival);
        drop(waiting);
        self.there.add_permits(1);
        true
    }

    /// Waits for the next; `None` once the queue is closed and empty.
    pub(crate) async fn next(&self) -> Option<Arrival> {
        // Closed, it gives no permit: what still waits is taken without.
        if let Ok(permit) = self.there.acquire().await {
            permit.forget();
        }
        self.lock().pop_front()
    }

    /// Says that nothing will come any more. What waits is still handed out.
    pub(crate) fn close(&self) {
        self.there.close();
    }

    /// Takes everything out that waits.
    pub(crate) fn clear(&self) -> VecDeque<Arrival> {
        std::mem::take(&mut *self.lock())
    }

    /// Whether nothing waits.
    #[must_use]
    pub(crate) fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Arrival>> {
        // No operation of a queue leaves it half done.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn arrival(index: u64) -> Arrival {
        Arrival { index, at: None }
    }

    #[tokio::test]
    async fn first_come_first_served_until_closed() {
        let queue = Queue::new(10);
        assert!((0..3).all(|index| queue.push(arrival(index))));
        assert_eq!(queue.next().await.unwrap().index, 0);
        queue.close();
        assert_eq!(queue.next().await.unwrap().index, 1);
        assert_eq!(queue.next().await.unwrap().index, 2);
        assert_eq!(queue.next().await, None);
    }

    #[tokio::test]
    async fn what_finds_no_room_is_told() {
        let queue = Queue::new(2);
        assert!(queue.push(arrival(0)));
        assert!(queue.push(arrival(1)));
        assert!(!queue.push(arrival(2)));
        queue.next().await.unwrap();
        assert!(queue.push(arrival(3)));
        assert_eq!(queue.clear().len(), 2);
        assert!(queue.is_empty());
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn everything_is_handed_out_once() {
        const N: u64 = 20_000;
        let queue = Arc::new(Queue::new(usize::MAX));
        let takers: Vec<_> = (0..8)
            .map(|_| {
                let queue = Arc::clone(&queue);
                tokio::spawn(async move {
                    let mut taken = Vec::new();
                    while let Some(arrival) = queue.next().await {
                        taken.push(arrival.index);
                    }
                    taken
                })
            })
            .collect();
        let putter = {
            let queue = Arc::clone(&queue);
            std::thread::spawn(move || (0..N).for_each(|index| assert!(queue.push(arrival(index)))))
        };
        putter.join().unwrap();
        queue.close();
        let mut all = Vec::new();
        for taker in takers {
            all.extend(taker.await.unwrap());
        }
        all.sort_unstable();
        assert_eq!(all, (0..N).collect::<Vec<_>>());
    }
}
