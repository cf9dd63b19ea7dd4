//! Events to the applications' callback URLs.
//!
//! One task owns everything that is under way. A request event is posted once, and its answer goes
//! back to the engine. Other events are tried several times; those of one verification are posted
//! one after the other, in order. All times in here are wall time: the other side is real.

mod log;
mod outstanding;
mod post;
mod question;
mod replay;
mod tell;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::JoinSet;

use crate::core::Core;
use crate::delivery::Delivery;
use crate::engine::{Answer, AppId, Ask, Effect, Uid};

pub(crate) use log::Log;
pub(crate) use outstanding::Outstanding;

use post::Poster;

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
    /// Something that was posted before, once more.
    Replay {
        app: AppId,
        delivery: Box<Delivery>,
        reply: oneshot::Sender<Option<Delivery>>,
    },
    /// Drop all that is waiting or under way.
    Forget,
}

/// Carries jobs out until the emulator is gone.
pub(crate) async fn run(core: Arc<Core>, mut jobs: mpsc::UnboundedReceiver<Job>) {
    let poster = Arc::new(Poster::new());
    let mut desk = Desk {
        in_flight: Arc::new(Semaphore::new(core.settings().events_in_flight.max(1))),
        core,
        poster,
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

struct Desk {
    core: Arc<Core>,
    poster: Arc<Poster>,
    in_flight: Arc<Semaphore>,
    /// Questions end with `None`, events with the verification they were about.
    tasks: JoinSet<Option<Uid>>,
    /// For each verification with an event under way, the events behind it.
    lanes: HashMap<Uid, VecDeque<Effect>>,
    /// Events under way and behind.
    held: usize,
}

impl Desk {
    fn take(&mut self, job: Job) {
        match job {
            Job::Ask { app, ask, reply } => {
                let question =
                    question::put(Arc::clone(&self.core), Arc::clone(&self.poster), app, ask, reply);
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
                    Some(lane) => lane.push_back(effect),
                    None => {
                        self.lanes.insert(effect.uid, VecDeque::new());
                        self.spawn(effect);
                    }
                }
            }
            Job::Replay { app, delivery, reply } => {
                let (core, poster) = (Arc::clone(&self.core), Arc::clone(&self.poster));
                self.tasks.spawn(async move {
                    // Whoever ordered it may have gone; the log has it all the same.
                    let _ = reply.send(replay::again(&core, &poster, app, &delivery).await);
                    None
                });
            }
            Job::Forget => {
                self.tasks = JoinSet::new();
                self.lanes.clear();
                self.core.outstanding.remove(std::mem::take(&mut self.held));
            }
        }
    }

    fn spawn(&mut self, effect: Effect) {
        let uid = effect.uid;
        let telling = tell::until_heard(
            Arc::clone(&self.core),
            Arc::clone(&self.poster),
            Arc::clone(&self.in_flight),
            effect,
        );
        self.tasks.spawn(async move {
            telling.await;
            Some(uid)
        });
    }

    /// An event was heard or given up: the next of that verification goes out.
    fn told(&mut self, uid: Uid) {
        self.held = self.held.saturating_sub(1);
        self.core.outstanding.remove(1);
        match self.lanes.get_mut(&uid).and_then(VecDeque::pop_front) {
            Some(next) => self.spawn(next),
            None => {
                self.lanes.remove(&uid);
            }
        }
    }
}
