//! The store of verifications, and the indexes to find them.

use std::collections::{BTreeMap, VecDeque};
use std::time::SystemTime;

use foldhash::HashMap;
use serde::{Deserialize, Serialize};
use sinch_verify_protocol::{Method, PhoneNumber, VerificationId};

use super::changes::Changes;
use super::ids::{AppId, Uid};
use super::record::{Payload, Record};

/// All verifications. The maps are not iterated over, except in tests, because their order is random.
pub(super) struct Store {
    records: HashMap<Uid, Box<Record>>,
    /// The verifications by the ids of their methods.
    parts: HashMap<Uid, Uid>,
    /// The ended verifications, in the order of their ends.
    ended: VecDeque<Uid>,
    /// All verifications, in the order of their starts.
    order: BTreeMap<u64, Uid>,
    last: u64,
    /// How many verifications ended.
    ends: u64,
    /// The bytes of all pending verifications.
    pending_bytes: usize,
    applications: Vec<Application>,
    pub(super) changes: Changes,
}

/// The numbers that a [`Store`] continues with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Counts {
    started: u64,
    ended: u64,
}

/// The indexes of one application.
#[derive(Default)]
struct Application {
    references: HashMap<Box<str>, Uid>,
    /// The latest verification of each method, the latest last.
    numbers: HashMap<PhoneNumber, Vec<Uid>>,
    /// The start of the current second, and the number of starts in it, for the capacity limit.
    second: Option<(SystemTime, u32)>,
}

impl Store {
    pub(super) fn new() -> Self {
        Self {
            records: HashMap::default(),
            parts: HashMap::default(),
            ended: VecDeque::new(),
            order: BTreeMap::new(),
            last: 0,
            ends: 0,
            pending_bytes: 0,
            applications: Vec::new(),
            changes: Changes::default(),
        }
    }

    /// Removes all verifications. Numbers continue, so that no number is used twice.
    pub(super) fn clear(&mut self) {
        self.changes.restart_all();
        *self = Self {
            last: self.last,
            ends: self.ends,
            changes: std::mem::take(&mut self.changes),
            ..Self::new()
        };
    }

    /// The verifications before number `before`.
    pub(super) fn newest_first(&self, before: u64) -> impl Iterator<Item = (u64, Uid)> {
        let older = self.order.range(..before).rev();
        older.map(|(seq, uid)| (*seq, *uid))
    }

    pub(super) fn get(&self, uid: Uid) -> Option<&Record> {
        self.records.get(&uid).map(|record| &**record)
    }

    pub(super) fn get_mut(&mut self, uid: Uid) -> Option<&mut Record> {
        let record = self.records.get_mut(&uid)?;
        self.changes.add(uid, record.seq);
        Some(record)
    }

    /// The verification, if it belongs to this application.
    pub(super) fn of(&self, app: AppId, uid: Uid) -> Option<&Record> {
        self.get(uid).filter(|record| record.app == app)
    }

    /// The verification with this id, or with a method of this id.
    pub(super) fn by_id(&self, id: &VerificationId) -> Option<Uid> {
        let uid = Uid::parse(id.as_str())?;
        Some(self.parts.get(&uid).copied().unwrap_or(uid))
    }

    /// Makes `uid` available by the id of one of its methods.
    pub(super) fn add_part(&mut self, uid: Uid, part: Uid) {
        self.parts.insert(part, uid);
    }

    pub(super) fn by_reference(&self, app: AppId, reference: &str) -> Option<Uid> {
        self.applications
            .get(app.index())?
            .references
            .get(reference)
            .copied()
    }

    /// The latest verification of a number, by `method` if given.
    pub(super) fn latest(&self, app: AppId, number: &PhoneNumber, method: Option<&Method>) -> Option<Uid> {
        let uids = self.applications.get(app.index())?.numbers.get(number)?;
        uids.iter()
            .rev()
            .copied()
            .find(|uid| method.is_none_or(|method| self.get(*uid).is_some_and(|record| record.tries(method))))
    }

    pub(super) fn insert(&mut self, mut record: Record) {
        self.last += 1;
        record.seq = self.last;
        self.changes.add(record.uid, record.seq);
        let (records, changes) = (&self.records, &mut self.changes);
        let application = self.applications.get_mut(record.app.index());
        if let Some(uids) = application.and_then(|application| application.numbers.get_mut(&record.number)) {
            // An ended verification is no longer found by its number. A pending one is found again if
            // the new one is dropped first.
            let stays = |old: &Record| old.method != record.method || old.is_pending();
            uids.retain(|uid| {
                let old = records.get(uid);
                if let Some(old) = old.filter(|old| !stays(old)) {
                    changes.add(*uid, old.seq);
                }
                old.is_some_and(|old| stays(old))
            });
        }
        let (app, number, uid) = (record.app, record.number, record.uid);
        self.order.insert(record.seq, uid);
        self.put(Box::new(record));
        self.list(app, number, uid);
    }

    /// Adds a verification to all indexes, except `order` and the one of [`Store::list`].
    fn put(&mut self, mut record: Box<Record>) {
        let uid = record.uid;
        if let Some(reference) = &record.reference {
            let references = &mut self.application(record.app).references;
            references.insert(reference.clone(), uid);
        }
        if record.is_pending() {
            record.counted = record.size();
            self.pending_bytes += record.counted;
        }
        self.records.insert(uid, record);
    }

