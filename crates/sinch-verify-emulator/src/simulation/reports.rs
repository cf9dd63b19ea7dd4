//! Random reports: right, wrong, late, repeated, of any application; and the checks of their answers.

use sinch_verify_protocol::method::ProofKind;
use sinch_verify_protocol::{Method, Status};

use super::checks::{Checked, answers_refusal, refused, same, unchanged, verification};
use super::commands::{self, chance};
use super::model::{Known, Model};
use super::world::World;
use crate::engine::{Command, Outputs, Target, Uid};
use crate::settings::ReportAnswer;

impl World {
    pub(super) fn report(&mut self) -> Checked {
        let Some((uid, known, message)) = self.chosen() else {
            return Ok(());
        };
        let app = if chance(&mut self.rng, 10) {
            commands::app(&mut self.rng)
        } else {
            known.app
        };
        let named = if chance(&mut self.rng, 90) {
            known.method.clone()
        } else {
            commands::method(&mut self.rng)
        };
        let named = if named == Method::Auto { Method::Sms } else { named };
        let right = chance(&mut self.rng, 50);
        let report = commands::report(&named, message.as_ref(), right)?;
        let proof = message
            .filter(|_| right)
            .is_some_and(|message| match named.proof() {
                Some(ProofKind::Cli) => message.cli.is_some(),
                _ => message.code.is_some(),
            });
        let latest = self.model.latest(app, known.number);
        // If starts do not abort each other, an older one may end after the latest.
        let clear =
            self.settings.abort_predecessor || latest.is_some_and(|uid| self.model.get(uid).is_some());
        let (target, meant) = if clear && chance(&mut self.rng, 40) {
            (Target::Number(known.number), latest)
        } else {
            (Target::Id(uid.to_id()), (app == known.app).then_some(uid))
        };
        let before = meant.and_then(|meant| Some((meant, self.model.get(meant)?.clone())));
        let give = Command::Report {
            app,
            target,
            report: Box::new(report),
        };
        let outputs = self.give(give.clone())?;
        if named == Method::Seamless {
            // Only its address verifies it.
            return refused(&outputs, 40001);
        }
        let Some((meant, before)) = before else {
            return refused(&outputs, 40400);
        };
        if before.end.is_some() {
            return self.late(&before, &outputs);
        }
        let tries = before.method == named
            || before.method == Method::Auto && matches!(named, Method::Sms | Method::FlashCall);
        if !tries {
            answers_refusal(&outputs, 40003)?;
            let is_attempt = before.sent || before.method != Method::Auto;
            return match self.settings.other_method_is_attempt && is_attempt {
                true => self
                    .wrong(meant, &outputs)
                    .and_then(|()| self.check_verification(meant)),
                false => unchanged(&outputs),
            };
        }
        if !before.sent {
            return refused(&outputs, 40003);
        }
        if proof && meant == uid {
            let status = &verification(&outputs)?.status;
            same(&Status::Successful, status, "a right report")?;
            let end = Model::end_of(&outputs, meant);
            same(&Some(&Status::Successful), &end, "the event of a right report")?;
            self.check_verification(meant)?;
            // The same report again, as after a lost answer.
            return match (chance(&mut self.rng, 20), self.model.get(meant).cloned()) {
                (true, Some(known)) => {
                    let outputs = self.give(give)?;
                    self.late(&known, &outputs)
                }
                _ => Ok(()),
            };
        }
        self.wrong(meant, &outputs)?;
        match Model::end_of(&outputs, meant) {
            // By chance.
            Some(Status::Successful) => {}
            Some(end) => answers(self.settings.last_wrong_report, end, &outputs)?,
            None => answers(self.settings.wrong_report, &Status::Pending, &outputs)?,
        }
        self.check_verification(meant)
    }

    /// Checks the answer to a report after the end, which changes nothing.
    pub(super) fn late(&self, known: &Known, outputs: &Outputs) -> Checked {
        unchanged(outputs)?;
        let Some(end) = &known.end else {
            return Err("a pending verification answers as ended".to_owned());
        };
        let answer = match end {
            Status::Fail if known.expired => self.settings.report_after_expiry,
            Status::Successful => self.settings.report_after_success,
            _ => ReportAnswer::Refusal,
        };
        answers(answer, end, outputs)
    }

    /// Checks a wrong report or wrong keys. A random code may be right by chance.
    pub(super) fn wrong(&mut self, uid: Uid, outputs: &Outputs) -> Checked {
        let attempts = self.settings.attempts;
        let end = Model::end_of(outputs, uid).cloned();
        let wrong = self.model.get_mut(uid).map_or(attempts, |known| {
            known.wrong += 1;
            known.wrong
        });
        match end {
            Some(Status::Successful) => Ok(()),
            Some(Status::Fail) if wrong >= attempts => Ok(()),
            // The handset's behavior made attempts too.
            Some(Status::Fail) if self.acts_by_itself(uid) => Ok(()),
            None if wrong < attempts => unchanged(outputs),
            end => Err(format!(
                "after {wrong} of {attempts} wrong attempts {uid} is {end:?}"
            )),
        }
    }

    fn acts_by_itself(&self, uid: Uid) -> bool {
        let known = self.model.get(uid);
        known.is_some_and(|known| commands::acts_by_itself(&known.number))
    }
}

/// Checks the answer to a report, for a verification with this status.
fn answers(answer: ReportAnswer, status: &Status, outputs: &Outputs) -> Checked {
    match answer {
        ReportAnswer::Refusal => answers_refusal(outputs, 40003),
        ReportAnswer::Verification => same(status, &verification(outputs)?.status, "the status in an answer"),
    }
}
