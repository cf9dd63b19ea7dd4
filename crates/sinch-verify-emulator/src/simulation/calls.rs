//! Random actions on calls: keys, outcomes and hanging up.

use sinch_verify_protocol::method::Form;
use sinch_verify_protocol::verification::CallResult;
use sinch_verify_protocol::{Method, PhoneNumber, Reason, Status};

use super::checks::{Checked, refused, same, uid_of, unchanged, verification};
use super::commands::{self, chance};
use super::world::World;
use crate::engine::{Answer, Command, Notice, Query, Uid};

impl World {
    /// Presses keys in the latest callout to a number.
    pub(super) fn keypad(&mut self) -> Checked {
        let (number, message) = match self.chosen() {
            Some((_, known, message)) if chance(&mut self.rng, 80) => (known.number, message),
            _ => (commands::number(&mut self.rng)?, None),
        };
        let digits = commands::keys(&mut self.rng, message.as_ref());
        let outputs = self.give(Command::Keypad {
            app: None,
            number,
            digits,
        })?;
        if let Answer::Refused(_) = outputs.answer {
            return unchanged(&outputs);
        }
        let answer = verification(&outputs)?;
        let uid = uid_of(answer.id.as_str())?;
        if answer.status != Status::Successful {
            self.wrong(uid, &outputs)?;
        }
        self.check_verification(uid)
    }

    /// Declines or ends the latest call to a number. A callout then fails, and a flash call only stops.
    pub(super) fn hang_up(&mut self) -> Checked {
        let number = match self.chosen() {
            Some((_, known, _)) if chance(&mut self.rng, 80) => known.number,
            _ => commands::number(&mut self.rng)?,
        };
        let latest = self.call_under_way(&number)?;
        let outputs = self.give(Command::HangUp { app: None, number })?;
        let over: Vec<_> = outputs
            .calls_over
            .iter()
            .map(|call| (call.uid, call.hung_up))
            .collect();
        let Some(uid) = latest else {
            same(&vec![], &over, "the calls that are over")?;
            return refused(&outputs, 40400);
        };
        same(&vec![(uid, true)], &over, "the calls that are over")?;
        let known = self.model.get(uid).cloned().ok_or("a call belongs to no start")?;
        let events: Vec<_> = outputs
            .effects
            .iter()
            .map(|effect| match &effect.notice {
                Notice::Result(event) => (effect.uid, event.reason.clone()),
                Notice::Delivered(_) => (effect.uid, None),
            })
            .collect();
        let (expected, status, result) = match known.method {
            Method::Callout => (
                vec![(uid, Some(Reason::HungUp))],
                Status::Fail,
                CallResult::Answered,
            ),
            _ => (vec![], Status::Pending, CallResult::Busy),
        };
        same(&expected, &events, "the events after hanging up")?;
        let answer = verification(&outputs)?;
        same(&uid.to_id(), &answer.id, "the call that is ended")?;
        same(&status, &answer.status, "the status after hanging up")?;
        let after = self.status(known.app, Query::Id(uid.to_id()))?;
        let after = after.ok_or("a verification is forgotten with its call")?;
        same(
            &(Some(true), Some(result)),
            &(after.call_complete, after.call_result),
            "a call that was ended, and its result",
        )?;
        if self.call_under_way(&number)? == Some(uid) {
            return Err(format!("the call of {uid} continues after hanging up"));
        }
        self.check_verification(uid)
    }

    /// The latest call under way on a handset. Checks that it belongs to a pending verification: a callout
    /// until the end, a flash call as long as it rings.
    fn call_under_way(&self, number: &PhoneNumber) -> Result<Option<Uid>, String> {
        let mut latest = None;
        for message in self.engine.inbox(None, number) {
            let uid = uid_of(message.verification_id.as_str())?;
            let is_pending = self.model.get(uid).is_some_and(|known| known.end.is_none());
            let is_on = match message.kind.form() {
                Some(Form::Speech) => is_pending,
                Some(Form::Ring) => is_pending && message.ring_until.is_some_and(|until| until > self.now),
                _ => continue,
            };
            same(&Some(is_on), &message.ringing, "whether a call is under way")?;
            if is_on && latest.is_none() {
                latest = Some(uid);
            }
        }
        Ok(latest)
    }

    /// A device reports that no call came, which ends the latest flash call to its number.
    pub(super) fn outcome(&mut self) -> Checked {
        let (app, number) = match self.chosen() {
            Some((_, known, _)) if chance(&mut self.rng, 80) => (known.app, known.number),
            _ => (commands::app(&mut self.rng), commands::number(&mut self.rng)?),
        };
        let query = || Query::Number {
            method: Some(Method::FlashCall),
            number,
        };
        let before = self.status(app, query())?;
        let no_call = chance(&mut self.rng, 80);
        let outputs = self.give(Command::Outcome { app, number, no_call })?;
        let Some(before) = before else {
            // It may be too old to be found by its number.
            return match self.settings.status_by_number {
                None => refused(&outputs, 40400),
                Some(_) => unchanged(&outputs),
            };
        };
        unchanged(&outputs)?;
        same(
            &Answer::Done,
            &outputs.answer,
            "the answer to the outcome of a call",
        )?;
        let after = self.status(app, query())?;
        let after = after.ok_or("a flash call is found no more, once its outcome is reported")?;
        same(&before.id, &after.id, "the flash call of a number")?;
        let rang = before.call_complete == Some(false) && no_call;
        let expected = match rang {
            true => (Some(true), Some(CallResult::NoAnswer)),
            false => (before.call_complete, before.call_result),
        };
        same(
            &expected,
            &(after.call_complete, after.call_result),
            "a call and its result",
        )
    }
}
