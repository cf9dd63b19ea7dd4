//! What an observer knows: who started what, what was told, and when it must be over.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::time::{Duration, SystemTime};

use sinch_verify_protocol::{Method, PhoneNumber, Reason, Status};

use super::checks::Checked;
use crate::engine::{AppId, Effect, Notice, Outputs, Uid};

/// A verification as an observer knows it.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) app: AppId,
    pub(super) number: PhoneNumber,
    pub(super) method: Method,
    pub(super) reference: Option<String>,
    pub(super) started: SystemTime,
    /// How long its start asks it to be pending, from its sending on.
    pub(super) asked: Option<Duration>,
    /// By when it must have ended.
    pub(super) last: SystemTime,
    /// How it ended, if it was told to have.
    pub(super) end: Option<Status>,
    /// Whether that was its expiry.
    pub(super) expired: bool,
    /// Whether it was sent, and is no longer waiting for a decision.
    pub(super) sent: bool,
    pub(super) wrong: u32,
}

/// All verifications that must still be known.
#[derive(Default)]
pub(super) struct Model {
    known: HashMap<Uid, Known>,
    pending: HashMap<(u32, PhoneNumber), Uid>,
    /// The latest start of each number.
    latest: HashMap<(u32, PhoneNumber), Uid>,
    /// When starts of the last second were let through.
    passed: HashMap<u32, VecDeque<SystemTime>>,
    references: HashMap<(u32, String), Uid>,
    due: BTreeSet<(SystemTime, Uid)>,
    ended: VecDeque<Uid>,
    kept: usize,
    /// Whether a start ends the one before it for the same number.
    aborts: bool,
    pub(super) started: u64,
    pub(super) over: u64,
}

impl Model {
    /// A service that keeps so many ended verifications, and aborts predecessors or not.
    pub(super) fn new(kept: usize, aborts: bool) -> Self {
        Self {
            kept,
            aborts,
            ..Self::default()
        }
    }

    /// After a reset nothing is known; what was pending never ends.
    pub(super) fn clear(&mut self) {
        *self = Self {
            started: self.started,
            over: self.over + self.due.len() as u64,
            kept: self.kept,
            aborts: self.aborts,
            ..Self::default()
        };
    }

    pub(super) fn get(&self, uid: Uid) -> Option<&Known> {
        self.known.get(&uid)
    }

    pub(super) fn get_mut(&mut self, uid: Uid) -> Option<&mut Known> {
        self.known.get_mut(&uid)
    }

    pub(super) fn by_reference(&self, app: AppId, reference: &str) -> Option<Uid> {
        self.references.get(&(app.0, reference.to_owned())).copied()
    }

    /// By when the next of them must have ended.
    pub(super) fn next_due(&self) -> Option<SystemTime> {
        self.due.first().map(|(at, _)| *at)
    }

    /// All of them, in no order.
    pub(super) fn all(&self) -> Vec<Uid> {
        self.known.keys().copied().collect()
    }

    /// The latest start for a number, which may have been forgotten since.
    pub(super) fn latest(&self, app: AppId, number: PhoneNumber) -> Option<Uid> {
        self.latest.get(&(app.0, number)).copied()
    }

    /// A start of `app` was let through at `now`, or refused because there were `most` in a second.
    pub(super) fn passed(&mut self, app: AppId, now: SystemTime, most: u32, full: bool) -> Checked {
        let passed = self.passed.entry(app.0).or_default();
        let second = Duration::from_secs(1);
        passed.retain(|at| now.duration_since(*at).is_ok_and(|since| since < second));
        if !full {
            passed.push_back(now);
        }
        let (most, passed) = (most as usize, passed.len());
        match full {
            true if passed < most => Err(format!("a start is one too many after {passed} of {most}")),
            // The second that is counted may end within this one, and another begin.
            false if passed > 2 * most => Err(format!("{passed} starts in a second, of {most}")),
            _ => Ok(()),
        }
    }

    /// The end of `uid` that these outputs tell of.
    pub(super) fn end_of(outputs: &Outputs, uid: Uid) -> Option<&Status> {
        outputs.effects.iter().find_map(|effect| match &effect.notice {
            Notice::Result(event) if effect.uid == uid => Some(&event.status),
            _ => None,
        })
    }

    /// Whether the service may have forgotten `uid` already.
    pub(super) fn is_to_forget(&self, uid: Uid) -> bool {
        let surplus = self.ended.len().saturating_sub(self.kept);
        self.ended.iter().take(surplus).any(|ended| *ended == uid)
    }

    /// A start went through.
    pub(super) fn learn(&mut self, uid: Uid, known: Known) -> Result<(), String> {
        self.started += 1;
        self.due.insert((known.last, uid));
        self.latest.insert((known.app.0, known.number), uid);
        let other = self.pending.insert((known.app.0, known.number), uid);
        if let Some(other) = other.filter(|_| self.aborts) {
            return Err(format!("{other} is pending beside {uid} for the same number"));
        }
        if let Some(reference) = &known.reference {
            self.references.insert((known.app.0, reference.clone()), uid);
        }
        match self.known.insert(uid, known) {
            Some(_) => Err(format!("the id {uid} was given out twice")),
            None => Ok(()),
        }
    }

    /// The end may be this much later than was known.
    pub(super) fn postpone(&mut self, uid: Uid, last: SystemTime) {
        if let Some(known) = self.known.get_mut(&uid).filter(|known| known.end.is_none()) {
            self.due.remove(&(known.last, uid));
            known.last = known.last.max(last);
            self.due.insert((known.last, uid));
        }
    }

    /// An application is told something.
    pub(super) fn told(&mut self, effect: &Effect) -> Result<(), String> {
        let uid = effect.uid;
        let Some(known) = self.known.get_mut(&uid) else {
            return Err(format!("an event tells of {uid}, which nobody started"));
        };
        if known.app != effect.app {
            return Err(format!("another application is told of {uid}"));
        }
        let event = match &effect.notice {
            Notice::Result(event) => event,
            Notice::Delivered(event) => {
                return match (event.id == uid.to_id(), &known.end) {
                    (true, None) => Ok(()),
                    (true, Some(_)) => Err(format!("{uid} is delivered after its end")),
                    (false, _) => Err(format!("a delivered event of {uid} has another id")),
                };
            }
        };
        if event.id != uid.to_id() || !event.status.is_final() {
            return Err(format!("the result event of {uid} is not one of its end"));
        }
        known.expired = event.reason == Some(Reason::Expired);
        if let Some(before) = known.end.replace(event.status.clone()) {
            return Err(format!("{uid} ended as {before} and again as {}", event.status));
        }
        self.over += 1;
        self.due.remove(&(known.last, uid));
        if self.pending.get(&(known.app.0, known.number)) == Some(&uid) {
            self.pending.remove(&(known.app.0, known.number));
        }
        self.ended.push_back(uid);
        Ok(())
    }

    /// Forgets what the service need not keep; gives it.
    pub(super) fn forget_old(&mut self) -> Vec<Uid> {
        let mut forgotten = Vec::new();
        while self.ended.len() > self.kept {
            let Some(uid) = self.ended.pop_front() else { break };
            if let Some(known) = self.known.remove(&uid)
                && let Some(reference) = known.reference
            {
                self.references.remove(&(known.app.0, reference));
            }
            forgotten.push(uid);
        }
        forgotten
    }
}
