//! The task that owns all events that are under way or wait.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;

use super::question;
use super::tell::{self, Tried};
use crate::clock;
use crate::core::{Core, Job, Waiting};
use crate::engine::{Effect, Uid};

/// How much of the queue is told.
const LISTED: usize = 1_000;

/// Carries jobs out until the emulator is gone.
pub(crate) async fn run(core: Arc<Core>, mut jobs: mpsc::UnboundedReceiver<Job>) {
    let mut desk = Desk {
        in_flight: Arc::new(Semaphore::new(core.settings().events_in_flight.max(1))),
        core,
        tasks: JoinSet::new(),
        lanes: HashMap::new(),
        held: 0,
    };
    loop {
        tokio::select! {
            job = jobs.recv() => match job {
                Some(job) => desk.take(job),
                None => return,
            },
            Some(done) = desk.tasks.join_next(), if !desk.tasks.is_empty() => {
                if let Ok(Done::Tried { uid, tried }) = done {
                    desk.tried(uid, tried);
                }
            }
        }
    }
}

struct Desk {
    core: Arc<Core>,
    in_flight: Arc<Semaphore>,
    tasks: JoinSet<Done>,
    /// For each verification with an event that was not heard, that and the events behind it.
    lanes: HashMap<Uid, Lane>,
    /// Events in all lanes.
    held: usize,
}

/// What a task ends with.
enum Done {
    Asked,
    Tried { uid: Uid, tried: Tried },
}

/// The events of one verification.
struct Lane {
    first: Telling,
    behind: VecDeque<(Effect, Duration)>,
    /// Of all that service time was moved by hand, what these events have been through. They are at
    /// the instant that lies this far ahead of what passed by itself, so that waits add up alike
    /// whether the clock runs through them or is moved over them.
    moved: Duration,
}

/// An event, and how far it is.
struct Telling {
    effect: Arc<Effect>,
    /// The try that is under way, or comes next.
    attempt: u32,
    /// When that is; `None` when it is under way.
    next_at: Option<SystemTime>,
    /// When the one before it was sent, wire time.
    sent: Option<SystemTime>,
}

impl Desk {
    fn take(&mut self, job: Job) {
        match job {
            Job::Ask { app, ask, reply } => {
                let question = question::put(Arc::clone(&self.core), app, ask, reply);
                self.tasks.spawn(async move {
                    question.await;
                    Done::Asked
                });
            }
            Job::Tell { effect, moved } => {
                if self.held >= self.core.settings().events_waiting.max(1) {
                    tell::drop_unsent(&self.core, &effect);
                    self.core.outstanding.remove(1);
                    return;
                }
                self.held += 1;
                let uid = effect.uid;
                if let Some(lane) = self.lanes.get_mut(&uid) {
                    lane.behind.push_back((effect, moved));
                    return;
                }
                let lane = Lane {
                    first: Telling::new(effect),
                    behind: VecDeque::new(),
                    moved,
                };
                self.lanes.insert(uid, lane);
                self.try_first(uid);
            }
            Job::Again { uid, due } => {
                let by_itself = self.core.clock().by_itself();
                // After a reset another event may be where this one was.
                let lane = self.lanes.get_mut(&uid);
                if let Some(lane) = lane.filter(|lane| lane.first.next_at == Some(due)) {
                    lane.move_to(due, by_itself);
                    self.try_first(uid);
                }
            }
            Job::Queue { reply } => {
                let lanes = self.lanes.values();
                let mut waiting: Vec<_> = lanes.flat_map(Lane::waiting).take(LISTED).collect();
                waiting.sort_by_key(|waiting| (waiting.next_at, waiting.uid));
                let _ = reply.send(waiting);
            }
            Job::Forget => {
                self.tasks = JoinSet::new();
                self.lanes.clear();
                // What failed since the reset.
                self.core.forget_retries();
                self.core.outstanding.remove(std::mem::take(&mut self.held));
            }
        }
    }

    /// Sends the first event of a lane on its way.
    fn try_first(&mut self, uid: Uid) {
        let Some(first) = self.lanes.get_mut(&uid).map(|lane| &mut lane.first) else {
            return;
        };
        first.next_at = None;
        let (core, in_flight) = (Arc::clone(&self.core), Arc::clone(&self.in_flight));
        let (effect, attempt, sent) = (Arc::clone(&first.effect), first.attempt, first.sent);
        self.tasks.spawn(async move {
            let tried = tell::once(&core, &in_flight, &effect, attempt, sent).await;
            Done::Tried { uid, tried }
        });
    }

    fn tried(&mut self, uid: Uid, tried: Tried) {
        let Some(lane) = self.lanes.get_mut(&uid) else {
            return;
        };
        let Tried::InVain { sent } = tried else {
            return self.told(uid);
        };
        if lane.first.attempt >= self.core.settings().event_tries.max(1) {
            tell::give_up(&lane.first.effect, lane.first.attempt);
            return self.told(uid);
        }
        lane.first.attempt += 1;
        lane.first.sent = Some(sent);
        let by_itself = self.core.clock().by_itself();
        let now = by_itself.checked_add(lane.moved);
        let due = now.and_then(|now| now.checked_add(tell::pause(&self.core, uid, lane.first.attempt)));
        // The clock may stand, but it ends.
        let due = due.map_or_else(clock::end, |due| due.min(clock::end()));
        lane.first.next_at = Some(due);
        if !self.core.try_again_at(due, uid) {
            lane.move_to(due, by_itself);
            self.try_first(uid);
        }
    }

    /// An event was heard or given up: the next of that verification goes out.
    fn told(&mut self, uid: Uid) {
        self.held = self.held.saturating_sub(1);
        self.core.outstanding.remove(1);
        let Some(lane) = self.lanes.get_mut(&uid) else {
            return;
        };
        let Some((next, moved)) = lane.behind.pop_front() else {
            self.lanes.remove(&uid);
            return;
        };
        lane.first = Telling::new(next);
        lane.moved = lane.moved.max(moved);
        self.try_first(uid);
    }
}

impl Lane {
    /// The instant of these events is `due`, if it was before.
    fn move_to(&mut self, due: SystemTime, by_itself: SystemTime) {
        let moved = due.duration_since(by_itself).unwrap_or_default();
        self.moved = self.moved.max(moved);
    }

    fn waiting(&self) -> Vec<Waiting> {
        let first = Waiting {
            attempt: self.first.attempt,
            next_at: self.first.next_at,
            under_way: self.first.next_at.is_none(),
            ..Waiting::behind(&self.first.effect)
        };
        let behind = self.behind.iter().map(|(effect, _)| Waiting::behind(effect));
        [first].into_iter().chain(behind).collect()
    }
}

impl Waiting {
    /// An event that waits for another of its verification.
    fn behind(effect: &Effect) -> Self {
        Self {
            app: effect.app,
            uid: effect.uid,
            event: tell::name(&effect.notice),
            attempt: 1,
            next_at: None,
            under_way: false,
        }
    }
}

impl Telling {
    fn new(effect: Effect) -> Self {
        Self {
            effect: Arc::new(effect),
            attempt: 1,
            next_at: None,
            sent: None,
        }
    }
}
