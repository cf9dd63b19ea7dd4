use std::collections::hash_map::Entry;
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use foldhash::{HashMap, HashMapExt as _};

use super::{EventDigest, Inserted, ReplayStore, SignatureDigest, StoreError};

/// Remembers in this process, for a receiver that runs once.
///
/// Takes at most 64 bytes per signature and about 140 per decision (half as much again for
/// the moment in which its table grows), and no more of each than it was given room for. What has expired makes room; what has not
/// is never forgotten: with no room left a store says [`StoreError::Full`].
///
/// Every callback takes room for a signature, for 420 seconds with the default
/// window; every request event takes room for a decision besides, for 15 minutes
/// unless told otherwise. So room for a second's callbacks times 900 is enough.
/// Only callbacks that are authentic take room.
///
/// It forgets by a monotonic clock, so setting the system's clock makes it
/// forget nothing early. When that clock is set back, a recorded callback may be
/// fresh again that was forgotten: a signature is refused as a replay when its
/// timestamp is not newer than the newest that was forgotten.
pub struct MemoryStore {
    signatures: Mutex<Table<Timestamp>>,
    decisions: Mutex<Table<Bytes>>,
    clock: Box<dyn Fn() -> Instant + Send + Sync>,
    /// When seconds start to count.
    start: Instant,
}

impl MemoryStore {
    /// Room for a million signatures and a million decisions: 1100 request events a
    /// second, all day, in about 180 MB. It starts with nothing.
    pub const DEFAULT_ROOM: NonZeroUsize = NonZeroUsize::MIN.saturating_add(999_999);

    /// A store with room for so many signatures, and so many decisions. It
    /// grows to it as needed.
    #[must_use]
    pub fn new(room: NonZeroUsize) -> Self {
        Self {
            signatures: Mutex::new(Table::new(room.get())),
            decisions: Mutex::new(Table::new(room.get())),
            clock: Box::new(Instant::now),
            start: Instant::now(),
        }
    }

    /// Takes the time from `clock` instead, which must never go back: for tests.
    /// For a store that is still empty.
    #[must_use]
    pub fn with_clock(mut self, clock: impl Fn() -> Instant + Send + Sync + 'static) -> Self {
        self.start = clock();
        self.clock = Box::new(clock);
        self
    }

    fn now(&self) -> Duration {
        (self.clock)().saturating_duration_since(self.start)
    }

    /// How many signatures are held, those that expired since they were last
    /// looked through included.
    #[must_use]
    pub fn signatures(&self) -> usize {
        lock(&self.signatures).entries.len()
    }

    /// How many decisions are held; see [`MemoryStore::signatures`].
    #[must_use]
    pub fn decisions(&self) -> usize {
        lock(&self.decisions).entries.len()
    }
}

/// A store with [`MemoryStore::DEFAULT_ROOM`].
impl Default for MemoryStore {
    fn default() -> Self {
        Self::new(Self::DEFAULT_ROOM)
    }
}

impl ReplayStore for MemoryStore {
    async fn insert_signature(
        &self,
        signature: SignatureDigest,
        timestamp: SystemTime,
        lifetime: Duration,
    ) -> Result<Inserted, StoreError> {
        let timestamp = Timestamp::of(timestamp);
        let key = *signature.as_bytes();
        match lock(&self.signatures).insert(key, timestamp, self.now(), lifetime)? {
            None => Ok(Inserted::New),
            Some(_) => Ok(Inserted::Present),
        }
    }

    async fn decision(&self, event: EventDigest) -> Result<Option<Bytes>, StoreError> {
        Ok(lock(&self.decisions).get(*event.as_bytes(), self.now()))
    }

    async fn insert_decision(
        &self,
        event: EventDigest,
        answer: Bytes,
        lifetime: Duration,
    ) -> Result<Bytes, StoreError> {
        let key = *event.as_bytes();
        let first = lock(&self.decisions).insert(key, answer.clone(), self.now(), lifetime)?;
        Ok(first.unwrap_or(answer))
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore")
            .field("signatures", &self.signatures())
            .field("decisions", &self.decisions())
            .finish_non_exhaustive()
    }
}

