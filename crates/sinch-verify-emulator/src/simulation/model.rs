//! The model: the verifications as an outside observer knows them.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::time::{Duration, SystemTime};

use sinch_verify_protocol::{Method, PhoneNumber, Reason, Status};

use super::checks::Checked;
use crate::engine::{AppId, Effect, Notice, Outputs, Uid};

/// A verification in the model.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) app: AppId,
    pub(super) number: PhoneNumber,
    pub(super) method: Method,
    pub(super) reference: Option<String>,
    pub(super) started: SystemTime,
    /// The requested expiry, counted from the sending.
    pub(super) asked: Option<Duration>,
    /// The latest possible end.
    pub(super) last: SystemTime,
    /// The end in its result event.
    pub(super) end: Option<Status>,
    /// Whether it ended by expiry.
    pub(super) expired: bool,
    /// Whether its message was sent, so that it no longer waits for a decision.
    pub(super) sent: bool,
    pub(super) wrong: u32,
}

/// All verifications that the engine must still keep.
#[derive(Default)]
pub(super) struct Model {
    known: HashMap<Uid, Known>,
    pending: HashMap<(u32, PhoneNumber), Uid>,
    /// The latest start of each number.
    latest: HashMap<(u32, PhoneNumber), Uid>,
    /// The times of accepted starts in the last second.
    passed: HashMap<u32, VecDeque<SystemTime>>,
    references: HashMap<(u32, String), Uid>,
    due: BTreeSet<(SystemTime, Uid)>,
    ended: VecDeque<Uid>,
    kept: usize,
    /// Whether a start ends the pending one for the same number.
    aborts: bool,
    pub(super) started: u64,
    pub(super) over: u64,
}

impl Model {
    /// A model of an engine that keeps `kept` ended verifications and aborts predecessors or not.
    pub(super) fn new(kept: usize, aborts: bool) -> Self {
        Self {
            kept,
            aborts,
            ..Self::default()
        }
    }

    /// Removes everything, as after a reset. Pending verifications never end then.
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

    /// The earliest of the latest possible ends.
    pub(super) fn next_due(&self) -> Option<SystemTime> {
        self.due.first().map(|(at, _)| *at)
    }

    /// All verifications, in no order.
    pub(super) fn all(&self) -> Vec<Uid> {
        self.known.keys().copied().collect()
    }

    /// The latest start for a number, which may no longer be kept.
    pub(super) fn latest(&self, app: AppId, number: PhoneNumber) -> Option<Uid> {
        self.latest.get(&(app.0, number)).copied()
    }

    /// Checks a start of `app` at `now` that was accepted, or refused by the limit of `most` in a second.
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
            // The engine's counting second may end within this one.
            false if passed > 2 * most => Err(format!("{passed} starts in a second, of {most}")),
            _ => Ok(()),
        }
    }

    /// The end of `uid` in these outputs.
    pub(super) fn end_of(outputs: &Outputs, uid: Uid) -> Option<&Status> {
        outputs.effects.iter().find_map(|effect| match &effect.notice {
            Notice::Result(event) if effect.uid == uid => Some(&event.status),
            _ => None,
        })
    }

    /// Whether the engine may no longer keep `uid`.
    pub(super) fn is_to_forget(&self, uid: Uid) -> bool {
        let surplus = self.ended.len().saturating_sub(self.kept);
        self.ended.iter().take(surplus).any(|ended| *ended == uid)
    }

    /// Adds a start.
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

    /// Moves the latest possible end.
    pub(super) fn postpone(&mut self, uid: Uid, last: SystemTime) {
        if let Some(known) = self.known.get_mut(&uid).filter(|known| known.end.is_none()) {
            self.due.remove(&(known.last, uid));
            known.last = known.last.max(last);
            self.due.insert((known.last, uid));
        }
    }

    /// Checks an event.
    pub(super) fn check_event(&mut self, effect: &Effect) -> Result<(), String> {
        let uid = effect.uid;
        let Some(known) = self.known.get_mut(&uid) else {
            return Err(format!("an event is about {uid}, which was never started"));
        };
        if known.app != effect.app {
            return Err(format!("an event about {uid} is for another application"));
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

    /// Removes and returns the verifications that the engine does not need to keep.
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
