//! The engine as it is saved and restored: verifications one by one, and the rest.

use std::io;
use std::sync::Arc;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use sinch_verify_protocol::Method;

use super::changes::ReaderId;
use super::command::BehaviorScope;
use super::handset::{Entry, Handsets};
use super::ids::{AppId, Uid};
use super::random::{Position, Random};
use super::record::Record;
use super::store::{Counts, Store};
use super::timers::Timers;
use super::{Engine, Settings};
use crate::clock::instant;
use crate::handset_behavior::HandsetBehavior;

/// The most verifications that are written in one part: a fraction of a millisecond of work.
const MOST_IN_A_PART: usize = 128;

/// A verification, with its messages and calls on the handset.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct SavedVerification {
    record: Box<Record>,
    /// Whether it is found by its number, once those after it are dropped.
    listed: bool,
    messages: Vec<SavedMessage>,
}

/// As [`SavedVerification`], to be written.
#[derive(Serialize)]
struct Saving<'a> {
    record: &'a Record,
    listed: bool,
    messages: Vec<SavedMessage>,
}

/// A line of a verification.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
enum Line<'a> {
    Verification(Saving<'a>),
    /// It is no longer kept.
    Dropped(Uid),
}

/// Number, method and instant of a message or call.
#[derive(Serialize, Deserialize)]
struct SavedMessage(u64, Method, #[serde(with = "instant")] SystemTime);

/// Everything in the engine except verifications.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct SavedEngine {
    seed: u64,
    random: Position,
    verifications: Counts,
    /// The number of the latest message.
    messages: u64,
    behaviors: Vec<(BehaviorScope, HandsetBehavior)>,
}

/// What [`Engine::write_part`] wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// Nothing: what was read before does not count any more, and everything follows.
    StartOver,
    /// Some lines, and more follow.
    Some,
    /// The last lines: now the reader has everything of this instant.
    Last,
}

impl SavedVerification {
    pub(crate) fn uid(&self) -> Uid {
        self.record.uid
    }
}

impl Engine {
    /// Adds a reader of all changes. [`Engine::write_part`] gives it everything first.
    pub(crate) fn subscribe(&mut self) -> ReaderId {
        self.store.changes.subscribe()
    }

    pub(crate) fn unsubscribe(&mut self, reader: ReaderId) {
        self.store.changes.unsubscribe(reader);
    }

    /// Notes that something changed that is saved with the engine.
    pub(crate) fn note_change(&mut self) {
        self.store.changes.add_other();
    }

    /// Makes a reader read everything again.
    pub(crate) fn restart_reader(&mut self, reader: ReaderId) {
        self.store.changes.restart(reader);
    }

    /// Whether something changed since the reader read its last part.
    pub(crate) fn has_changes(&mut self, reader: ReaderId) -> bool {
        let unread = self.store.changes.get_mut(reader);
        unread.is_some_and(|unread| unread.is_changed)
    }

    /// Writes a part of what the reader has not read, one line for each verification that is new, changed or
    /// dropped.
    ///
    /// A large engine is written in many calls, so that requests are answered in between. A verification
    /// that changes meanwhile is written again. So after the last part, the latest line of each
    /// verification tells its state at that instant.
    ///
    /// # Errors
    ///
    /// The error of `out`.
    pub(crate) fn write_part(&mut self, reader: ReaderId, out: &mut impl io::Write) -> io::Result<Part> {
        let Some(unread) = self.store.changes.get_mut(reader) else {
            return Ok(Part::Last);
        };
        if std::mem::take(&mut unread.is_new) {
            return Ok(Part::StartOver);
        }
        let read_up_to = unread.read_up_to;
        let at = unread.changed.len().saturating_sub(MOST_IN_A_PART);
        let mut uids = unread.changed.split_off(at);
        uids.sort_unstable();
        uids.dedup();
        let unread_ones = self.store.newer(read_up_to);
        let unread_ones: Vec<_> = unread_ones.take(MOST_IN_A_PART - uids.len()).collect();
        let now_up_to = unread_ones.last().map_or(read_up_to, |(seq, _)| *seq);
        for uid in uids
            .into_iter()
            .chain(unread_ones.into_iter().map(|(_, uid)| uid))
        {
            self.write_line(uid, out)?;
        }
        let has_more = self.store.newer(now_up_to).next().is_some();
        let Some(unread) = self.store.changes.get_mut(reader) else {
            return Ok(Part::Last);
        };
        unread.read_up_to = now_up_to;
        if has_more || !unread.changed.is_empty() {
            return Ok(Part::Some);
        }
        unread.is_changed = false;
        Ok(Part::Last)
    }

