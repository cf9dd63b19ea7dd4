use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use sinch_verify_protocol::auth::Signature;
use sinch_verify_protocol::callback::{DecisionBody, RequestEvent};
use sinch_verify_protocol::{ApplicationKey, Decision, Method, WireObject as _};

use crate::rejection::{Reason, Rejection};
use crate::replay::{AnyStore, EventDigest, Inserted, ReplayStore, SignatureDigest, StoreError};
use crate::{task, telemetry};

/// Refuses callbacks that were taken before, and answers those that are sent
/// again as they were answered first.
///
/// A recorded callback carries the same signature: it is refused, with the
/// answer that a forgery gets. One that the sender posts again carries a new
/// timestamp, so a new signature: it passes, and a request event gets the
/// decision that its verification got before, code included.
///
/// ```
/// use sinch_verify_callback::replay::MemoryStore;
/// use sinch_verify_callback::{InDoubt, ReplayGuard};
///
/// let guard = ReplayGuard::new(MemoryStore::default(), InDoubt::Refuse);
/// ```
#[derive(Clone)]
pub struct ReplayGuard {
    store: Arc<dyn AnyStore>,
    in_doubt: InDoubt,
    timeout: Duration,
    decision_lifetime: Duration,
    counts: Arc<Counts>,
}

/// What to do with a callback when the store does not know whether it was
/// taken before: it is full, or cannot be reached.
///
/// To refuse loses verifications while the store is away; to accept lets replays in, and
/// they can cost money.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "policy", derive(serde::Deserialize))]
#[cfg_attr(feature = "policy", serde(rename_all = "kebab-case"))]
pub enum InDoubt {
    /// Fail open: take it, as if there were no guard.
    Accept,
    /// Fail closed: refuse it, with 503, or 429 when the store is full.
    Refuse,
}

impl ReplayGuard {
    /// How long a store may take to answer unless told otherwise: 250 ms.
    pub const TIMEOUT: Duration = Duration::from_millis(250);

    /// How long a decision is remembered unless told otherwise: 15 minutes.
    pub const DECISION_LIFETIME: Duration = Duration::from_secs(15 * 60);

    /// A guard that remembers in `store`.
    #[must_use]
    #[doc(alias = "fail_open")]
    #[doc(alias = "fail_closed")]
    pub fn new(store: impl ReplayStore, in_doubt: InDoubt) -> Self {
        Self {
            store: Arc::new(store),
            in_doubt,
            timeout: Self::TIMEOUT,
            decision_lifetime: Self::DECISION_LIFETIME,
            counts: Arc::default(),
        }
    }

    /// How long the store may take to answer. A request event asks it up to
    /// three times, each of which takes from the handler's time: keep this far
    /// below the deadline.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How long a decision is remembered: longer than the sender goes on
    /// posting the event again.
    #[must_use]
    pub fn with_decision_lifetime(mut self, lifetime: Duration) -> Self {
        self.decision_lifetime = lifetime;
        self
    }

    /// What the guard has counted so far, in all its clones.
    #[must_use]
    pub fn counts(&self) -> GuardCounts {
        self.counts.read()
    }

    /// Lets a callback pass once. Only for authentic ones: no forgery reaches the store.
    pub(crate) async fn admit(
        &self,
        signature: &Signature,
        timestamp: SystemTime,
        lifetime: Duration,
    ) -> Result<(), Rejection> {
        let digest = SignatureDigest::of(signature);
        let inserted = self.store.insert_signature(digest, timestamp, lifetime);
        match ask(self.timeout, inserted).await {
            Ok(Inserted::New) => Ok(()),
            Ok(Inserted::Present) => {
                Counts::add(&self.counts.replayed);
                Err(Rejection::new(Reason::Replayed))
            }
            Err(error) => self.doubt(error),
        }
    }

