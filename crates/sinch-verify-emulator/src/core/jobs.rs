//! The jobs of the dispatcher of callback events.

use std::time::{Duration, SystemTime};

use tokio::sync::oneshot;

use crate::engine::{Answer, AppId, Ask, Effect, Uid};

/// A job of the dispatcher.
pub(crate) enum Job {
    /// A request event; the engine's answer to the decision goes to `reply`.
    RequestEvent {
        app: AppId,
        ask: Ask,
        reply: oneshot::Sender<Answer>,
    },
    /// Any other event, and how far service time had been moved by hand when it came about.
    DeliverEvent { effect: Effect, moved: Duration },
    /// Try an event again; the try was due at this service time.
    Retry { uid: Uid, due: SystemTime },
    /// List the events that wait or are being posted.
    ListWaiting { reply: oneshot::Sender<Vec<Waiting>> },
    /// Drop all events that wait or are being posted.
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