/// What a table holds.
trait Value: Clone {
    /// The timestamp of a signature. No other value has one.
    fn timestamp(&self) -> Option<Timestamp>;
}

impl Value for Timestamp {
    fn timestamp(&self) -> Option<Timestamp> {
        Some(*self)
    }
}

impl Value for Bytes {
    fn timestamp(&self) -> Option<Timestamp> {
        None
    }
}

/// A map whose entries expire, of at most `room` entries.
///
/// It is behind one lock, and not in shards: an insertion takes 0.15 µs. To sweep a million
/// entries takes 8 ms, once a second at most; the last growth to a million takes 50 ms, once.
struct Table<V> {
    /// The keys are digests, so any hash function spreads them.
    entries: HashMap<[u8; 16], Slot<V>>,
    room: usize,
    /// When it was last swept.
    swept: Second,
    /// The newest [`Timestamp`] of the entries that were dropped.
    forgotten: Timestamp,
}

impl<V: Value> Table<V> {
    fn new(room: usize) -> Self {
        Self {
            entries: HashMap::new(),
            room,
            swept: Second::default(),
            forgotten: Timestamp::default(),
        }
    }

    fn get(&self, key: [u8; 16], now: Duration) -> Option<V> {
        let now = Second::before(now);
        let slot = self.entries.get(&key).filter(|slot| slot.until >= now)?;
        Some(slot.value.clone())
    }

    /// Inserts, or gives the value that is there or may have been.
    fn insert(
        &mut self,
        key: [u8; 16],
        value: V,
        now: Duration,
        lifetime: Duration,
    ) -> Result<Option<V>, StoreError> {
        let until = Second::after(now.saturating_add(lifetime));
        let (now, slot) = (Second::before(now), Slot { until, value });
        // Before it grows, or is full. Once a second at most: nothing expires in between.
        let len = self.entries.len();
        if (len == self.entries.capacity() || len >= self.room) && self.swept != now {
            self.sweep(now);
        }
        let (is_full, forgotten) = (self.entries.len() >= self.room, self.forgotten);
        match self.entries.entry(key) {
            // A signature that is still here is known, expired or not.
            Entry::Occupied(there) if there.get().until >= now || slot.value.timestamp().is_some() => {
                Ok(Some(there.get().value.clone()))
            }
            Entry::Occupied(mut expired) => {
                expired.insert(slot);
                Ok(None)
            }
            Entry::Vacant(_) if slot.value.timestamp().is_some_and(|time| time <= forgotten) => {
                Ok(Some(slot.value))
            }
            Entry::Vacant(_) if is_full => Err(StoreError::Full),
            Entry::Vacant(vacant) => {
                vacant.insert(slot);
                Ok(None)
            }
        }
    }

    /// Drops all that has expired.
    fn sweep(&mut self, now: Second) {
        self.swept = now;
        let forgotten = &mut self.forgotten;
        self.entries.retain(|_, slot| {
            let stays = slot.until >= now;
            if let (false, Some(timestamp)) = (stays, slot.value.timestamp()) {
                *forgotten = timestamp.max(*forgotten);
            }
            stays
        });
        let len = self.entries.len();
        if len < self.entries.capacity() / 4 {
            // The flood is over: give the memory back.
            self.entries.shrink_to(len * 2);
        }
    }
}

/// A map stays whole when a thread panics.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Slot<V> {
    /// The last second in which it counts.
    until: Second,
    value: V,
}

/// Seconds since the store's start: small, and coarse enough to sweep but once in each.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Second(u32);

impl Second {
    /// The second that has `time` in it.
    fn before(time: Duration) -> Self {
        Self(saturated(time.as_secs()))
    }

    /// The second that starts at `time` or next.
    fn after(time: Duration) -> Self {
        let up = u64::from(time.subsec_nanos() > 0);
        Self(saturated(time.as_secs().saturating_add(up)))
    }
}

/// When a callback was signed: seconds since 1970. Of two in one second neither is newer.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Timestamp(u32);

impl Timestamp {
    fn of(time: SystemTime) -> Self {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(saturated(since.as_secs()))
    }
}

fn saturated(seconds: u64) -> u32 {
    u32::try_from(seconds).unwrap_or(u32::MAX)
}
