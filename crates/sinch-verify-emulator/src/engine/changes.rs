//! What changed in the engine, for those who keep a copy of it.

use std::collections::HashMap;

use super::ids::Uid;

/// Names a reader of changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ReaderId(u64);

/// What each reader has not read yet. Without readers, noting a change costs next to nothing.
#[derive(Default)]
pub(super) struct Changes {
    readers: HashMap<ReaderId, Unread>,
    last: u64,
}

/// What a reader has not read yet.
pub(super) struct Unread {
    /// Nothing was read yet, or everything was replaced.
    pub(super) is_new: bool,
    /// All verifications up to this number were read. The others are read in their turn.
    pub(super) read_up_to: u64,
    /// The verifications among those that changed since, some of them several times.
    pub(super) changed: Vec<Uid>,
    /// Whether anything changed, also apart from verifications.
    pub(super) is_changed: bool,
}

impl Unread {
    const ALL: Self = Self {
        is_new: true,
        read_up_to: 0,
        changed: Vec::new(),
        is_changed: true,
    };
}

impl Changes {
    /// Adds a reader, which has read nothing.
    pub(super) fn subscribe(&mut self) -> ReaderId {
        self.last += 1;
        let id = ReaderId(self.last);
        self.readers.insert(id, Unread::ALL);
        id
    }

    pub(super) fn unsubscribe(&mut self, id: ReaderId) {
        self.readers.remove(&id);
    }

    pub(super) fn get_mut(&mut self, id: ReaderId) -> Option<&mut Unread> {
        self.readers.get_mut(&id)
    }

    /// Notes that the verification with number `seq` changed.
    pub(super) fn add(&mut self, uid: Uid, seq: u64) {
        for unread in self.readers.values_mut() {
            unread.is_changed = true;
            // Most commands change one verification several times.
            if seq <= unread.read_up_to && unread.changed.last() != Some(&uid) {
                unread.changed.push(uid);
            }
        }
    }

    /// Notes that something other than a verification changed.
    pub(super) fn add_other(&mut self) {
        for unread in self.readers.values_mut() {
            unread.is_changed = true;
        }
    }

    /// Makes one reader read everything again.
    pub(super) fn restart(&mut self, id: ReaderId) {
        self.readers.entry(id).and_modify(|unread| *unread = Unread::ALL);
    }

    /// Makes all readers read everything again.
    pub(super) fn restart_all(&mut self) {
        for unread in self.readers.values_mut() {
            *unread = Unread::ALL;
        }
    }
}
