//! The verifications, and the names they are found by.

use std::collections::{BTreeMap, VecDeque};
use std::time::SystemTime;

use foldhash::HashMap;
use sinch_verify_protocol::{Method, PhoneNumber, VerificationId};

use super::ids::{AppId, Uid};
use super::record::{Payload, Record};

/// All verifications. The maps are looked up and never iterated over, but to check: their order is not
/// fixed.
pub(super) struct Store {
    records: HashMap<Uid, Box<Record>>,
    /// Ids for parts of a verification, and the verification.
    parts: HashMap<Uid, Uid>,
    /// Those that ended, in the order of their ends.
    ended: VecDeque<Uid>,
    /// All of them, in the order of their starts.
    order: BTreeMap<u64, Uid>,
    last: u64,
    /// What the pending ones take.
    pending_bytes: usize,
    applications: Vec<Application>,
}

/// What one application knows; no other sees it.
#[derive(Default)]
struct Application {
    references: HashMap<Box<str>, Uid>,
    /// The latest verification of each method that was used, latest last.
    numbers: HashMap<PhoneNumber, Vec<Uid>>,
    /// When the current second of the capacity began, and the starts in it.
    second: Option<(SystemTime, u32)>,
}

impl Store {
    pub(super) fn new(applications: usize) -> Self {
        Self {
            records: HashMap::default(),
            parts: HashMap::default(),
            ended: VecDeque::new(),
            order: BTreeMap::new(),
            last: 0,
            pending_bytes: 0,
            applications: (0..applications).map(|_| Application::default()).collect(),
        }
    }

    /// Forgets everything. Numbers go on from where they were, so that nobody takes a new
    /// verification for an old one.
    pub(super) fn clear(&mut self) {
        *self = Self {
            last: self.last,
            ..Self::new(self.applications.len())
        };
    }

    /// Those before number `before`.
    pub(super) fn newest_first(&self, before: u64) -> impl Iterator<Item = (u64, Uid)> {
        let older = self.order.range(..before).rev();
        older.map(|(seq, uid)| (*seq, *uid))
    }

    pub(super) fn get(&self, uid: Uid) -> Option<&Record> {
        self.records.get(&uid).map(|record| &**record)
    }

    pub(super) fn get_mut(&mut self, uid: Uid) -> Option<&mut Record> {
        self.records.get_mut(&uid).map(|record| &mut **record)
    }

    /// The verification, if it is one of this application's.
    pub(super) fn of(&self, app: AppId, uid: Uid) -> Option<&Record> {
        self.get(uid).filter(|record| record.app == app)
    }

    /// The verification with this id, or with a part of this id.
    pub(super) fn by_id(&self, id: &VerificationId) -> Option<Uid> {
        let uid = Uid::parse(id.as_str())?;
        Some(self.parts.get(&uid).copied().unwrap_or(uid))
    }

    /// Lets `uid` be found by the id of a part of it too.
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

    /// The number's latest verification, of those that try a method if one is given.
    pub(super) fn latest(&self, app: AppId, number: &PhoneNumber, method: Option<&Method>) -> Option<Uid> {
        let uids = self.applications.get(app.index())?.numbers.get(number)?;
        uids.iter()
            .rev()
            .copied()
            .find(|uid| method.is_none_or(|method| self.get(*uid).is_some_and(|record| record.tries(method))))
    }

    pub(super) fn insert(&mut self, mut record: Record) {
        let uid = record.uid;
        self.last += 1;
        record.seq = self.last;
        self.order.insert(record.seq, uid);
        let records = &self.records;
        if let Some(application) = self.applications.get_mut(record.app.index()) {
            if let Some(reference) = &record.reference {
                application.references.insert(reference.clone(), uid);
            }
            let uids = application
                .numbers
                .entry(record.number)
                .or_insert_with(|| Vec::with_capacity(1));
            // One that is over is not told by its number any more; one that is pending is again, should
            // the new one be forgotten first.
            let stays = |old: &Record| old.method != record.method || old.is_pending();
            uids.retain(|uid| records.get(uid).is_some_and(|old| stays(old)));
            uids.push(uid);
        }
        record.counted = record.size();
        self.pending_bytes += record.counted;
        self.records.insert(uid, Box::new(record));
    }

    /// The bytes that pending verifications take.
    pub(super) fn pending_bytes(&self) -> usize {
        self.pending_bytes
    }

    /// Counts a pending verification again, after it changed what it takes.
    pub(super) fn count_again(&mut self, uid: Uid) {
        let record = self.records.get_mut(&uid);
        if let Some(record) = record.filter(|record| record.is_pending()) {
            self.pending_bytes -= record.counted;
            record.counted = record.size();
            self.pending_bytes += record.counted;
        }
    }

    /// Whether the pending ones take as many bytes as were counted.
    #[cfg(test)]
    pub(super) fn is_byte_count_correct(&self) -> bool {
        let pending = self.records.values().filter(|record| record.is_pending());
        pending.map(|record| record.size()).sum::<usize>() == self.pending_bytes
    }

    /// Counts a start of `app` at `now`; says `false` when there were `most` in this second.
    pub(super) fn has_capacity(&mut self, app: AppId, now: SystemTime, most: u32) -> bool {
        let Some(application) = self.applications.get_mut(app.index()) else {
            return true;
        };
        let second = std::time::Duration::from_secs(1);
        match &mut application.second {
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

    /// Notes the end of a verification, and gives the ones that are forgotten for it.
    pub(super) fn ended(&mut self, uid: Uid, kept: usize) -> Vec<Record> {
        self.pending_bytes -= self.records.get(&uid).map_or(0, |record| record.counted);
        self.ended.push_back(uid);
        let mut forgotten = Vec::new();
        // The one that ends now must still be told about.
        while self.ended.len() > kept.max(1) {
            forgotten.extend(self.ended.pop_front().and_then(|uid| self.remove(uid)));
        }
        forgotten
    }

    fn remove(&mut self, uid: Uid) -> Option<Record> {
        let record = self.records.remove(&uid)?;
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