    /// Asks about an event. The guard may take `most` to remember the decision.
    pub(crate) fn question(
        &self,
        application: &ApplicationKey,
        event: &RequestEvent,
        most: Duration,
    ) -> Question<'_> {
        Question {
            guard: self,
            digest: EventDigest::of(application, RequestEvent::EVENT, &event.id),
            method: event.method.clone(),
            time: self.timeout.min(most),
        }
    }

    /// Counts, and does what the caller chose.
    fn doubt(&self, error: StoreError) -> Result<(), Rejection> {
        let count = match error {
            StoreError::Full => &self.counts.full,
            _ => &self.counts.unavailable,
        };
        Counts::add(count);
        telemetry::doubted(&error);
        tracing::error!(
            store = error.name(),
            in_doubt = ?self.in_doubt,
            reason = %error,
            "replay guard does not know"
        );
        match self.in_doubt {
            InDoubt::Accept => Ok(()),
            InDoubt::Refuse => Err(Rejection::new(Reason::Unguarded(error))),
        }
    }
}

async fn ask<T>(
    limit: Duration,
    answer: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    let answer = task::within(limit, answer).await;
    answer.unwrap_or(Err(StoreError::TimedOut))
}

/// A request event, as far as its answer is remembered.
pub(crate) struct Question<'a> {
    guard: &'a ReplayGuard,
    digest: EventDigest,
    method: Method,
    time: Duration,
}

impl Question<'_> {
    /// The most time that [`Question::remember`] takes.
    pub(crate) fn time(&self) -> Duration {
        self.time
    }

    /// The decision that the event got before.
    pub(crate) async fn decided(&self) -> Result<Option<Decision>, Rejection> {
        let guard = self.guard;
        match ask(guard.timeout, guard.store.decision(self.digest)).await {
            Ok(None) => Ok(None),
            Ok(Some(answer)) => self.read(&answer),
            Err(error) => guard.doubt(error).map(|()| None),
        }
    }

    /// Remembers a decision. Gives another one if that was remembered first: it may have been
    /// answered while the handler ran.
    pub(crate) async fn remember(&self, decision: &Decision) -> Result<Option<Decision>, Rejection> {
        let guard = self.guard;
        let answer = decision.to_bytes();
        let stands = guard
            .store
            .insert_decision(self.digest, answer.clone(), guard.decision_lifetime);
        match ask(self.time, stands).await {
            Ok(stands) if stands == answer => Ok(None),
            Ok(stands) => self.read(&stands),
            Err(error) => guard.doubt(error).map(|()| None),
        }
    }

    /// Reads a decision as it was remembered.
    fn read(&self, answer: &[u8]) -> Result<Option<Decision>, Rejection> {
        let body = DecisionBody::decode(answer).ok();
        if let Some(decision) = body.and_then(|body| body.decision(&self.method)) {
            Counts::add(&self.guard.counts.repeated);
            return Ok(Some(decision));
        }
        let error = StoreError::Unavailable {
            message: "what is remembered for the event is no decision".to_owned(),
        };
        self.guard.doubt(error).map(|()| None)
    }
}

/// What a [`ReplayGuard`] has counted since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct GuardCounts {
    /// Callbacks that were taken before, and refused.
    pub replayed: u64,
    /// Request events that got the decision of before.
    pub repeated: u64,
    /// Times that the store had no room.
    pub full: u64,
    /// Times that the store could not be asked, or not in time.
    pub unavailable: u64,
}

#[derive(Default)]
struct Counts {
    replayed: AtomicU64,
    repeated: AtomicU64,
    full: AtomicU64,
    unavailable: AtomicU64,
}

impl Counts {
    fn add(count: &AtomicU64) {
        count.fetch_add(1, Ordering::Relaxed);
    }

    fn read(&self) -> GuardCounts {
        GuardCounts {
            replayed: self.replayed.load(Ordering::Relaxed),
            repeated: self.repeated.load(Ordering::Relaxed),
            full: self.full.load(Ordering::Relaxed),
            unavailable: self.unavailable.load(Ordering::Relaxed),
        }
    }
}

impl fmt::Debug for ReplayGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReplayGuard")
            .field("in_doubt", &self.in_doubt)
            .field("timeout", &self.timeout)
            .field("decision_lifetime", &self.decision_lifetime)
            .finish_non_exhaustive()
    }
}
