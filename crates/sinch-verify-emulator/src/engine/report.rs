//! Reports of codes and caller ids.

use sinch_verify_protocol::report::{ReportRequest, ReportedProof};
use sinch_verify_protocol::{ApiError, Reason, Status};

use super::Engine;
use super::call;
use super::command::{Answer, Refusal, Target};
use super::ids::{AppId, Uid};
use super::record::{Payload, Record};
use crate::settings::ReportAnswer;

impl Engine {
    pub(super) fn report(&mut self, app: AppId, target: &Target, report: &ReportRequest) -> Answer {
        let proof = match report.require_proof() {
            Ok(proof) => proof,
            Err(error) => return Answer::Refused(ApiError::from(&error).into()),
        };
        let found = match target {
            Target::Id(id) => self.store.by_id(id),
            Target::Number(number) => self.store.latest(app, number, None),
        };
        let Some(record) = found.and_then(|uid| self.store.of(app, uid)) else {
            return Answer::Refused(Refusal::not_found());
        };
        let uid = record.uid;
        self.about = Some(uid);
        if let Some(answer) = self.late(record) {
            return answer;
        }
        let Some(payload) = record.by(&report.method) else {
            if self.settings.other_method_is_attempt {
                self.count_attempt(uid, Reason::InvalidCode);
            }
            return wrong("The verification is by another method.");
        };
        let right = match (payload, proof) {
            (Payload::Text { code, .. }, ReportedProof::Code(reported)) => *code == reported.code,
            (Payload::Speech(speech), ReportedProof::Code(reported)) => {
                speech.code.as_ref() == Some(&reported.code)
            }
            (Payload::Call { cli }, ReportedProof::Cli(reported)) => call::is_caller_id(cli, &reported.cli),
            // Nothing was sent yet, so no report can be right.
            _ => return wrong("Nothing was sent to the number yet."),
        };
        if let Some(source) = &report.source
            && let Some(record) = self.store.get_mut(uid)
        {
            record.source = Some(source.clone());
        }
        if right {
            self.end(uid, Status::Successful, None);
            return self.report_answer(uid);
        }
        let reason = match proof {
            ReportedProof::Cli(_) => Reason::InvalidCli,
            _ => Reason::InvalidCode,
        };
        let answer = if self.count_attempt(uid, reason) {
            self.settings.last_wrong_report
        } else {
            self.settings.wrong_report
        };
        match answer {
            ReportAnswer::Refusal => wrong("Invalid identity or code."),
            ReportAnswer::Verification => self.report_answer(uid),
        }
    }

    /// The answer to a report after the end; `None` while the verification is pending.
    pub(super) fn late(&self, record: &Record) -> Option<Answer> {
        if record.is_pending() {
            return None;
        }
        let answer = if record.has_expired() {
            self.settings.report_after_expiry
        } else if record.status == Status::Successful {
            self.settings.report_after_success
        } else {
            ReportAnswer::Refusal
        };
        Some(match answer {
            ReportAnswer::Refusal => wrong("The verification has already ended."),
            ReportAnswer::Verification => Answer::Verification(Box::new(record.report_answer())),
        })
    }

    /// Counts a wrong attempt. Returns whether it was the last one.
    pub(super) fn count_attempt(&mut self, uid: Uid, reason: Reason) -> bool {
        let most = self.settings.attempts;
        let Some(record) = self.store.get_mut(uid) else {
            return false;
        };
        record.attempts = record.attempts.saturating_add(1);
        let last = record.attempts >= most;
        if last {
            self.end(uid, Status::Fail, Some(reason));
        } else {
            // The source of a report is kept and may be a long text.
            self.store.count_again(uid);
        }
        last
    }

    pub(super) fn report_answer(&self, uid: Uid) -> Answer {
        match self.store.get(uid) {
            Some(record) => Answer::Verification(Box::new(record.report_answer())),
            None => Answer::Refused(Refusal::not_found()),
        }
    }
}

fn wrong(message: &str) -> Answer {
    Answer::Refused(Refusal::not_processable(message))
}
