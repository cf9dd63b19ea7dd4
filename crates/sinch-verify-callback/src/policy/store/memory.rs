use std::collections::HashMap;
use std::hash::{BuildHasher as _, BuildHasherDefault, Hasher, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};

use smallvec::smallvec;

use super::{Check, End, Lifetimes, Ruling, Start};
use crate::policy::counter::{Counter, State};
use crate::policy::period::Micros;
use crate::policy::rules::Mode;
use crate::replay::StoreError;

/// Counts in this process. One lock, because all rules are checked and counted in one step.
pub(super) struct MemoryCounters {
    table: Mutex<Table>,
    /// Keyed by chance, so that no sender can find two keys that are counted as one.
    hasher: RandomState,
}

struct Table {
    entries: HashMap<u64, Entry, BuildHasherDefault<Hashed>>,
    room: usize,
    /// The second in which it was last swept: nothing expires twice in one.
    swept: Micros,
}

/// A rule's state, or what is remembered of a verification.
#[derive(Default)]
struct Entry {
    until: Micros,
    numbers: State,
}

impl MemoryCounters {
    pub(super) fn new(room: usize) -> Self {
        Self {
            table: Mutex::new(Table {
                entries: HashMap::default(),
                room,
                swept: 0,
            }),
            hasher: RandomState::new(),
        }
    }

    pub(super) fn keys(&self) -> usize {
        self.table().entries.len()
    }

    pub(super) fn take(&self, start: &Start<'_>, now: Micros, cost: u64) -> Result<Ruling, StoreError> {
        let record = self.hasher.hash_one(start.record);
        let keys = self.keys_of(&start.checks);
        let table = &mut *self.table();
        if let Some(known) = table.record(record, now, start.lifetimes) {
            return Ok(Ruling {
                denied: match known {
                    [place, until] => Some((*place as usize, *until)),
                    _ => None,
                },
                observed: Vec::new(),
                is_repeated: true,
            });
        }
        table.make_room(keys.len() + 1, now)?;

        let mut ruling = Ruling::default();
        let mut taken = 0;
        for (check, key) in start.checks.iter().zip(&keys) {
            let counter = &check.rule.counter;
            let state = table.state(*key, counter, now);
            match (counter.denies_until(state, now, cost), check.rule.mode) {
                (None, _) => taken |= 1 << check.place,
                (Some(until), Mode::Observe) => ruling.observed.push((check.place, until)),
                (Some(until), Mode::Enforce) => {
                    ruling.denied.get_or_insert((check.place, until));
                }
            }
        }
        let (known, lifetime) = match ruling.denied {
            Some((place, until)) => (smallvec![place as u64, until], start.lifetimes.ended),
            None => {
                for (check, key) in start.checks.iter().zip(&keys) {
                    if taken & 1 << check.place != 0 {
                        let counter = &check.rule.counter;
                        table.change(*key, counter, now, |state| counter.take(state, now, cost));
                    }
                }
                (smallvec![now, cost, taken], start.lifetimes.pending)
            }
        };
        table.remember(record, known, now + lifetime);
        Ok(ruling)
    }

    pub(super) fn end(&self, start: &Start<'_>, end: End, now: Micros) -> Result<Option<u64>, StoreError> {
        let record = self.hasher.hash_one(start.record);
        let keys = self.keys_of(&start.checks);
        let table = &mut *self.table();
        let Some(&[at, cost, taken]) = table.record(record, now, start.lifetimes) else {
            return Ok(None);
        };
        table.make_room(keys.len(), now)?;
        for (check, key) in start.checks.iter().zip(&keys) {
            let counter = &check.rule.counter;
            if taken & 1 << check.place == 0 {
                continue;
            }
            table.state(*key, counter, now);
            table.change(*key, counter, now, |state| match end {
                End::Denied => counter.give_back(state, at, now, cost),
                End::Success => counter.settle(state, at, now, true),
                End::Failure => counter.settle(state, at, now, false),
            });
        }
        if end == End::Denied {
            table.entries.remove(&record);
        } else {
            table.remember(record, smallvec![at], now + start.lifetimes.ended);
        }
        Ok(Some(cost))
    }