    /// Makes a verification the latest one of its number.
    fn list(&mut self, app: AppId, number: PhoneNumber, uid: Uid) {
        let numbers = &mut self.application(app).numbers;
        let uids = numbers.entry(number).or_insert_with(|| Vec::with_capacity(1));
        uids.push(uid);
    }

    /// Whether a verification is found by its number, once those after it are dropped.
    pub(super) fn is_listed(&self, record: &Record) -> bool {
        let application = self.applications.get(record.app.index());
        let uids = application.and_then(|application| application.numbers.get(&record.number));
        uids.is_some_and(|uids| uids.contains(&record.uid))
    }

    /// The indexes of an application, which may be new.
    fn application(&mut self, app: AppId) -> &mut Application {
        let index = app.index();
        if index >= self.applications.len() {
            self.applications.resize_with(index + 1, Application::default);
        }
        &mut self.applications[index]
    }

    /// The number of pending and of ended verifications.
    pub(super) fn kept(&self) -> (usize, usize) {
        let ended = self.ended.len();
        (self.records.len().saturating_sub(ended), ended)
    }

    /// The numbers of the latest start and of the latest end.
    pub(super) fn counts(&self) -> Counts {
        Counts {
            started: self.last,
            ended: self.ends,
        }
    }

    /// A store of these verifications, each with whether it is [listed](Store::is_listed).
    pub(super) fn restored(mut records: Vec<(Box<Record>, bool)>, counts: Counts) -> Self {
        let mut store = Self::new();
        records.sort_unstable_by_key(|(record, _)| record.seq);
        // A map is made faster from what is sorted, and with its size known.
        let order = records.iter().map(|(record, _)| (record.seq, record.uid));
        store.order = order.collect();
        store.records.reserve(records.len());
        let mut ended = Vec::new();
        for (record, is_listed) in records {
            let (app, number, uid) = (record.app, record.number, record.uid);
            if let Payload::Several(parts) = &record.payload {
                store.parts.extend(parts.iter().map(|part| (part.uid, uid)));
            }
            if !record.is_pending() {
                ended.push((record.end_seq, uid));
            }
            store.put(record);
            if is_listed {
                store.list(app, number, uid);
            }
        }
        ended.sort_unstable();
        store.ended = ended.into_iter().map(|(_, uid)| uid).collect();
        store.last = counts.started;
        store.ends = counts.ended;
        store
    }

    /// All verifications, in the order of their starts.
    pub(super) fn oldest_first(&self) -> impl Iterator<Item = &Record> {
        self.order.values().filter_map(|uid| self.get(*uid))
    }

    /// The verifications after number `after`.
    pub(super) fn newer(&self, after: u64) -> impl Iterator<Item = (u64, Uid)> {
        let newer = self.order.range(after.saturating_add(1)..);
        newer.map(|(seq, uid)| (*seq, *uid))
    }

    /// Notes that something of a verification changed that is not in its record.
    pub(super) fn mark_changed(&mut self, uid: Uid) {
        self.get_mut(uid);
    }

    /// The bytes of all pending verifications.
    pub(super) fn pending_bytes(&self) -> usize {
        self.pending_bytes
    }

    /// Counts the bytes of a pending verification again, after it changed.
    pub(super) fn count_again(&mut self, uid: Uid) {
        let record = self.records.get_mut(&uid);
        if let Some(record) = record.filter(|record| record.is_pending()) {
            self.pending_bytes -= record.counted;
            record.counted = record.size();
            self.pending_bytes += record.counted;
        }
    }

    /// Whether the count equals the bytes of all pending verifications.
    #[cfg(test)]
    pub(super) fn is_byte_count_correct(&self) -> bool {
        let pending = self.records.values().filter(|record| record.is_pending());
        pending.map(|record| record.size()).sum::<usize>() == self.pending_bytes
    }

    /// Counts a start of `app` at `now`. Returns `false` if there were `most` in this second.
    pub(super) fn has_capacity(&mut self, app: AppId, now: SystemTime, most: u32) -> bool {
        let second = std::time::Duration::from_secs(1);
        match &mut self.application(app).second {
            Some((began, count)) if now.duration_since(*began).is_ok_and(|passed| passed < second) => {
                *count = count.saturating_add(1);
                *count <= most
            }
            current => {
                *current = Some((now, 1));
                most > 0
            }
        }
    }

    /// Records the end of a verification. Returns the verifications that are dropped to make room.
    pub(super) fn ended(&mut self, uid: Uid, kept: usize) -> Vec<Record> {
        self.ends += 1;
        if let Some(record) = self.records.get_mut(&uid) {
            self.pending_bytes -= record.counted;
            record.end_seq = self.ends;
        }
        self.ended.push_back(uid);
        let mut forgotten = Vec::new();
        // The verification that ends now is needed for its result event.
        while self.ended.len() > kept.max(1) {
            forgotten.extend(self.ended.pop_front().and_then(|uid| self.remove(uid)));
        }
        forgotten
    }

    fn remove(&mut self, uid: Uid) -> Option<Record> {
        let record = self.records.remove(&uid)?;
        self.changes.add(uid, record.seq);
        self.order.remove(&record.seq);
        if let Payload::Several(parts) = &record.payload {
            for part in parts {
                self.parts.remove(&part.uid);
            }
        }
        let application = self.applications.get_mut(record.app.index())?;
        if let Some(reference) = &record.reference {
            application.references.remove(reference);
        }
        if let Some(uids) = application.numbers.get_mut(&record.number) {
            uids.retain(|other| *other != uid);
            if uids.is_empty() {
                application.numbers.remove(&record.number);
            }
        }
        Some(*record)
    }
}
