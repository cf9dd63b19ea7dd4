use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;

use super::{EventDigest, Inserted, Lifetime, ReplayStore, SignatureDigest, StoreError};

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
pub struct MemoryStore {
    signatures: Table<()>,
    decisions: Table<Box<[u8]>>,
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
        }
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
        lifetime: Lifetime,
    ) -> Result<Inserted, StoreError> {
        match self.signatures.insert(*signature.as_bytes(), (), lifetime)? {
            None => Ok(Inserted::New),
            Some(()) => Ok(Inserted::Present),
        }
    }

    async fn decision(&self, event: EventDigest, now: SystemTime) -> Result<Option<Bytes>, StoreError> {
        let answer = self.decisions.get(*event.as_bytes(), now);
        Ok(answer.map(Bytes::from))
    }

    async fn insert_decision(
        &self,
        event: EventDigest,
        answer: Bytes,
        lifetime: Lifetime,
    ) -> Result<Bytes, StoreError> {
        let first = self
            .decisions
            .insert(*event.as_bytes(), Box::from(&*answer), lifetime)?;
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
}

impl<V: Clone> Table<V> {
    fn new(room: usize) -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            len: AtomicUsize::new(0),
            room,
            swept: Mutex::default(),
        }
    }

    fn get(&self, key: [u8; 16], now: SystemTime) -> Option<V> {
        let now = Second::before(now);
        let shard = self.shard(&key);
        let slot = shard.entries.get(&Key(key)).filter(|slot| slot.until >= now)?;
        Some(slot.value.clone())
    }

    /// Inserts, or gives the value that is there.
    fn insert(&self, key: [u8; 16], value: V, lifetime: Lifetime) -> Result<Option<V>, StoreError> {
        let now = Second::before(lifetime.now);
        let slot = Slot {
            until: Second::after(lifetime.until),
            value,
        };
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
            self.gone(shard.sweep(now));
        }
        match shard.entries.entry(Key(key)) {
            Entry::Occupied(there) if there.get().until >= now => Ok(Some(there.get().value.clone())),
            Entry::Occupied(mut expired) => {
                expired.insert(slot);
                Ok(None)
            }
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
            self.gone(lock(shard).sweep(now));
        }
        *swept = now;
    }

    fn gone(&self, count: usize) {
        self.len.fetch_sub(count, Ordering::Relaxed);
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
    /// Drops what has expired. Gives how many that was.
    fn sweep(&mut self, now: Second) -> usize {
        self.swept = now;
        let before = self.entries.len();
        self.entries.retain(|_, slot| slot.until >= now);
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

/// Seconds since 1970: small, and coarse enough to sweep but once in each.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Second(u32);

impl Second {
    /// The second that has `time` in it.
    fn before(time: SystemTime) -> Self {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(u32::try_from(since.as_secs()).unwrap_or(u32::MAX))
    }

    /// The second that starts at `time` or next.
    fn after(time: SystemTime) -> Self {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        let up = u64::from(since.subsec_nanos() > 0);
        Self(u32::try_from(since.as_secs().saturating_add(up)).unwrap_or(u32::MAX))
    }
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
