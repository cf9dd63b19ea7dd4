//! Reporting a proof, and settling a report whose answer was lost.

use super::failure::{Failure, RequestFailure};
use super::output::{Ignored, Progress};
use super::plan::AskBy;
use super::request::{Answered, Request, StatusQuery};
use super::state::{Exchange, MethodAttempt, Pending, Proof, ProofValue, State};
use super::step::Step;
use crate::endpoint::Idempotency;
use crate::report::{self, Report, Target};
use crate::retry::{History, Next, Outcome};
use crate::status::{StatusById, StatusByNumber};
use crate::verification::{Source, Status, Verification};

impl Step<'_> {
    /// Reports this proof now, or next.
    ///
    /// While a report is not settled, one proof waits. A later one takes its
    /// place: people correct their typing. But a typed proof never displaces an
    /// intercepted one, which is no guess and does not come again.
    pub(super) fn propose(&mut self, mut attempt: Box<MethodAttempt>, proof: Proof) -> State {
        let repeated = [attempt.proof(), attempt.queued.as_ref()];
        if repeated.iter().flatten().any(|known| known.value == proof.value) {
            return self.ignore(State::Active(attempt), Ignored::Repeated);
        }
        if attempt.exchange == Exchange::Idle {
            return self.report(attempt, proof);
        }
        let intercepted = |proof: &Proof| proof.source != Source::Manual;
        if attempt.queued.as_ref().is_some_and(intercepted) && !intercepted(&proof) {
            return self.ignore(State::Active(attempt), Ignored::Busy);
        }
        attempt.queued = Some(proof);
        State::Active(attempt)
    }

    fn report(&mut self, attempt: Box<MethodAttempt>, proof: Proof) -> State {
        if self.time_is_up() {
            return self.fail(Failure::TimedOut);
        }
        self.progress(Progress::Reporting {
            source: proof.source.clone(),
        });
        let history = History::new(Idempotency::AskFirst).in_doubt_before(attempt.doubt);
        self.send_report(attempt, Pending { proof, history })
    }

    fn send_report(&mut self, mut attempt: Box<MethodAttempt>, pending: Pending) -> State {
        if self.time_is_up() {
            return self.fail(Failure::TimedOut);
        }
        let Some(request) = request(&attempt, &pending.proof) else {
            return self.ignore(State::Active(attempt), Ignored::NotForMethod);
        };
        let request = self.send(request);
        attempt.exchange = Exchange::Sent { request, pending };
        State::Active(attempt)
    }

    fn ask(&mut self, mut attempt: Box<MethodAttempt>, pending: Pending) -> State {
        if self.time_is_up() {
            return self.fail(Failure::TimedOut);
        }
        let query = self.status_query(&attempt);
        let request = self.send(query);
        attempt.exchange = Exchange::Asking { request, pending };
        State::Active(attempt)
    }

    pub(super) fn report_answered(
        &mut self,
        mut attempt: Box<MethodAttempt>,
        mut pending: Pending,
        answer: Answered,
    ) -> State {
        let outcome = match &answer {
            Ok(_) => Outcome::Answered,
            Err(failure) => failure.outcome(),
        };
        let unreadable = matches!(answer, Err(RequestFailure::Unreadable));
        let next = self.decide(&mut attempt, &mut pending, outcome);
        match next {
            Next::Query { .. } if unreadable => self.progress(Progress::ReportUnreadable),
            Next::Query { .. } => self.progress(Progress::ReportLost),
            _ => {}
        }
        self.go_on(attempt, pending, next, answer)
    }

    pub(super) fn query_answered(
        &mut self,
        mut attempt: Box<MethodAttempt>,
        mut pending: Pending,
        answer: Answered,
    ) -> State {
        let outcome = match &answer {
            Ok(found) => Outcome::Found {
                certain: true,
                pending: !found.status.is_final(),
            },
            Err(failure) => failure.outcome(),
        };
        let next = self.decide(&mut attempt, &mut pending, outcome);
        match (next, answer) {
            (
                Next::Stop,
                Err(
                    failure @ (RequestFailure::Refused { status: 404, .. }
                    | RequestFailure::AnotherVerification),
                ),
            ) => self.attempt_failed(attempt, failure.into_failure()),
            (Next::Stop, _) => self.unsettled(attempt, &pending.proof, RequestFailure::Lost),
            (_, answer) => self.go_on(attempt, pending, next, answer),
        }
    }

    fn decide(&self, attempt: &mut MethodAttempt, pending: &mut Pending, outcome: Outcome) -> Next {
        let policy = &self.core.settings.retry;
        let next = policy.decide(&mut pending.history, outcome, self.core.jitter());
        attempt.doubt = pending.history.is_in_doubt();
        next
    }

    /// Does what was decided. Where nothing more is sent, `answer` ends the exchange.
    fn go_on(
        &mut self,
        mut attempt: Box<MethodAttempt>,
        pending: Pending,
        next: Next,
        answer: Answered,
    ) -> State {
        let at = |wait| self.now.saturating_add(wait);
        let fits = |at| self.core.ends_at.is_none_or(|ends_at| at < ends_at);
        attempt.exchange = match next {
            Next::Send { wait } if fits(at(wait)) => Exchange::SendAt {
                at: at(wait),
                pending,
            },
            Next::Query { wait } if fits(at(wait)) => Exchange::AskAt {
                at: at(wait),
                pending,
            },
            Next::Query { .. } => return self.ask(attempt, pending),
            Next::Send { .. } => return self.unsettled(attempt, &pending.proof, RequestFailure::Lost),
            Next::Done | Next::Stop => return self.conclude(attempt, &pending.proof, answer),
        };
        State::Active(attempt)
    }

    /// The exchange is over with this answer.
    fn conclude(&mut self, attempt: Box<MethodAttempt>, proof: &Proof, answer: Answered) -> State {
        match answer {
            Ok(verification) => match verification.status {
                Status::Successful => self.verified(verification),
                // Not decided: the proof was not taken, and another one may be.
                Status::Pending | Status::Unknown(_) => self.wrong(attempt, proof, Some(verification)),
                _ => self.attempt_failed(attempt, Failure::of(verification)),
            },
            // An address that refuses is no verification, whatever its reasons.
            Err(RequestFailure::Refused {
                status: 400..=499, ..
            }) if matches!(proof.value, ProofValue::Target(_)) => self.wrong(attempt, proof, None),
            Err(RequestFailure::Refused { status: 400, .. }) => self.wrong(attempt, proof, None),
            Err(
                failure @ (RequestFailure::Lost
                | RequestFailure::NotSent
                | RequestFailure::Unreadable
                | RequestFailure::Refused {
                    status: 408 | 429 | 500..,
                    ..
                }),
            ) => self.unsettled(attempt, proof, failure),
            Err(failure) => self.attempt_failed(attempt, failure.into_failure()),
        }
    }

    /// The time has come to query the status, or to send again.
    pub(super) fn resume_exchange(&mut self, mut attempt: Box<MethodAttempt>) -> State {
        match std::mem::replace(&mut attempt.exchange, Exchange::Idle) {
            Exchange::AskAt { pending, .. } => self.ask(attempt, pending),
            Exchange::SendAt { pending, .. } => self.send_report(attempt, pending),
            other => {
                attempt.exchange = other;
                State::Active(attempt)
            }
        }
    }

    pub(super) fn status_query(&self, attempt: &MethodAttempt) -> Request {
        Request::Status(match self.core.settings.ask_by {
            AskBy::Id => StatusQuery::ById(StatusById {
                id: attempt.id.clone(),
            }),
            AskBy::Number => StatusQuery::ByNumber(StatusByNumber {
                method: attempt.method.clone(),
                number: self.core.number,
            }),
        })
    }

    /// The proof was refused.
    fn wrong(
        &mut self,
        attempt: Box<MethodAttempt>,
        proof: &Proof,
        said: Option<Box<Verification>>,
    ) -> State {
        if let ProofValue::Target(_) = proof.value {
            // There is no other target to try.
            let refused = || Verification::new(attempt.id.clone(), attempt.method.clone(), Status::Fail);
            let verification = said.unwrap_or_else(|| Box::new(refused()));
            return self.attempt_failed(attempt, Failure::NotVerified(verification));
        }
        self.core.wrong = self.core.wrong.saturating_add(1);
        let attempts_left = self.core.settings.attempts.saturating_sub(self.core.wrong);
        self.progress(Progress::Refused { attempts_left });
        if attempts_left == 0 {
            return self.fail(Failure::AttemptsUsedUp);
        }
        self.settled(attempt)
    }

    /// Whether the report was taken cannot be found out.
    fn unsettled(&mut self, attempt: Box<MethodAttempt>, proof: &Proof, failure: RequestFailure) -> State {
        self.progress(Progress::ReportUnsettled);
        if let ProofValue::Target(_) = proof.value {
            return self.attempt_failed(attempt, failure.into_failure());
        }
        self.settled(attempt)
    }

    /// The exchange is over without success: on with whatever waited for that.
    fn settled(&mut self, mut attempt: Box<MethodAttempt>) -> State {
        attempt.exchange = Exchange::Idle;
        if let Some(proof) = attempt.queued.take() {
            return self.report(attempt, proof);
        }
        match attempt.due.take() {
            Some(why) => self.next_method(*attempt, why),
            None => State::Active(attempt),
        }
    }
}

/// The request that carries this proof; `None` for one that the method does not take.
fn request(attempt: &MethodAttempt, proof: &Proof) -> Option<Request> {
    let value: report::Proof = match &proof.value {
        ProofValue::Target(target) => return Some(Request::FetchTarget(target.clone())),
        ProofValue::Cli(cli) => cli.clone().into(),
        ProofValue::Code(code) => code.clone().into(),
    };
    let report = Report::new(Target::Id(attempt.id.clone()), &attempt.method, value).ok()?;
    Some(Request::Report(Box::new(report.source(proof.source.clone()))))
}
