//! Events to the applications' callback URLs.
//!
//! One task owns everything that is under way. A request event is posted once, and its answer goes
//! back to the engine. Other events are tried several times; those of one verification are posted
//! one after the other, in order. All times in here are wall time: the other side is real.

mod conformance;
mod log;
mod outstanding;
mod post;
mod question;
mod replay;
mod tell;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::SystemTime;

use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::JoinSet;

use crate::core::Core;
use crate::engine::{Answer, AppId, Ask, Effect, Uid};

pub use conformance::Check;
pub(crate) use conformance::run as conform;
pub(crate) use log::Log;
pub(crate) use outstanding::Outstanding;
pub(crate) use post::Poster;
pub(crate) use replay::again;

use tell::Telling;

/// Something to post.
pub(crate) enum Job {
    /// A request event; the engine's answer to the decision goes to `reply`.
    Ask {
        app: AppId,
        ask: Ask,
        reply: oneshot::Sender<Answer>,
    },
    /// Any other event.
    Tell(Effect),
    /// Tell what is waiting or under way.
    Queue { reply: oneshot::Sender<Vec<Waiting>> },
    /// Drop all that is waiting or under way.
    Forget,
}

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
                if let Ok(Some(uid)) = done {
                    desk.told(uid);
                }
            }
        }
    }
}

/// How much of the queue is told.
const LISTED: usize = 1_000;

struct Desk {
    core: Arc<Core>,
    in_flight: Arc<Semaphore>,
    /// Questions end with `None`, events with the verification they were about.
    tasks: JoinSet<Option<Uid>>,
    /// For each verification with an event under way, that and the events behind it.
    lanes: HashMap<Uid, Lane>,
    /// Events under way and behind.
    held: usize,
}

/// The events of one verification.
struct Lane {
    first: Arc<Telling>,
    behind: VecDeque<Effect>,
}

/// An event that was not heard yet.
#[derive(Clone, Debug)]
pub(crate) struct Waiting {
    pub(crate) app: AppId,
    pub(crate) uid: Uid,
    pub(crate) event: &'static str,
    /// The try that is under way, or comes next.
    pub(crate) attempt: u32,
    /// When that is, on the wall clock; `None` when it is under way, or waits for another event of
    /// the same verification.
    pub(crate) next_at: Option<SystemTime>,
    pub(crate) under_way: bool,
}

impl Desk {
    fn take(&mut self, job: Job) {
        match job {
            Job::Ask { app, ask, reply } => {
                let question = question::put(Arc::clone(&self.core), app, ask, reply);
                self.tasks.spawn(async move {
                    question.await;
                    None
                });
            }
            Job::Tell(effect) => {
                if self.held >= self.core.settings().events_waiting.max(1) {
                    tell::drop_unsent(&self.core, &effect);
                    self.core.outstanding.remove(1);
                    return;
                }
                self.held += 1;
                match self.lanes.get_mut(&effect.uid) {
                    Some(lane) => lane.behind.push_back(effect),
                    None => {
                        let uid = effect.uid;
                        let first = self.spawn(effect);
                        let behind = VecDeque::new();
                        self.lanes.insert(uid, Lane { first, behind });
                    }
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
                self.core.outstanding.remove(std::mem::take(&mut self.held));
            }
        }
    }

    fn spawn(&mut self, effect: Effect) -> Arc<Telling> {
        let uid = effect.uid;
        let telling = Arc::new(Telling::new(effect));
        let heard = tell::until_heard(
            Arc::clone(&self.core),
            Arc::clone(&self.in_flight),
            Arc::clone(&telling),
        );
        self.tasks.spawn(async move {
            heard.await;
            Some(uid)
        });
        telling
    }

    /// An event was heard or given up: the next of that verification goes out.
    fn told(&mut self, uid: Uid) {
        self.held = self.held.saturating_sub(1);
        self.core.outstanding.remove(1);
        let next = self.lanes.get_mut(&uid).and_then(|lane| lane.behind.pop_front());
        let Some(next) = next else {
            self.lanes.remove(&uid);
            return;
        };
        let first = self.spawn(next);
        if let Some(lane) = self.lanes.get_mut(&uid) {
            lane.first = first;
        }
    }
}

impl Lane {
    fn waiting(&self) -> Vec<Waiting> {
        let behind = self.behind.iter().map(|effect| Waiting {
            app: effect.app,
            uid: effect.uid,
            event: tell::name(&effect.notice),
            attempt: 1,
            next_at: None,
            under_way: false,
        });
        [self.first.waiting()].into_iter().chain(behind).collect()
    }
}
