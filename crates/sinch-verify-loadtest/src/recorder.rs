//! Counts while a run goes on, and says how far it is.

mod progress;
mod seconds;
mod snapshot;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::model::{Arrival, Counters, FlowEnd, FlowRecord, LATE, Load, Measurements, Second, Setup, Shard};

pub(crate) use snapshot::Snapshot;

use progress::Progress;
use seconds::Seconds;

/// Counts what happens in a run, and knows how far the run is. The virtual users, the scheduler, the
/// callback receiver and the live view share it.
///
/// Times count from the beginning of the run. Flows due during the warm-up are counted apart, and are
/// not in the figures.
#[derive(Debug)]
pub(crate) struct Recorder {
    load: Load,
    shard: Shard,
    duration: Duration,
    warm_up: Duration,
    state: Mutex<State>,
    in_flight: AtomicU64,
    origin: OnceLock<Instant>,
    ended: OnceLock<Instant>,
    progress: watch::Sender<Progress>,
}

#[derive(Debug, Default)]
struct State {
    counted: Counters,
    warm_up: Counters,
    flows: Measurements,
    seconds: Seconds,
    in_flight_max: u64,
}

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    /// Flows are started.
    Running,
    /// No flow is started any more; those under way go on.
    Draining,
    /// The run is over. Flows still under way have failed, or were cut off where the run was ended before
    /// its time.
    Stopped,
}

/// How a callback is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CallbackSeen {
    /// It was for a flow of this run, the first of its kind.
    Taken,
    /// It had come before.
    Duplicate,
    /// It was the first of its kind, and its flow had stopped waiting for it.
    Overdue,
    /// It was for no flow of this run.
    Orphan,
    /// It was not authentic, or not fresh.
    Refused,
}

/// Everything that was counted.
#[derive(Clone, Debug)]
pub(crate) struct Counted {
    /// Of flows due after the warm-up.
    pub(crate) counters: Counters,
    /// Of flows due before.
    pub(crate) warm_up: Counters,
    /// What was measured of flows due after the warm-up.
    pub(crate) flows: Measurements,
    /// Second by second.
    pub(crate) series: Vec<Second>,
    /// The most flows that were under way at once.
    pub(crate) in_flight_max: u64,
    /// From the beginning of the schedule to the end of the run.
    pub(crate) elapsed: Duration,
}

impl Recorder {
    /// A recorder for one shard of a run of this setup.
    #[must_use]
    pub(crate) fn new(setup: &Setup, shard: Shard) -> Self {
        Self {
            load: setup.load.clone(),
            shard,
            duration: setup.duration(),
            warm_up: setup.warm_up(),
            state: Mutex::default(),
            in_flight: AtomicU64::new(0),
            origin: OnceLock::new(),
            ended: OnceLock::new(),
            progress: watch::Sender::new(Progress::START),
        }
    }

    /// The run begins `at` this moment: it is what the schedule and the warm-up count from.
    pub(crate) fn open(&self, at: Instant) {
        let _ = self.origin.set(at);
    }

    /// When the run began; `None` before.
    #[must_use]
    pub(crate) fn origin(&self) -> Option<Instant> {
        self.origin.get().copied()
    }

    /// How long after the beginning of the run this moment is; `None` where it is before that.
    #[must_use]
    pub(crate) fn since_start(&self, at: Instant) -> Option<Duration> {
        at.checked_duration_since(self.origin()?)
    }

    /// No flow begins after this; those under way go on.
    pub(crate) fn close(&self) {
        self.go_on(|progress| progress.reach(Phase::Draining));
    }

    /// The run has had its time. Flows still under way got no end in it, and count as failed.
    pub(crate) fn expire(&self) {
        self.go_on(|progress| progress.reach(Phase::Stopped));
    }

    /// Ends the run before its time: no flow begins after this, and those under way are cut off,
    /// which is no failure of theirs.
    pub(crate) fn stop(&self) {
        self.go_on(|progress| progress.cut(Phase::Stopped));
    }

    /// The user asks for the end, as by Ctrl-C. The first time, no flow begins any more, and those
    /// under way go on; the second time they are cut off. Returns whether that ended anything before
    /// its time: to ask once when the run is finishing anyway does not.
    pub(crate) fn interrupt(&self) -> bool {
        self.go_on(Progress::ask)
    }

    /// Whether the user ended the run before its time.
    #[must_use]
    pub(crate) fn is_interrupted(&self) -> bool {
        self.progress.borrow().interrupted
    }

    fn go_on(&self, step: impl FnOnce(&mut Progress) -> bool) -> bool {
        self.progress.send_if_modified(|progress| {
            let further = step(progress);
            if progress.phase == Phase::Stopped {
                let _ = self.ended.set(Instant::now());
            }
            further
        })
    }

    /// How far the run is.
    #[must_use]
    pub(crate) fn phase(&self) -> Phase {
        self.progress.borrow().phase
    }

    /// Whether a flow may still begin `now`: what comes after the duration is not started, even where
    /// the thread that closes the run is late to say so.
    #[must_use]
    pub(crate) fn is_open(&self, now: Instant) -> bool {
        let within = |since: Duration| since < self.duration;
        self.phase() == Phase::Running && self.since_start(now).is_some_and(within)
    }