    fn write_line(&self, uid: Uid, out: &mut impl io::Write) -> io::Result<()> {
        let kept = self.store.get(uid);
        let line = kept.map_or(Line::Dropped(uid), |record| {
            Line::Verification(self.saving(record))
        });
        serde_json::to_writer(&mut *out, &line)?;
        out.write_all(b"\n")
    }

    fn saving<'a>(&self, record: &'a Record) -> Saving<'a> {
        let entries = self.handsets.entries(&record.number);
        let own = entries.filter(|entry| entry.uid == record.uid);
        let messages = own.map(|entry| SavedMessage(entry.seq, entry.kind.method.clone(), entry.at));
        Saving {
            record,
            listed: self.store.is_listed(record),
            messages: messages.collect(),
        }
    }

    /// Everything except verifications.
    pub(crate) fn saved(&self) -> SavedEngine {
        SavedEngine {
            seed: self.seed,
            random: self.random.position(),
            verifications: self.store.counts(),
            messages: self.handsets.received(),
            behaviors: self.behaviors.list(),
        }
    }

    /// An engine that continues from what was saved. `applications` are the present ids of the saved
    /// applications, in their order. What belongs to no application is left out.
    pub(crate) fn restored(
        settings: Arc<Settings>,
        saved: SavedEngine,
        verifications: Vec<SavedVerification>,
        applications: &[AppId],
    ) -> Self {
        let present = |app: AppId| applications.get(app.index()).copied();
        let mut handsets = Handsets::new(settings.inbox_kept);
        handsets.reserve(verifications.len());
        let mut records = Vec::with_capacity(verifications.len());
        let mut messages = Vec::with_capacity(verifications.len());
        for verification in verifications {
            let SavedVerification {
                mut record,
                listed,
                messages: own,
            } = verification;
            let Some(app) = present(record.app) else {
                continue;
            };
            record.app = app;
            for SavedMessage(seq, method, at) in own {
                let uid = record.uid;
                let entry = method.info().map(|kind| Entry { seq, uid, kind, at });
                messages.extend(entry.map(|entry| (record.number, entry)));
            }
            records.push((record, listed));
        }
        let store = Store::restored(records, saved.verifications);
        let timers: Timers = store.oldest_first().flat_map(Record::timers).collect();
        messages.retain(|(_, entry)| store.get(entry.uid).is_some());
        messages.sort_unstable_by_key(|(_, entry)| entry.seq);
        for (number, entry) in messages {
            handsets.put(number, entry);
        }
        handsets.continue_after(saved.messages);
        let mut engine = Self::new(settings, saved.seed);
        engine.random = Random::at(saved.seed, saved.random);
        engine.store = store;
        engine.handsets = handsets;
        engine.timers = timers;
        for (scope, behavior) in saved.behaviors {
            let scope = match scope {
                BehaviorScope::Application(app) => match present(app) {
                    Some(app) => BehaviorScope::Application(app),
                    None => continue,
                },
                other => other,
            };
            engine.behaviors.set(scope, behavior);
        }
        engine
    }

    /// Continues as `other`, with the same readers, which read everything again. Returns the old state.
    pub(crate) fn replace_by(&mut self, other: Self) -> Self {
        let mut old = std::mem::replace(self, other);
        std::mem::swap(&mut self.store.changes, &mut old.store.changes);
        self.store.changes.restart_all();
        old
    }
}
