//! What a receiver remembers, so that nothing counts twice.
//!
//! Two things: the signatures that were taken, so that a recorded callback is
//! refused, and the decisions that were answered, so that a callback which is
//! sent again gets the same answer. [`ReplayGuard`](crate::ReplayGuard) uses a
//! store; this is what a store is.

mod memory;
#[cfg(feature = "redis")]
mod redis;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use sha2::{Digest as _, Sha256};
use sinch_verify_protocol::auth::Signature;
use sinch_verify_protocol::{ApplicationKey, VerificationId};

pub use memory::MemoryStore;
#[cfg(feature = "redis")]
pub use redis::{InvalidRedisConfig, RedisConfig, RedisStore};

/// Where signatures and decisions are remembered: in this process
/// ([`MemoryStore`]), or where several receivers share them.
///
/// Both insertions are atomic: of any number that come at once for the same
/// digest, one is the first, and all learn of it.
pub trait ReplayStore: Send + Sync + 'static {
    /// Remembers a signature for `lifetime` from now on, unless it is
    /// remembered already. `timestamp` is the time that it covers: with it, a
    /// store can refuse all that is no newer than what it has forgotten.
    ///
    /// `lifetime` runs on a clock that is never set: a store that forgets by
    /// the time of day forgets too early when that is set forward.
    ///
    /// # Errors
    ///
    /// When it is not known whether it was there, or there is no room. No
    /// store makes room by forgetting what has not expired.
    fn insert_signature(
        &self,
        signature: SignatureDigest,
        timestamp: SystemTime,
        lifetime: Duration,
    ) -> impl Future<Output = Result<Inserted, StoreError>> + Send;

    /// The answer that is remembered for an event.
    ///
    /// # Errors
    ///
    /// When it is not known.
    fn decision(&self, event: EventDigest) -> impl Future<Output = Result<Option<Bytes>, StoreError>> + Send;

    /// Remembers the answer to an event for `lifetime` from now on, unless one
    /// is remembered already. Gives the answer that stands: the first.
    ///
    /// # Errors
    ///
    /// As [`ReplayStore::insert_signature`].
    fn insert_decision(
        &self,
        event: EventDigest,
        answer: Bytes,
        lifetime: Duration,
    ) -> impl Future<Output = Result<Bytes, StoreError>> + Send;
}

/// Whether a signature was stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inserted {
    /// It is remembered from now on.
    New,
    /// It was remembered before: this is a replay.
    Present,
}

/// Stands for a signature: 16 bytes that are as good as random.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SignatureDigest([u8; 16]);

impl SignatureDigest {
    /// The digest of a signature.
    #[must_use]
    pub fn of(signature: &Signature) -> Self {
        // Half of a HMAC-SHA256 is still 128 bits that only the secret's holder
        // can make. The other half is kept from the store on purpose: what it
        // remembers authorizes nothing.
        Self(half(signature.as_bytes()))
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

/// Stands for an event of a verification: 16 bytes that are as good as random
/// and show neither the application nor the id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EventDigest([u8; 16]);

impl EventDigest {
    /// The digest of an application's event for a verification.
    #[must_use]
    pub fn of(application: &ApplicationKey, event: &str, id: &VerificationId) -> Self {
        let mut hasher = Sha256::new();
        for part in [application.as_str(), event, id.as_str()] {
            // With its length, so that no two triples give the same bytes. Four bytes hold that of
            // any part of a callback, and leave two blocks to hash where eight leave three.
            hasher.update((part.len() as u32).to_be_bytes());
            hasher.update(part);
        }
        Self(half(&hasher.finalize().into()))
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

fn half(bytes: &[u8; 32]) -> [u8; 16] {
    let mut half = [0; 16];
    half.copy_from_slice(&bytes[..16]);
    half
}

/// Why a store does not know.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreError {
    /// There is no room: everything that is remembered still counts.
    Full,
    /// No answer in time.
    TimedOut,
    /// The store cannot be reached, or gave an answer that makes no sense.
    Unavailable {
        /// What happened.
        message: String,
    },
}

impl StoreError {
    /// For telemetry: one word.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::TimedOut => "timed_out",
            Self::Unavailable { .. } => "unavailable",
        }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full => f.write_str("store has no room; give it more"),
            Self::TimedOut => f.write_str("store did not answer in time"),
            Self::Unavailable { message } => write!(f, "store is not available: {message}"),
        }
    }
}

impl std::error::Error for StoreError {}

type Boxed<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// A [`ReplayStore`] of any type, so that no other type has to name it.
pub(crate) trait AnyStore: Send + Sync {
    fn insert_signature(
        &self,
        signature: SignatureDigest,
        timestamp: SystemTime,
        lifetime: Duration,
    ) -> Boxed<'_, Inserted>;
    fn decision(&self, event: EventDigest) -> Boxed<'_, Option<Bytes>>;
    fn insert_decision(&self, event: EventDigest, answer: Bytes, lifetime: Duration) -> Boxed<'_, Bytes>;
}

impl<S: ReplayStore> AnyStore for S {
    fn insert_signature(
        &self,
        signature: SignatureDigest,
        timestamp: SystemTime,
        lifetime: Duration,
    ) -> Boxed<'_, Inserted> {
        Box::pin(ReplayStore::insert_signature(
            self, signature, timestamp, lifetime,
        ))
    }

    fn decision(&self, event: EventDigest) -> Boxed<'_, Option<Bytes>> {
        Box::pin(ReplayStore::decision(self, event))
    }

    fn insert_decision(&self, event: EventDigest, answer: Bytes, lifetime: Duration) -> Boxed<'_, Bytes> {
        Box::pin(ReplayStore::insert_decision(self, event, answer, lifetime))
    }
}
