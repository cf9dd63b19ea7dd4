//! The phones: every number is one, from the first message on.

use std::collections::{BTreeMap, VecDeque};
use std::time::SystemTime;

use foldhash::HashMap;
use sinch_verify_protocol::PhoneNumber;
use sinch_verify_protocol::method::MethodInfo;

use super::ids::Uid;

/// What reached which phone. A phone belongs to nobody: all applications reach the same one.
pub(super) struct Handsets {
    inboxes: HashMap<PhoneNumber, VecDeque<Entry>>,
    /// The phones by the number of what they received last.
    latest: BTreeMap<u64, PhoneNumber>,
    /// How much of it an inbox keeps.
    kept: usize,
    received: u64,
}

/// One message or call. What it said is told by its verification.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) seq: u64,
    pub(super) uid: Uid,
    pub(super) kind: &'static MethodInfo,
    pub(super) at: SystemTime,
}

impl Handsets {
    pub(super) fn new(kept: usize) -> Self {
        Self {
            inboxes: HashMap::default(),
            latest: BTreeMap::new(),
            kept: kept.max(1),
            received: 0,
        }
    }

    /// Empties every inbox. Numbers go on from where they were, so that nobody takes a new
    /// message for an old one.
    pub(super) fn clear(&mut self) {
        self.inboxes.clear();
        self.latest.clear();
    }

    /// Gives the number of what was received.
    pub(super) fn receive(
        &mut self,
        number: PhoneNumber,
        uid: Uid,
        kind: &'static MethodInfo,
        at: SystemTime,
    ) -> u64 {
        self.received += 1;
        // Most phones get one message: room for more comes with the second.
        let inbox = self
            .inboxes
            .entry(number)
            .or_insert_with(|| VecDeque::with_capacity(1));
        if let Some(last) = inbox.back() {
            self.latest.remove(&last.seq);
        }
        self.latest.insert(self.received, number);
        if inbox.len() >= self.kept {
            inbox.pop_front();
        }
        inbox.push_back(Entry {
            seq: self.received,
            uid,
            kind,
            at,
        });
        self.received
    }

    /// The phones whose last message is before `before`, with its number.
    pub(super) fn newest_first(&self, before: u64) -> impl Iterator<Item = (u64, &PhoneNumber)> {
        let older = self.latest.range(..before).rev();
        older.map(|(seq, number)| (*seq, number))
    }

    /// Oldest first.
    pub(super) fn entries(&self, number: &PhoneNumber) -> impl DoubleEndedIterator<Item = &Entry> {
        self.inboxes.get(number).into_iter().flatten()
    }

    pub(super) fn forget(&mut self, number: &PhoneNumber, uid: Uid) {
        if let Some(inbox) = self.inboxes.get_mut(number) {
            let last = inbox.back().map(|entry| entry.seq);
            inbox.retain(|entry| entry.uid != uid);
            let left = inbox.back().map(|entry| entry.seq);
            if last != left {
                last.and_then(|seq| self.latest.remove(&seq));
                left.and_then(|seq| self.latest.insert(seq, *number));
            }
            if left.is_none() {
                self.inboxes.remove(number);
            }
        }
    }
}