    /// The keys of the checks. Rules differ in their seeds and share most subjects, which are hashed once.
    fn keys_of(&self, checks: &[Check<'_>]) -> Vec<u64> {
        let mut keys: Vec<u64> = Vec::with_capacity(checks.len());
        for check in checks {
            let counted = (check.subject, check.method);
            let before = keys.iter().zip(checks);
            let before = before.filter(|(_, other)| (other.subject, other.method) == counted);
            let hash = before.map(|(key, other)| key ^ other.rule.seed()).next();
            keys.push(hash.unwrap_or_else(|| self.hasher.hash_one(counted)) ^ check.rule.seed());
        }
        keys
    }

    /// No code that holds the lock can panic halfway, so a poisoned one is whole.
    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    /// What is remembered of a verification: when it was counted, its cost and the rules that counted it;
    /// or the rule that denied it, and until when; or only when it was counted, once it has ended.
    fn record(&mut self, key: u64, now: Micros, lifetimes: Lifetimes) -> Option<&[u64]> {
        let entry = self.entries.get_mut(&key)?;
        entry.until = entry.until.min(now + lifetimes.pending.max(lifetimes.ended));
        (entry.until > now).then_some(&entry.numbers)
    }

    fn remember(&mut self, key: u64, numbers: State, until: Micros) {
        self.entries.insert(key, Entry { until, numbers });
    }

    /// A fresh state.
    fn state(&mut self, key: u64, counter: &Counter, now: Micros) -> &[u64] {
        let Some(entry) = self.entries.get_mut(&key) else {
            return &[];
        };
        let is_late = entry.until > now + counter.lifetime();
        if entry.until <= now {
            entry.numbers.clear();
        } else if counter.refresh(&mut entry.numbers, now) || is_late {
            entry.until = counter.expires(&entry.numbers, now);
        }
        &entry.numbers
    }

    /// Changes a fresh state.
    fn change(&mut self, key: u64, counter: &Counter, now: Micros, change: impl FnOnce(&mut State)) {
        if let Some(entry) = self.entries.get_mut(&key) {
            change(&mut entry.numbers);
            entry.until = counter.expires(&entry.numbers, now);
            if entry.until <= now {
                self.entries.remove(&key);
            }
            return;
        }
        let mut numbers = State::new();
        change(&mut numbers);
        if !numbers.is_empty() {
            let until = counter.expires(&numbers, now);
            self.entries.insert(key, Entry { until, numbers });
        }
    }

    /// Makes sure that so many keys can be added.
    fn make_room(&mut self, count: usize, now: Micros) -> Result<(), StoreError> {
        const SECOND: Micros = 1_000_000;
        let needed = self.entries.len() + count;
        let is_full = needed > self.room;
        // Before it grows, or is full.
        if (needed > self.entries.capacity() || is_full) && self.swept != now / SECOND {
            self.swept = now / SECOND;
            // A clock may be set back a little, so there is no hurry unless room is needed.
            let kept = if is_full { 0 } else { 60 * SECOND };
            self.entries.retain(|_, entry| entry.until + kept > now);
            if self.entries.len() < self.entries.capacity() / 4 {
                // The flood is over: give the memory back.
                self.entries.shrink_to(self.entries.len() * 2 + count);
            }
        }
        if self.entries.len() + count > self.room {
            return Err(StoreError::Full);
        }
        Ok(())
    }
}

/// Keys are hashes already.
#[derive(Default)]
struct Hashed(u64);

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0 << 8 | u64::from(*byte);
        }
    }

    fn write_u64(&mut self, key: u64) {
        self.0 = key;
    }
}
