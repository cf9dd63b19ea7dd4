use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::cpu::{Busy, SCHEDULE};
use crate::arrivals::{Queue, Schedule};
use crate::recorder::{Phase, Recorder};

/// How many users are there.
#[derive(Debug, Default)]
pub(crate) struct Ready(AtomicUsize);

impl Ready {
    /// One more is there.
    pub(crate) fn one_more(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// Waits until `all` are there, for at most `patience`.
    pub(crate) fn wait(&self, all: usize, patience: Duration) {
        let deadline = Instant::now() + patience;
        while self.0.load(Ordering::Relaxed) < all && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(2));
        }
    }
}

/// Starts flows when they are due, and ends the run, by the wall clock. It has threads of the operating
/// system: a runtime whose workers are all busy can neither delay a schedule nor keep a run from ending.
#[derive(Debug)]
pub(crate) struct Scheduler {
    /// What counts the run.
    pub(crate) recorder: Arc<Recorder>,
    /// When flows are due, and where they wait; `None` in a closed model.
    pub(crate) schedule: Option<(Schedule, Arc<Queue>)>,
    /// For how long flows are started.
    pub(crate) duration: Duration,
    /// How long those under way may take after that.
    pub(crate) grace: Duration,
    /// How busy the generator's threads are.
    pub(crate) busy: Busy,
}

/// The longest sleep: so soon a run that is stopped from elsewhere is noticed.
const NAP: Duration = Duration::from_millis(50);
/// Between two looks whether everything is over.
const LOOK: Duration = Duration::from_millis(10);

impl Scheduler {
    /// Begins the run `at` this moment, which may lie ahead. `over` is called when the run has ended.
    ///
    /// # Errors
    ///
    /// When the operating system gives no thread.
    pub(crate) fn start(
        self,
        at: Instant,
        over: impl FnOnce() + Send + 'static,
    ) -> io::Result<JoinHandle<()>> {
        let Self {
            recorder,
            schedule,
            duration,
            grace,
            busy,
        } = self;
        recorder.open(at);
        let counting = Arc::clone(&recorder);
        thread::Builder::new()
            .name("sampler".to_owned())
            .spawn(move || count_seconds(&counting, at, busy))?;
        thread::Builder::new().name(SCHEDULE.to_owned()).spawn(move || {
            let queue = schedule.map(|(schedule, queue)| {
                fill(&recorder, schedule, &queue, at);
                queue
            });
            sleep_until(&recorder, at + duration, Phase::Running);
            recorder.close();
            if let Some(queue) = &queue {
                queue.close();
            }
            let idle = || recorder.in_flight() == 0 && queue.as_ref().is_none_or(|queue| queue.is_empty());
            let last = at + duration + grace;
            // Twice in a row: between the queue and the users a flow is in neither.
            let mut seen_idle = false;
            while Instant::now() < last && recorder.phase() < Phase::Stopped {
                if idle() && seen_idle {
                    break;
                }
                seen_idle = idle();
                thread::sleep(LOOK);
            }
            recorder.expire();
            for arrival in queue.iter().flat_map(|queue| queue.clear()) {
                recorder.dropped(arrival.at.unwrap_or_default());
            }
            over();
        })
    }
}

/// Puts everything into the queue when it is due. What finds no room is counted, and the schedule
/// goes on.
fn fill(recorder: &Recorder, schedule: Schedule, queue: &Queue, origin: Instant) {
    for arrival in schedule {
        let due = arrival.at.unwrap_or_default();
        if !sleep_until(recorder, origin + due, Phase::Running) {
            return;
        }
        recorder.scheduled(due);
        if !queue.push(arrival) {
            recorder.dropped(due);
        }
    }
}

/// Closes the seconds of a run as they pass.
fn count_seconds(recorder: &Recorder, origin: Instant, mut busy: Busy) {
    sleep_until(recorder, origin, Phase::Draining);
    busy.since_last(Duration::ZERO);
    for second in 1_u32.. {
        let begun = Instant::now();
        if !sleep_until(
            recorder,
            origin + Duration::from_secs(1) * second,
            Phase::Draining,
        ) {
            return;
        }
        recorder.tick(busy.since_last(begun.elapsed()));
    }
}

/// Sleeps until `then`; returns whether the run is still no further than `phase`.
fn sleep_until(recorder: &Recorder, then: Instant, phase: Phase) -> bool {
    loop {
        if recorder.phase() > phase {
            return false;
        }
        let left = then.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return true;
        }
        // The system wakes this thread late, mostly by 50 to 100 µs, which counts as our own delay and is
        // most of it. Left as it is: a timer without slack (`timerslack_ns` of 1) is as late in a virtual
        // machine, and to spin for the last 100 µs takes a core from 10,000 flows a second on.
        thread::sleep(left.min(NAP));
    }
}
