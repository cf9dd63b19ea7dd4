//! The virtual handsets: every number has one after its first message.

use std::collections::BTreeMap;
use std::time::SystemTime;

use foldhash::HashMap;
use sinch_verify_protocol::PhoneNumber;
use sinch_verify_protocol::method::MethodInfo;

use super::ids::Uid;

/// The messages and calls on all handsets. All applications share the handset of a number.
pub(super) struct Handsets {
    /// Oldest first. A `Vec`, as most have one message, and a deque is larger.
    inboxes: HashMap<PhoneNumber, Vec<Entry>>,
    /// The handsets, by the number of their latest message.
    latest: BTreeMap<u64, PhoneNumber>,
    /// The most messages that one handset keeps.
    kept: usize,
    received: u64,
}

/// One message or call. Its text comes from its verification.
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

    /// Removes all messages. Numbers continue, so that no number is used twice.
    pub(super) fn clear(&mut self) {
        self.inboxes.clear();
        self.latest.clear();
    }

    /// Makes room for this many handsets.
    pub(super) fn reserve(&mut self, handsets: usize) {
        self.inboxes.reserve(handsets);
    }

    /// The number of the latest message.
    pub(super) fn received(&self) -> u64 {
        self.received
    }

    /// Adds a message or call. Returns its number, and the oldest message if it was dropped to make room.
    pub(super) fn receive(
        &mut self,
        number: PhoneNumber,
        uid: Uid,
        kind: &'static MethodInfo,
        at: SystemTime,
    ) -> (u64, Option<Entry>) {
        let seq = self.received + 1;
        (seq, self.put(number, Entry { seq, uid, kind, at }))
    }

    /// Adds a message or call that has its number. Numbers increase.
    pub(super) fn put(&mut self, number: PhoneNumber, entry: Entry) -> Option<Entry> {
        self.received = entry.seq;
        // Most handsets receive one message, so more capacity is reserved with the second.
        let inbox = self
            .inboxes
            .entry(number)
            .or_insert_with(|| Vec::with_capacity(1));
        if let Some(last) = inbox.last() {
            self.latest.remove(&last.seq);
        }
        self.latest.insert(entry.seq, number);
        let dropped = (inbox.len() >= self.kept).then(|| inbox.remove(0));
        inbox.push(entry);
        dropped
    }

    /// Continues after message `received`, so that no number is used twice.
    pub(super) fn continue_after(&mut self, received: u64) {
        self.received = self.received.max(received);
    }

    /// The handsets whose latest message is before `before`, with its number.
    pub(super) fn newest_first(&self, before: u64) -> impl Iterator<Item = (u64, &PhoneNumber)> {
        let older = self.latest.range(..before).rev();
        older.map(|(seq, number)| (*seq, number))
    }

    /// The messages of one handset, oldest first.
    pub(super) fn entries(&self, number: &PhoneNumber) -> impl DoubleEndedIterator<Item = &Entry> {
        self.inboxes.get(number).into_iter().flatten()
    }

    pub(super) fn forget(&mut self, number: &PhoneNumber, uid: Uid) {
        if let Some(inbox) = self.inboxes.get_mut(number) {
            let last = inbox.last().map(|entry| entry.seq);
            inbox.retain(|entry| entry.uid != uid);
            let left = inbox.last().map(|entry| entry.seq);
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
