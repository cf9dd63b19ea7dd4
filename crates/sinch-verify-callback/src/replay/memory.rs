use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;

use super::{EventDigest, Inserted, ReplayStore, SignatureDigest, StoreError};

/// Remembers in this process, for a receiver that runs once.
///
/// Takes at most 64 bytes per signature and about 140 per decision, and no more
/// of each than it was given room for. What has expired makes room; what has not
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
    signatures: Table<Timestamp>,
    decisions: Table<Box<[u8]>>,
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
            signatures: Table::new(room.get()),
            decisions: Table::new(room.get()),
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
        self.signatures.len.load(Ordering::Relaxed)
    }

    /// How many decisions are held; see [`MemoryStore::signatures`].
    #[must_use]
    pub fn decisions(&self) -> usize {
        self.decisions.len.load(Ordering::Relaxed)
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
        match self.signatures.insert(key, timestamp, self.now(), lifetime)? {
            None => Ok(Inserted::New),
            Some(_) => Ok(Inserted::Present),
        }
    }

    async fn decision(&self, event: EventDigest) -> Result<Option<Bytes>, StoreError> {
        let answer = self.decisions.get(*event.as_bytes(), self.now());
        Ok(answer.map(Bytes::from))
    }

    async fn insert_decision(
        &self,
        event: EventDigest,
        answer: Bytes,
        lifetime: Duration,
    ) -> Result<Bytes, StoreError> {
        let (key, value) = (*event.as_bytes(), Box::from(&*answer));
        let first = self.decisions.insert(key, value, self.now(), lifetime)?;
        Ok(first.map_or(answer, Bytes::from))
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

impl Value for Box<[u8]> {
    fn timestamp(&self) -> Option<Timestamp> {
        None
    }
}

/// How many parts a table has, each with a lock of its own.
const SHARDS: usize = 64;

/// A map whose entries expire, of at most `room` entries.
struct Table<V> {
    shards: Box<[Mutex<Shard<V>>]>,
    /// Entries in all shards. Raised before an entry goes in, so never too low.
    len: AtomicUsize,
    room: usize,
    /// When all shards were last swept. Taken only when the table is full.
    swept: Mutex<Second>,
    /// The newest [`Timestamp`] of the entries that were dropped. Raised under the lock of the
    /// entry's shard, so who finds the entry gone finds this raised.
    forgotten: AtomicU32,
}

impl<V: Value> Table<V> {
    fn new(room: usize) -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            len: AtomicUsize::new(0),
            room,
            swept: Mutex::default(),
            forgotten: AtomicU32::new(0),
        }
    }

    fn get(&self, key: [u8; 16], now: Duration) -> Option<V> {
        let now = Second::before(now);
        let shard = self.shard(&key);
        let slot = shard.entries.get(&Key(key)).filter(|slot| slot.until >= now)?;
        Some(slot.value.clone())
    }

    /// Inserts, or gives the value that is there or may have been.
    fn insert(
        &self,
        key: [u8; 16],
        value: V,
        now: Duration,
        lifetime: Duration,
    ) -> Result<Option<V>, StoreError> {
        let until = Second::after(now.saturating_add(lifetime));
        let (now, slot) = (Second::before(now), Slot { until, value });
        match self.try_insert(key, slot, now) {
            Ok(there) => Ok(there),
            Err(slot) => {
                self.sweep(now);
                self.try_insert(key, slot, now).map_err(|_| StoreError::Full)
            }
        }
    }

    /// Gives the slot back when the table is full.
    fn try_insert(&self, key: [u8; 16], slot: Slot<V>, now: Second) -> Result<Option<V>, Slot<V>> {
        let mut shard = self.shard(&key);
        if shard.entries.len() == shard.entries.capacity() && shard.swept != now {
            // Before it grows.
            self.drop_expired(&mut shard, now);
        }
        match shard.entries.entry(Key(key)) {
            // A signature that is still here is known, expired or not.
            Entry::Occupied(there) if there.get().until >= now || slot.value.timestamp().is_some() => {
                Ok(Some(there.get().value.clone()))
            }
            Entry::Occupied(mut expired) => {
                expired.insert(slot);
                Ok(None)
            }
            Entry::Vacant(_) if self.may_be_forgotten(&slot.value) => Ok(Some(slot.value)),
            Entry::Vacant(vacant) => {
                let more = |len| (len < self.room).then_some(len + 1);
                if self
                    .len
                    .fetch_update(Ordering::Relaxed, Ordering::Relaxed, more)
                    .is_err()
                {
                    return Err(slot);
                }
                vacant.insert(slot);
                Ok(None)
            }
        }
    }

    /// Drops all that has expired. Once a second at most: nothing expires in between.
    fn sweep(&self, now: Second) {
        // Whoever comes while another sweeps waits for the room that this makes.
        let mut swept = lock(&self.swept);
        if *swept == now {
            return;
        }
        for shard in &self.shards {
            self.drop_expired(&mut lock(shard), now);
        }
        *swept = now;
    }

    fn drop_expired(&self, shard: &mut Shard<V>, now: Second) {
        let dropped = shard.sweep(now, |value| {
            if let Some(Timestamp(timestamp)) = value.timestamp() {
                self.forgotten.fetch_max(timestamp, Ordering::Relaxed);
            }
        });
        self.len.fetch_sub(dropped, Ordering::Relaxed);
    }

    fn may_be_forgotten(&self, value: &V) -> bool {
        let newest = Timestamp(self.forgotten.load(Ordering::Relaxed));
        value.timestamp().is_some_and(|timestamp| timestamp <= newest)
    }

    fn shard(&self, key: &[u8; 16]) -> MutexGuard<'_, Shard<V>> {
        // Not a part that the map in the shard looks at.
        let at = usize::from(key[15]) % SHARDS;
        lock(&self.shards[at])
    }
}

/// A map stays whole whatever a thread that panicked was about to do.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Shard<V> {
    entries: HashMap<Key, Slot<V>, BuildHasherDefault<KeyHasher>>,
    swept: Second,
}

impl<V> Default for Shard<V> {
    fn default() -> Self {
        Self {
            entries: HashMap::default(),
            swept: Second::default(),
        }
    }
}

impl<V> Shard<V> {
    /// Drops what has expired, after `forget` has seen it. Gives how many that was.
    fn sweep(&mut self, now: Second, forget: impl Fn(&V)) -> usize {
        self.swept = now;
        let before = self.entries.len();
        self.entries.retain(|_, slot| {
            let stays = slot.until >= now;
            if !stays {
                forget(&slot.value);
            }
            stays
        });
        let after = self.entries.len();
        if after < self.entries.capacity() / 4 {
            // The flood is over: give the memory back.
            self.entries.shrink_to(after * 2);
        }
        before - after
    }
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
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
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

#[derive(Clone, Copy, PartialEq, Eq)]
struct Key([u8; 16]);

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let [a, b, c, d, e, f, g, h, ..] = self.0;
        state.write_u64(u64::from_le_bytes([a, b, c, d, e, f, g, h]));
    }
}

/// Takes the key as it is: it is a digest, and none that an attacker can choose.
#[derive(Default)]
struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(byte);
        }
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = value;
    }
}
