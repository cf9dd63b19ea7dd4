//! Where a policy counts.

mod memory;
#[cfg(feature = "redis")]
mod redis;

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;

use self::memory::MemoryCounters;
use super::period::Micros;
use super::plan::Rule;
use crate::replay::StoreError;

/// Where a policy counts: in this process, or in Redis for any number of receivers. Clones share what is counted.
///
/// In memory there is room for so many keys: a key is what a rule counts separately, such as a number, or a
/// verification that is remembered. Keys expire when they no longer count. When all of them still do, a start
/// that needs another key is in doubt, and [`PolicyRules::in_doubt`](super::PolicyRules::in_doubt) decides;
/// nothing that counts is forgotten.
#[derive(Clone)]
pub struct PolicyStore(Backend);

#[derive(Clone)]
enum Backend {
    Memory(Arc<MemoryCounters>),
    #[cfg(feature = "redis")]
    Redis(Arc<redis::RedisCounters>),
}

impl PolicyStore {
    /// The default room in memory: a million keys, in about 130 MB when all of them are used.
    pub const DEFAULT_ROOM: NonZeroUsize = NonZeroUsize::MIN.saturating_add(999_999);

    /// Counts in this process, with room for so many keys. It grows to it as needed.
    #[must_use]
    pub fn memory(room: NonZeroUsize) -> Self {
        Self(Backend::Memory(Arc::new(MemoryCounters::new(room.get()))))
    }

    /// Counts in Redis or Valkey, with one script and one round trip for an event. The connection, the prefix of
    /// keys and the limits are those of `store`, which a replay guard may use too.
    ///
    /// Receivers that share counts must have the same rules. Keys are digests, and expire; but there are few
    /// enough phone numbers to try them all, so protect this Redis as you protect numbers. Access lists must
    /// allow `EVAL`, `EVALSHA`, `SCRIPT LOAD`, `MGET`, `SET` and `DEL`. Redis Cluster is not supported.
    #[cfg(feature = "redis")]
    #[must_use]
    pub fn redis(store: &crate::replay::RedisStore) -> Self {
        Self(Backend::Redis(Arc::new(redis::RedisCounters::new(store.clone()))))
    }

    /// How many keys are held in memory, those that expired since they were last looked through included.
    /// `None` for Redis.
    #[must_use]
    pub fn keys(&self) -> Option<usize> {
        match &self.0 {
            Backend::Memory(memory) => Some(memory.keys()),
            #[cfg(feature = "redis")]
            Backend::Redis(_) => None,
        }
    }

    /// Checks all rules, and counts the start with all of them, in one step. An event that came before gets
    /// the same ruling and counts nothing.
    pub(super) async fn take(&self, start: &Start<'_>, now: Micros, cost: u64) -> Result<Ruling, StoreError> {
        match &self.0 {
            Backend::Memory(memory) => memory.take(start, now, cost),
            #[cfg(feature = "redis")]
            // In a box, so that the future of a callback does not have the size of this.
            Backend::Redis(redis) => Box::pin(redis.take(start, now, cost)).await,
        }
    }

    /// Ends a start that was counted. Gives what it cost; `None` if it was not counted, or has ended before.
    pub(super) async fn end(
        &self,
        start: &Start<'_>,
        end: End,
        now: Micros,
    ) -> Result<Option<u64>, StoreError> {
        match &self.0 {
            Backend::Memory(memory) => memory.end(start, end, now),
            #[cfg(feature = "redis")]
            Backend::Redis(redis) => Box::pin(redis.end(start, end, now)).await,
        }
    }
}

/// In memory, with [`PolicyStore::DEFAULT_ROOM`].
impl Default for PolicyStore {
    fn default() -> Self {
        Self::memory(Self::DEFAULT_ROOM)
    }
}

impl fmt::Debug for PolicyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PolicyStore")
            .field("keys", &self.keys())
            .finish_non_exhaustive()
    }
}

/// A start, as far as it is counted.
pub(super) struct Start<'a> {
    /// What makes the verification unique: the policy's digest, the application and the id.
    pub(super) record: [&'a [u8]; 3],
    pub(super) checks: Vec<Check<'a>>,
    pub(super) lifetimes: Lifetimes,
}

/// A rule that applies to a start, and what it counts there.
pub(super) struct Check<'a> {
    /// The rule's place in the policy.
    pub(super) place: usize,
    pub(super) rule: &'a Rule,
    pub(super) subject: &'a str,
    /// Of rules that count each method by itself.
    pub(super) method: &'a str,
}

/// How a start ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// It was denied: nothing was sent, so all that it took is given back.
    Denied,
    /// The number was verified.
    Success,
    /// It ended in any other way.
    Failure,
}

/// How long verifications are remembered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lifetimes {
    /// One that goes ahead, until its result.
    pub(super) pending: Micros,
    /// One that was denied, or has ended.
    pub(super) ended: Micros,
}

/// What the rules say: places of rules, and until when they deny.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Ruling {
    pub(super) denied: Option<(usize, Micros)>,
    pub(super) observed: Vec<(usize, Micros)>,
    pub(super) is_repeated: bool,
}
