//! The checks after every step.

use sinch_verify_protocol::{Status, Verification};

use super::checks::{Checked, same};
use super::commands::APPLICATIONS;
use super::world::World;
use crate::engine::{Answer, AppId, Command, Query, Uid};

impl World {
    pub(super) fn check_after_step(&mut self) -> Checked {
        if self.engine.next_deadline().is_some_and(|at| at <= self.now) {
            return Err("a timer that is due has not run".to_owned());
        }
        if self.model.next_due().is_some_and(|last| last <= self.now) {
            return Err("a verification is pending past its expiry".to_owned());
        }
        for uid in self.model.forget_old() {
            for app in (0..APPLICATIONS).map(AppId) {
                if self.status(app, Query::Id(uid.to_id()))?.is_some() {
                    return Err(format!("{uid} must no longer be kept"));
                }
            }
        }
        match self.choose() {
            Some(uid) => self.check_verification(uid),
            None => Ok(()),
        }
    }

    /// Checks the status of a verification for its application, and that no other application sees it.
    pub(super) fn check_verification(&mut self, uid: Uid) -> Checked {
        let Some(known) = self.model.get(uid).cloned() else {
            return Ok(());
        };
        let Some(seen) = self.status(known.app, Query::Id(uid.to_id()))? else {
            // Ended ones are dropped when others end; the model is updated after the step.
            return if known.end.is_some() && self.model.is_to_forget(uid) {
                Ok(())
            } else {
                Err(format!("{uid} is not known to its application"))
            };
        };
        same(
            known.end.as_ref().unwrap_or(&Status::Pending),
            &seen.status,
            "the status",
        )?;
        same(&Some(&known.method), &seen.method.as_ref(), "the method")?;
        same(&known.reference, &seen.reference, "the reference")?;
        same(
            &known.end.is_some(),
            &seen.price.is_some(),
            "whether it has a price",
        )?;
        let strangers = (1..APPLICATIONS).map(|n| AppId((known.app.0 + n) % APPLICATIONS));
        for stranger in strangers {
            if self.status(stranger, Query::Id(uid.to_id()))?.is_some() {
                return Err(format!("another application sees {uid}"));
            }
        }
        Ok(())
    }

    pub(super) fn check_all(&mut self) -> Checked {
        if let Some(uid) = self.engine.stale_timer() {
            return Err(format!("{uid} has ended and still has a timer"));
        }
        if !self.engine.is_byte_count_correct() {
            return Err("the count of bytes of pending verifications is wrong".to_owned());
        }
        for uid in self.model.all() {
            self.check_verification(uid)?;
        }
        Ok(())
    }

    /// The answer to a status query of an application; `None` for 404.
    pub(super) fn status(&mut self, app: AppId, query: Query) -> Result<Option<Verification>, String> {
        let outputs = self.engine.handle(self.now, Command::Status { app, query });
        if !outputs.effects.is_empty() {
            return Err("a status query changed something".to_owned());
        }
        match outputs.answer {
            Answer::Verification(verification) => Ok(Some(*verification)),
            Answer::Refused(refusal) if refusal.code == 40400 => Ok(None),
            other => Err(format!("a status query answers {other:?}")),
        }
    }
}
