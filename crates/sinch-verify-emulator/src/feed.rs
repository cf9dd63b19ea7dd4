//! What happened, in order, for those who follow it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use sinch_verify_protocol::{Method, Reason, Status, VerificationId};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use crate::delivery::Delivery;
use crate::engine::{Arrived, CallOver, Uid};
use crate::ring_buffer::RingBuffer;

/// Something that happened. Its details are looked up when it is read.
#[derive(Clone, Debug)]
pub(crate) enum FeedEvent {
    /// A start went through.
    Started {
        id: VerificationId,
        method: Option<Method>,
    },
    /// Something reached a handset.
    Message(Arrived),
    /// A call is over, whatever becomes of its verification.
    CallOver(CallOver),
    /// A verification ended.
    Ended {
        id: VerificationId,
        status: Status,
        reason: Option<Reason>,
    },
    /// An event was posted, or could not be.
    Delivery {
        seq: u64,
        id: VerificationId,
        event: String,
        attempt: u32,
        status: Option<u16>,
        ok: bool,
    },
    /// A request was answered, and is in the journal.
    Request {
        seq: u64,
        about: Option<Uid>,
        status: Option<u16>,
    },
    /// Keys were pressed in a callout.
    Keys { uid: Uid, digits: String },
    /// A device followed the address of a data verification.
    Followed { uid: Uid },
    /// A handset behavior was set or removed.
    Behavior,
    /// A fault was ordered or ended.
    Fault,
    /// Service time was moved, or stands, or goes on.
    Clock,
    /// Everything was forgotten.
    Reset,
}

/// The kinds of events.
pub(crate) const KINDS: [&str; 12] = [
    "started",
    "message",
    "call-over",
    "ended",
    "delivery",
    "request",
    "keys",
    "followed",
    "behavior",
    "fault",
    "clock",
    "reset",
];

/// The most readers at a time. Each that catches up costs time, and one that does not read costs
/// memory: without an end to them, they could take the emulator from everybody else.
pub(crate) const MAX_READERS: usize = 256;

impl FeedEvent {
    /// What it is called; one of [`KINDS`].
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Started { .. } => "started",
            Self::Message(_) => "message",
            Self::CallOver(_) => "call-over",
            Self::Ended { .. } => "ended",
            Self::Delivery { .. } => "delivery",
            Self::Request { .. } => "request",
            Self::Keys { .. } => "keys",
            Self::Followed { .. } => "followed",
            Self::Behavior => "behavior",
            Self::Fault => "fault",
            Self::Clock => "clock",
            Self::Reset => "reset",
        }
    }

    /// The verification that it is about.
    pub(crate) fn about(&self) -> Option<Uid> {
        match self {
            Self::Started { id, .. } | Self::Ended { id, .. } | Self::Delivery { id, .. } => {
                Uid::parse(id.as_str())
            }
            Self::Request { about, .. } => *about,
            Self::Keys { uid, .. } | Self::Followed { uid } => Some(*uid),
            Self::Message(arrived) => Some(arrived.uid),
            Self::CallOver(over) => Some(over.uid),
            _ => None,
        }
    }

    /// A delivery, once its number is known.
    pub(crate) fn delivery(delivery: &Delivery) -> impl FnOnce(u64) -> Self + use<> {
        let (id, event) = (delivery.verification_id.clone(), delivery.event.clone());
        let (attempt, status, ok) = (delivery.attempt, delivery.status, delivery.ok);
        move |seq| Self::Delivery {
            seq,
            id,
            event,
            attempt,
            status,
            ok,
        }
    }
}

/// Where a reader has got to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Position {
    /// It has seen this entry.
    Behind(u64),
    /// It has read another run of the emulator, which has nothing to do with this one.
    OtherRun,
}

/// One entry of the feed.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) seq: u64,
    pub(crate) at: SystemTime,
    pub(crate) what: FeedEvent,
}

/// The latest entries, as many as are kept.
pub(crate) struct Feed {
    /// Tells this run of the emulator from others, whose entries have the same numbers.
    run: String,
    ring: Mutex<RingBuffer<Entry>>,
    news: Notify,
    readers: Arc<Semaphore>,
}

impl Feed {
    /// A feed of the run that began at `started`, which keeps so many entries.
    pub(crate) fn new(started: SystemTime, kept: usize) -> Self {
        let since = started.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Self {
            run: format!("{:x}", since.as_nanos()),
            ring: Mutex::new(RingBuffer::new(kept.max(1))),
            news: Notify::new(),
            readers: Arc::new(Semaphore::new(MAX_READERS)),
        }
    }

    /// A reader's position, to be kept while it reads; `None` when all are taken.
    pub(crate) fn add_reader(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.readers).try_acquire_owned().ok()
    }

    pub(crate) fn push(&self, at: SystemTime, what: FeedEvent) {
        self.lock().push(|seq| Entry { seq, at, what });
        self.news.notify_waiters();
    }

    /// What readers know an entry by, in this run and any other: `RUN-SEQ`.
    pub(crate) fn id(&self, entry: &Entry) -> String {
        format!("{}-{}", self.run, entry.seq)
    }

    /// Reads an id, or the bare number of an entry of this run; `None` when `text` is neither.
    pub(crate) fn position(&self, text: &str) -> Option<Position> {
        let (run, seq) = text.split_once('-').unwrap_or((&self.run, text));
        let seq = seq.parse().ok()?;
        u128::from_str_radix(run, 16).ok()?;
        let known = run == self.run && seq <= self.last();
        Some(if known {
            Position::Behind(seq)
        } else {
            Position::OtherRun
        })
    }

    /// The number of the latest entry.
    pub(crate) fn last(&self) -> u64 {
        self.lock().last()
    }

    /// Waits for the first kept entry after `after`.
    pub(crate) async fn next(&self, after: u64) -> Entry {
        loop {
            let news = self.news.notified();
            tokio::pin!(news);
            // From here on no news is missed.
            news.as_mut().enable();
            let found = self.lock().after(after).cloned();
            if let Some(entry) = found {
                return entry;
            }
            news.await;
        }
    }

    /// What `pick` makes of the entries that are kept, oldest first.
    pub(crate) fn pick<T>(&self, pick: impl FnMut(&Entry) -> Option<T>) -> Vec<T> {
        let ring = self.lock();
        let mut picked: Vec<T> = ring.before(u64::MAX).filter_map(pick).collect();
        picked.reverse();
        picked
    }

    fn lock(&self) -> MutexGuard<'_, RingBuffer<Entry>> {
        // Nothing in here panics between two steps that belong together.
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
