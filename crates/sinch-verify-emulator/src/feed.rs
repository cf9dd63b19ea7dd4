//! The feed: a bounded list of events for readers that follow the emulator.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use sinch_verify_protocol::{Method, Reason, Status, VerificationId};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use crate::delivery::Delivery;
use crate::engine::{Arrived, CallOver, Uid};
use crate::ring_buffer::RingBuffer;

/// An event. Its details are looked up when it is read.
#[derive(Clone, Debug)]
pub(crate) enum FeedEvent {
    /// A verification was started.
    Started {
        id: VerificationId,
        method: Option<Method>,
    },
    /// A message or call reached a handset.
    Message(Arrived),
    /// A call ended. Its verification may still be pending.
    CallOver(CallOver),
    /// A verification ended.
    Ended {
        id: VerificationId,
        status: Status,
        reason: Option<Reason>,
    },
    /// A callback event was posted, or could not be posted.
    Delivery {
        seq: u64,
        id: VerificationId,
        event: String,
        attempt: u32,
        status: Option<u16>,
        ok: bool,
    },
    /// A request was answered and recorded in the journal.
    Request {
        seq: u64,
        about: Option<Uid>,
        status: Option<u16>,
    },
    /// Keys were pressed in a callout.
    Keys { uid: Uid, digits: String },
    /// A device opened the address of a data verification.
    Followed { uid: Uid },
    /// A handset behavior was set or removed.
    Behavior,
    /// A fault rule was added or removed.
    Fault,
    /// Service time was moved, paused or resumed.
    Clock,
    /// The emulator was reset.
    Reset,
}

/// The names of all kinds of events.
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

/// The most readers at a time. A reader that catches up costs time, and one that does not read costs
/// memory. Without a limit they could slow the emulator down for all others.
pub(crate) const MAX_READERS: usize = 256;

impl FeedEvent {
    /// The name of the kind, one of [`KINDS`].
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

    /// The verification that the event is about.
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

    /// The event for a delivery, whose number is given later.
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

/// The position of a reader in the feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Position {
    /// The reader has read up to this entry.
    Behind(u64),
    /// The reader has followed another run of the emulator, whose entries have other numbers.
    OtherRun,
}

/// One entry of the feed.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) seq: u64,
    pub(crate) at: SystemTime,
    pub(crate) what: FeedEvent,
}

/// The latest entries. The oldest are dropped.
pub(crate) struct Feed {
    /// Identifies this run of the emulator, because the entries of other runs have the same numbers.
    run: String,
    ring: Mutex<RingBuffer<Entry>>,
    news: Notify,
    readers: Arc<Semaphore>,
}

impl Feed {
    /// A feed of the run that began at `started`, which keeps `kept` entries.
    pub(crate) fn new(started: SystemTime, kept: usize) -> Self {
        let since = started.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Self {
            run: format!("{:x}", since.as_nanos()),
            ring: Mutex::new(RingBuffer::new(kept.max(1))),
            news: Notify::new(),
            readers: Arc::new(Semaphore::new(MAX_READERS)),
        }
    }

    /// A permit for one reader, held while it reads. `None` if there are [`MAX_READERS`] already.
    pub(crate) fn add_reader(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.readers).try_acquire_owned().ok()
    }

    pub(crate) fn push(&self, at: SystemTime, what: FeedEvent) {
        self.lock().push(|seq| Entry { seq, at, what });
        self.news.notify_waiters();
    }

    /// The id of an entry, unique over all runs: `RUN-SEQ`.
    pub(crate) fn id(&self, entry: &Entry) -> String {
        format!("{}-{}", self.run, entry.seq)
    }

    /// Parses an id, or the number of an entry of this run. `None` if `text` is neither.
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
            // Enabled before the search, so that no entry is missed in between.
            news.as_mut().enable();
            let found = self.lock().after(after).cloned();
            if let Some(entry) = found {
                return entry;
            }
            news.await;
        }
    }

    /// The results of `pick` on the entries that are kept, oldest first.
    pub(crate) fn pick<T>(&self, pick: impl FnMut(&Entry) -> Option<T>) -> Vec<T> {
        let ring = self.lock();
        let mut picked: Vec<T> = ring.before(u64::MAX).filter_map(pick).collect();
        picked.reverse();
        picked
    }

    fn lock(&self) -> MutexGuard<'_, RingBuffer<Entry>> {
        // No update can panic halfway, so the state is valid.
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
