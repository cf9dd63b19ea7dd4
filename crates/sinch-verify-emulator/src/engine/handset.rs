//! The phones: every number is one, from the first message on.

use std::collections::{HashMap, VecDeque};
use std::time::SystemTime;

use sinch_verify_protocol::PhoneNumber;

use super::record::Uid;
use crate::message::MessageKind;

/// What reached which phone. A phone belongs to nobody: all applications reach the same one.
pub(super) struct Handsets {
    inboxes: HashMap<PhoneNumber, VecDeque<Entry>>,
    /// How much of it an inbox keeps.
    kept: usize,
    received: u64,
}

/// One message or call. What it said is told by its verification.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) seq: u64,
    pub(super) uid: Uid,
    pub(super) kind: MessageKind,
    pub(super) at: SystemTime,
}

impl Handsets {
    pub(super) fn new(kept: usize) -> Self {
        Self {
            inboxes: HashMap::new(),
            kept: kept.max(1),
            received: 0,
        }
    }

    /// Empties every inbox. Numbers go on from where they were, so that nobody takes a new
    /// message for an old one.
    pub(super) fn clear(&mut self) {
        self.inboxes.clear();
    }

    /// Gives the number of what was received.
    pub(super) fn receive(
        &mut self,
        number: PhoneNumber,
        uid: Uid,
        kind: MessageKind,
        at: SystemTime,
    ) -> u64 {
        self.received += 1;
        let inbox = self.inboxes.entry(number).or_default();
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

    /// Oldest first.
    pub(super) fn entries(&self, number: &PhoneNumber) -> impl DoubleEndedIterator<Item = &Entry> {
        self.inboxes.get(number).into_iter().flatten()
    }

    pub(super) fn forget(&mut self, number: &PhoneNumber, uid: Uid) {
        if let Some(inbox) = self.inboxes.get_mut(number) {
            inbox.retain(|entry| entry.uid != uid);
            if inbox.is_empty() {
                self.inboxes.remove(number);
            }
        }
    }
}
