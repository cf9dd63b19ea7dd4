use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::arrivals::{Arrival, Queue, Schedule};
use crate::board::{Board, Phase};
use crate::cpu::{Busy, SCHEDULE};

/// How many users are there.
#[derive(Debug, Default)]
pub struct Ready(AtomicUsize);

impl Ready {
    /// One more is there.
    pub fn one_more(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// Waits until `all` are there, for at most `patience`.
    pub fn wait(&self, all: usize, patience: Duration) {
        let deadline = Instant::now() + patience;
        while self.0.load(Ordering::Relaxed) < all && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(2));
        }
    }
}

/// Leads a run through its phases by the wall clock, on threads of the operating system: a runtime
/// whose workers are all busy can neither delay a schedule nor keep a run from ending.
#[derive(Debug)]
pub struct Conductor {
    /// Where the run counts.
    pub board: Arc<Board>,
    /// When flows are due, and where they wait; `None` in a closed model.
    pub schedule: Option<(Schedule, Arc<Queue>)>,
    /// For how long flows are started.
    pub duration: Duration,
    /// How long those under way may take after that.
    pub grace: Duration,
    /// How busy the generator's threads are.
    pub busy: Busy,
}

/// The longest sleep: so soon a run that is stopped from elsewhere is noticed.
const NAP: Duration = Duration::from_millis(50);
/// Between two looks whether everything is over.
const LOOK: Duration = Duration::from_millis(10);

impl Conductor {
    /// Begins the run `at` this moment, which may lie ahead, and leads it to its end; `over` is
    /// called then.
    ///
    /// # Errors
    ///
    /// When the operating system gives no thread.
    pub fn lead(self, at: Instant, over: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
        let Self {
            board,
            schedule,
            duration,
            grace,
            busy,
        } = self;
        board.open(at);
        let counting = Arc::clone(&board);
        thread::Builder::new()
            .name("sampler".to_owned())
            .spawn(move || count_seconds(&counting, at, busy))?;
        thread::Builder::new().name(SCHEDULE.to_owned()).spawn(move || {
            let queue = schedule.map(|(schedule, queue)| {
                fill(&board, schedule, &queue, at);
                queue
            });
            sleep_until(&board, at + duration, Phase::Running);
            board.close();
            if let Some(queue) = &queue {
                queue.close();
            }
            let idle = || board.in_flight() == 0 && queue.as_ref().is_none_or(|queue| queue.is_empty());
            let last = at + duration + grace;
            // Twice in a row: between the queue and the users a flow is in neither.
            let mut seen_idle = false;
            while Instant::now() < last && board.phase() < Phase::Stopped {
                if idle() && seen_idle {
                    break;
                }
                seen_idle = idle();
                thread::sleep(LOOK);
            }
            board.expire();
            for arrival in queue.iter().flat_map(|queue| queue.clear()) {
                board.dropped(arrival.due);
            }
            over();
        })
    }
}

/// Puts everything into the queue when it is due. What finds no room is counted, and the schedule
/// goes on.
fn fill(board: &Board, schedule: Schedule, queue: &Queue, origin: Instant) {
    for slot in schedule {
        let due = origin + slot.at;
        if !sleep_until(board, due, Phase::Running) {
            return;
        }
        board.scheduled(due);
        if !queue.push(Arrival {
            slot: slot.index,
            due,
        }) {
            board.dropped(due);
        }
    }
}

/// Closes the seconds of a run as they pass.
fn count_seconds(board: &Board, origin: Instant, mut busy: Busy) {
    sleep_until(board, origin, Phase::Draining);
    busy.since_last(Duration::ZERO);
    for second in 1_u32.. {
        let begun = Instant::now();
        if !sleep_until(board, origin + Duration::from_secs(1) * second, Phase::Draining) {
            return;
        }
        board.tick(busy.since_last(begun.elapsed()));
    }
}

/// Sleeps until `then`; says whether the run is still no further than `phase`.
fn sleep_until(board: &Board, then: Instant, phase: Phase) -> bool {
    loop {
        if board.phase() > phase {
            return false;
        }
        let left = then.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return true;
        }
        // Linux lets this last up to 50 µs longer, which counts as our own delay. Left as it is: woken
        // for each flow by itself (`timerslack_ns` of 1), this thread took so much of a core that it
        // shared with the users that a seventh of the flows at half of capacity was lost.
        thread::sleep(left.min(NAP));
    }
}
