//! The task that owns all undelivered events.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;

use super::deliver_event::{self, TryResult};
use super::request_event;
use crate::clock;
use crate::core::{Core, Job, Waiting};
use crate::engine::{Effect, Uid};

/// The most events in a list of waiting events.
const MAX_LISTED: usize = 1_000;

/// Runs jobs until the emulator stops.
pub(crate) async fn run(core: Arc<Core>, mut jobs: mpsc::UnboundedReceiver<Job>) {
    let mut dispatcher = Dispatcher {
        in_flight: Arc::new(Semaphore::new(core.settings().events_in_flight.max(1))),
        core,
        tasks: JoinSet::new(),
        queues: HashMap::new(),
        held: 0,
    };
    loop {
        tokio::select! {
            job = jobs.recv() => match job {
                Some(job) => dispatcher.take(job),
                None => return,
            },
            Some(done) = dispatcher.tasks.join_next(), if !dispatcher.tasks.is_empty() => {
                if let Ok(TaskEnd::Tried { uid, tried }) = done {
                    dispatcher.tried(uid, tried);
                }
            }
        }
    }
}

struct Dispatcher {
    core: Arc<Core>,
    in_flight: Arc<Semaphore>,
    tasks: JoinSet<TaskEnd>,
    /// The undelivered events of each verification, in order.
    queues: HashMap<Uid, Queue>,
    /// The number of events in all queues.
    held: usize,
}

/// The result of a task.
enum TaskEnd {
    Decided,
    Tried { uid: Uid, tried: TryResult },
}

/// The undelivered events of one verification.
struct Queue {
    first: Undelivered,
    behind: VecDeque<(Effect, Duration)>,
    /// Manual clock offset already applied to this queue. The instant of its events is the unmoved
    /// service time plus this offset. So delays add up in the same way whether the clock runs or is moved.
    moved: Duration,
}

/// The first event of a queue.
struct Undelivered {
    effect: Arc<Effect>,
    /// The number of the current or next try.
    attempt: u32,
    /// When the next try is due; `None` while a try is under way.
    next_at: Option<SystemTime>,
    /// Wire time of the previous try.
    sent: Option<SystemTime>,
}

impl Dispatcher {
    fn take(&mut self, job: Job) {
        match job {
            Job::RequestEvent {
                app,
                decision_request,
                reply,
            } => {
                let asking =
                    request_event::request_decision(Arc::clone(&self.core), app, decision_request, reply);
                self.tasks.spawn(async move {
                    asking.await;
                    TaskEnd::Decided
                });
            }
            Job::DeliverEvent { effect, moved } => {
                if self.held >= self.core.settings().events_waiting.max(1) {
                    deliver_event::drop_unsent(&self.core, &effect);
                    self.core.outstanding.remove(effect.app, 1);
                    return;
                }
                self.held += 1;
                let uid = effect.uid;
                if let Some(queue) = self.queues.get_mut(&uid) {
                    queue.behind.push_back((effect, moved));
                    return;
                }
                let queue = Queue {
                    first: Undelivered::new(effect),
                    behind: VecDeque::new(),
                    moved,
                };
                self.queues.insert(uid, queue);
                self.try_first(uid);
            }
            Job::Retry { uid, due } => {
                let unmoved = self.core.clock().unmoved();
                // After a reset, the queue may hold another event.
                let queue = self.queues.get_mut(&uid);
                if let Some(queue) = queue.filter(|queue| queue.first.next_at == Some(due)) {
                    queue.move_to(due, unmoved);
                    self.try_first(uid);
                }
            }
            Job::ListWaiting { reply } => {
                let queues = self.queues.values();
                let mut waiting: Vec<_> = queues.flat_map(Queue::waiting).take(MAX_LISTED).collect();
                waiting.sort_by_key(|waiting| (waiting.next_at, waiting.uid));
                let _ = reply.send(waiting);
            }
            Job::Forget => {
                self.tasks = JoinSet::new();
                for queue in self.queues.drain().map(|(_, queue)| queue) {
                    let app = queue.first.effect.app;
                    self.core.outstanding.remove(app, 1 + queue.behind.len());
                }
                self.held = 0;
                // Retries that were scheduled after the reset began.
                self.core.forget_retries();
            }
        }
    }

    /// Starts a try of the first event of a queue.
    fn try_first(&mut self, uid: Uid) {
        let Some(first) = self.queues.get_mut(&uid).map(|queue| &mut queue.first) else {
            return;
        };
        first.next_at = None;
        let (core, in_flight) = (Arc::clone(&self.core), Arc::clone(&self.in_flight));
        let (effect, attempt, sent) = (Arc::clone(&first.effect), first.attempt, first.sent);
        self.tasks.spawn(async move {
            let tried = deliver_event::try_once(&core, &in_flight, &effect, attempt, sent).await;
            TaskEnd::Tried { uid, tried }
        });
    }

    fn tried(&mut self, uid: Uid, tried: TryResult) {
        let Some(queue) = self.queues.get_mut(&uid) else {
            return;
        };
        let TryResult::Failed { sent } = tried else {
            return self.finished(uid);
        };
        if queue.first.attempt >= self.core.settings().event_tries.max(1) {
            deliver_event::give_up(&queue.first.effect, queue.first.attempt);
            return self.finished(uid);
        }
        queue.first.attempt += 1;
        queue.first.sent = Some(sent);
        let unmoved = self.core.clock().unmoved();
        let now = unmoved.checked_add(queue.moved);
        let due = now.and_then(|now| {
            now.checked_add(deliver_event::retry_delay(&self.core, uid, queue.first.attempt))
        });
        // Service time ends at `clock::end`; a later instant would never come.
        let due = due.map_or_else(clock::end, |due| due.min(clock::end()));
        queue.first.next_at = Some(due);
        if !self.core.schedule_retry(due, uid) {
            queue.move_to(due, unmoved);
            self.try_first(uid);
        }
    }

    /// An event was delivered or given up: posts the next event of that verification.
    fn finished(&mut self, uid: Uid) {
        let Some(queue) = self.queues.get_mut(&uid) else {
            return;
        };
        self.held = self.held.saturating_sub(1);
        self.core.outstanding.remove(queue.first.effect.app, 1);
        let Some((next, moved)) = queue.behind.pop_front() else {
            self.queues.remove(&uid);
            return;
        };
        queue.first = Undelivered::new(next);
        queue.moved = queue.moved.max(moved);
        self.try_first(uid);
    }
}

impl Queue {
    /// Moves the instant of this queue ahead to `due`, if it was earlier.
    fn move_to(&mut self, due: SystemTime, unmoved: SystemTime) {
        let moved = due.duration_since(unmoved).unwrap_or_default();
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
    /// An event that waits for an earlier event of the same verification.
    fn behind(effect: &Effect) -> Self {
        Self {
            app: effect.app,
            uid: effect.uid,
            event: deliver_event::name(&effect.notice),
            attempt: 1,
            next_at: None,
            under_way: false,
        }
    }
}

impl Undelivered {
    fn new(effect: Effect) -> Self {
        Self {
            effect: Arc::new(effect),
            attempt: 1,
            next_at: None,
            sent: None,
        }
    }
}
