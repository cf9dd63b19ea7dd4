//! What the task that posts events is asked to do.

use std::time::{Duration, SystemTime};

use tokio::sync::oneshot;

use crate::engine::{Answer, AppId, Ask, Effect, Uid};

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
