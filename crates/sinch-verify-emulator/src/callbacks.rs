//! Events to the applications' callback URLs.
//!
//! One task owns everything that is under way. A request event is posted once, and its answer goes
//! back to the engine. Other events are tried several times; those of one verification are posted
//! one after the other, in order.
//!
//! How long the other side may take is wall time, because it is real. The wait before an event is
//! tried again is service time: a move of the clock brings about every try that falls into it, each
//! as if it had come at its own instant.

mod conformance;
mod desk;
mod log;
mod outstanding;
mod post;
mod question;
mod replay;
mod tell;

use std::time::{Duration, SystemTime};

use tokio::sync::oneshot;

use crate::engine::{Answer, AppId, Ask, Effect, Uid};

pub use conformance::Check;
pub(crate) use conformance::run as conform;
pub(crate) use desk::run;
pub(crate) use log::Log;
pub(crate) use outstanding::Outstanding;
pub(crate) use post::Poster;
pub(crate) use replay::again;

/// Something to post.
pub(crate) enum Job {
    /// A request event; the engine's answer to the decision goes to `reply`.
    Ask {
        app: AppId,
        ask: Ask,
        reply: oneshot::Sender<Answer>,
    },
    /// Any other event, and how far service time had been moved by hand when it came about.
    Tell { effect: Effect, moved: Duration },
    /// An event's next try, which was due then.
    Again { uid: Uid, due: SystemTime },
    /// Tell what is waiting or under way.
    Queue { reply: oneshot::Sender<Vec<Waiting>> },
    /// Drop all that is waiting or under way.
    Forget,
}

/// An event that was not heard yet.
#[derive(Clone, Debug)]
pub(crate) struct Waiting {
    pub(crate) app: AppId,
    pub(crate) uid: Uid,
    pub(crate) event: &'static str,
    /// The try that is under way, or comes next.
    pub(crate) attempt: u32,
    /// When that is, service time; `None` when it is under way, or waits for another event of
    /// the same verification.
    pub(crate) next_at: Option<SystemTime>,
    pub(crate) under_way: bool,
}