    /// Waits until the run is as far as `phase`.
    pub(crate) async fn reached(&self, phase: Phase) {
        // The sender lives in `self`, so the only answer is the one waited for.
        let _ = self.progress.subscribe().wait_for(|now| now.phase >= phase).await;
    }

    /// A flow fell due.
    pub(crate) fn scheduled(&self, due: Duration) {
        let mut state = self.lock();
        self.counters(&mut state, Some(due)).scheduled += 1;
        state.seconds.at(due.as_secs()).scheduled += 1;
    }

    /// A flow that fell due is not started: every user is busy, and the queue is full.
    pub(crate) fn dropped(&self, due: Duration) {
        let mut state = self.lock();
        self.counters(&mut state, Some(due)).dropped += 1;
        state.seconds.at(due.as_secs()).dropped += 1;
    }

    /// A flow begins. In a closed model, where nothing falls due, that schedules it, too.
    pub(crate) fn begin(&self, arrival: Arrival, started: Duration) {
        let now = self.in_flight.fetch_add(1, Ordering::Relaxed) + 1;
        let mut state = self.lock();
        state.in_flight_max = state.in_flight_max.max(now);
        let counters = self.counters(&mut state, Some(arrival.at.unwrap_or(started)));
        counters.started += 1;
        match arrival.at {
            Some(due) => counters.late += u64::from(started.saturating_sub(due) > LATE),
            None => counters.scheduled += 1,
        }
        let second = state.seconds.at(started.as_secs());
        second.started += 1;
        second.scheduled += u64::from(arrival.at.is_none());
    }

    /// A flow that had begun is over.
    pub(crate) fn end(&self, record: &FlowRecord) {
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
        let mut state = self.lock();
        let state = &mut *state;
        let origin = Some(record.origin());
        let counters = self.counters(state, origin);
        match &record.end {
            FlowEnd::Aborted => counters.aborted += 1,
            FlowEnd::Succeeded => counters.finished += 1,
            FlowEnd::Failed(_) => {
                counters.finished += 1;
                counters.failed += 1;
            }
        }
        if self.counts(origin) {
            state.flows.record(record);
        }
        state.seconds.end(record);
    }

    /// A callback came `at` this moment.
    pub(crate) fn callback(&self, seen: CallbackSeen, at: Instant) {
        let at = self.since_start(at);
        let mut state = self.lock();
        let counters = self.counters(&mut state, at);
        match seen {
            CallbackSeen::Taken => {}
            CallbackSeen::Duplicate => counters.duplicates += 1,
            CallbackSeen::Overdue => counters.overdue += 1,
            CallbackSeen::Orphan => counters.orphans += 1,
            CallbackSeen::Refused => counters.refused += 1,
        }
        if seen != CallbackSeen::Refused {
            counters.callbacks += 1;
            state.seconds.at(at.unwrap_or_default().as_secs()).callbacks += 1;
        }
    }

    /// A second of the run is over. `cpu` is how busy the generator's threads were in it, from 0
    /// to 1.
    pub(crate) fn tick(&self, cpu: Option<f64>) {
        let in_flight = self.in_flight();
        self.lock().seconds.tick(cpu, in_flight);
    }

    /// How many flows are under way.
    #[must_use]
    pub(crate) fn in_flight(&self) -> u64 {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// From the beginning of the run until its end, or until now.
    #[must_use]
    pub(crate) fn elapsed(&self) -> Duration {
        let end = self.ended.get().copied().unwrap_or_else(Instant::now);
        self.origin()
            .map_or(Duration::ZERO, |origin| end.saturating_duration_since(origin))
    }

    /// Everything counted so far.
    #[must_use]
    pub(crate) fn counted(&self) -> Counted {
        let state = self.lock();
        Counted {
            counters: state.counted,
            warm_up: state.warm_up,
            flows: state.flows.clone(),
            series: state.seconds.series(),
            in_flight_max: state.in_flight_max,
            elapsed: self.elapsed(),
        }
    }

    /// How the run stands, for a live view.
    #[must_use]
    pub(crate) fn snapshot(&self) -> Snapshot {
        let elapsed = self.elapsed();
        let wanted = match &self.load {
            Load::Open { rate, .. } if self.phase() == Phase::Running => {
                rate.at(elapsed, self.duration) / self.shard.of() as f64
            }
            _ => 0.0,
        };
        let state = self.lock();
        let mut total = state.warm_up;
        total.merge(&state.counted);
        Snapshot {
            elapsed,
            duration: self.duration,
            phase: self.phase(),
            wanted,
            users: self.load.users(),
            total,
            in_flight: self.in_flight(),
            last: state.seconds.last(),
            p50: state.seconds.overall.percentile(50.0),
            p99: state.seconds.overall.percentile(99.0),
            errors: state.seconds.errors.clone(),
        }
    }

    /// Whether what happened so long after the beginning is in the figures. What was before it is not.
    fn counts(&self, at: Option<Duration>) -> bool {
        at.is_some_and(|at| at >= self.warm_up)
    }

    fn counters<'s>(&self, state: &'s mut State, at: Option<Duration>) -> &'s mut Counters {
        if self.counts(at) {
            &mut state.counted
        } else {
            &mut state.warm_up
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic between two counters would leave them off by one, which no reader minds.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
