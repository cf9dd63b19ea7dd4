//! Reporting a proof, and settling a report whose answer was lost.

use super::failure::{Failure, RequestFailure};
use super::output::{Ignored, Progress};
use super::phase::{Exchange, Leg, Pending, Phase, Proof, What};
use super::plan::AskBy;
use super::request::{Request, StatusQuery};
use super::turn::Turn;
use crate::endpoint::Idempotency;
use crate::report::{self, Report, Target};
use crate::retry::{History, Next, Outcome};
use crate::status::{StatusById, StatusByNumber};
use crate::verification::{Source, Status, Verification};

pub(super) type Answered = Result<Box<Verification>, RequestFailure>;

impl Turn<'_> {
    /// Reports this proof now, or next.
    ///
    /// While a report is not settled, one proof waits. A later one takes its
    /// place: people correct their typing. But a typed proof never displaces an
    /// intercepted one, which is no guess and does not come again.
    pub(super) fn propose(&mut self, mut leg: Box<Leg>, proof: Proof) -> Phase {
        let repeated = [leg.proof(), leg.queued.as_ref()];
        if repeated.iter().flatten().any(|known| known.what == proof.what) {
            return self.ignore(Phase::Active(leg), Ignored::Repeated);
        }
        if leg.exchange == Exchange::Quiet {
            return self.report(leg, proof);
        }
        let intercepted = |proof: &Proof| proof.source != Source::Manual;
        if leg.queued.as_ref().is_some_and(intercepted) && !intercepted(&proof) {
            return self.ignore(Phase::Active(leg), Ignored::Busy);
        }
        leg.queued = Some(proof);
        Phase::Active(leg)
    }

    fn report(&mut self, leg: Box<Leg>, proof: Proof) -> Phase {
        if self.time_is_up() {
            return self.fail(Failure::TimedOut);
        }
        self.progress(Progress::Reporting {
            source: proof.source.clone(),
        });
        let history = History::new(Idempotency::AskFirst).in_doubt_before(leg.doubt);
        self.send_report(leg, Pending { proof, history })
    }

    fn send_report(&mut self, mut leg: Box<Leg>, pending: Pending) -> Phase {
        if self.time_is_up() {
            return self.fail(Failure::TimedOut);
        }
        let Some(request) = request(&leg, &pending.proof) else {
            return self.ignore(Phase::Active(leg), Ignored::NotForMethod);
        };
        let request = self.send(request);
        leg.exchange = Exchange::Sent { request, pending };
        Phase::Active(leg)
    }

    fn ask(&mut self, mut leg: Box<Leg>, pending: Pending) -> Phase {
        if self.time_is_up() {
            return self.fail(Failure::TimedOut);
        }
        let query = self.status_query(&leg);
        let request = self.send(query);
        leg.exchange = Exchange::Asking { request, pending };
        Phase::Active(leg)
    }

    pub(super) fn report_answered(
        &mut self,
        mut leg: Box<Leg>,
        mut pending: Pending,
        answer: Answered,
    ) -> Phase {
        let outcome = match &answer {
            Ok(_) => Outcome::Answered,
            Err(failure) => failure.outcome(),
        };
        let unreadable = matches!(answer, Err(RequestFailure::Unreadable));
        let next = self.decide(&mut leg, &mut pending, outcome);
        match next {
            Next::Query { .. } if unreadable => self.progress(Progress::ReportUnreadable),
            Next::Query { .. } => self.progress(Progress::ReportLost),
            _ => {}
        }
        self.go_on(leg, pending, next, answer)
    }

    pub(super) fn query_answered(
        &mut self,
        mut leg: Box<Leg>,
        mut pending: Pending,
        answer: Answered,
    ) -> Phase {
        let outcome = match &answer {
            Ok(found) => Outcome::Found {
                certain: true,
                pending: !found.status.is_final(),
            },
            Err(failure) => failure.outcome(),
        };
        let next = self.decide(&mut leg, &mut pending, outcome);
        match (next, answer) {
            (
                Next::Stop,
                Err(
                    failure @ (RequestFailure::Refused { status: 404, .. }
                    | RequestFailure::AnotherVerification),
                ),
            ) => self.leg_failed(leg, failure.into_failure()),
            (Next::Stop, _) => self.unsettled(leg, &pending.proof, RequestFailure::Lost),
            (_, answer) => self.go_on(leg, pending, next, answer),
        }
    }

    fn decide(&self, leg: &mut Leg, pending: &mut Pending, outcome: Outcome) -> Next {
        let policy = &self.core.settings.retry;
        let next = policy.decide(&mut pending.history, outcome, self.core.jitter());
        leg.doubt = pending.history.is_in_doubt();
        next
    }

    /// Does what was decided. Where nothing more is sent, `answer` ends the exchange.
    fn go_on(&mut self, mut leg: Box<Leg>, pending: Pending, next: Next, answer: Answered) -> Phase {
        let at = |wait| self.now.saturating_add(wait);
        let fits = |at| self.core.ends_at.is_none_or(|ends_at| at < ends_at);
        leg.exchange = match next {
            Next::Send { wait } if fits(at(wait)) => Exchange::SendAt {
                at: at(wait),
                pending,
            },
            Next::Query { wait } if fits(at(wait)) => Exchange::AskAt {
                at: at(wait),
                pending,
            },
            Next::Query { .. } => return self.ask(leg, pending),
            Next::Send { .. } => return self.unsettled(leg, &pending.proof, RequestFailure::Lost),
            Next::Done | Next::Stop => return self.conclude(leg, &pending.proof, answer),
        };
        Phase::Active(leg)
    }

    /// The exchange is over with this answer.
    fn conclude(&mut self, leg: Box<Leg>, proof: &Proof, answer: Answered) -> Phase {
        match answer {
            Ok(verification) => match verification.status {
                Status::Successful => self.verified(verification),
                // Not decided: the proof was not taken, and another one may be.
                Status::Pending | Status::Unknown(_) => self.wrong(leg, proof, Some(verification)),
                _ => self.leg_failed(leg, Failure::of(verification)),
            },
            // An address that refuses is no verification, whatever its reasons.
            Err(RequestFailure::Refused {
                status: 400..=499, ..
            }) if matches!(proof.what, What::Target(_)) => self.wrong(leg, proof, None),
            Err(RequestFailure::Refused { status: 400, .. }) => self.wrong(leg, proof, None),
            Err(
                failure @ (RequestFailure::Lost
                | RequestFailure::NotSent
                | RequestFailure::Unreadable
                | RequestFailure::Refused {
                    status: 408 | 429 | 500..,
                    ..
                }),
            ) => self.unsettled(leg, proof, failure),
            Err(failure) => self.leg_failed(leg, failure.into_failure()),
        }
    }

    /// The time has come to query the status, or to send again.
    pub(super) fn resume_exchange(&mut self, mut leg: Box<Leg>) -> Phase {
        match std::mem::replace(&mut leg.exchange, Exchange::Quiet) {
            Exchange::AskAt { pending, .. } => self.ask(leg, pending),
            Exchange::SendAt { pending, .. } => self.send_report(leg, pending),
            other => {
                leg.exchange = other;
                Phase::Active(leg)
            }
        }
    }

    pub(super) fn status_query(&self, leg: &Leg) -> Request {
        Request::Status(match self.core.settings.ask_by {
            AskBy::Id => StatusQuery::ById(StatusById { id: leg.id.clone() }),
            AskBy::Number => StatusQuery::ByNumber(StatusByNumber {
                method: leg.method.clone(),
                number: self.core.number,
            }),
        })
    }

    /// The proof was refused.
    fn wrong(&mut self, leg: Box<Leg>, proof: &Proof, said: Option<Box<Verification>>) -> Phase {
        if let What::Target(_) = proof.what {
            // There is no other target to try.
            let refused = || Verification::new(leg.id.clone(), leg.method.clone(), Status::Fail);
            let verification = said.unwrap_or_else(|| Box::new(refused()));
            return self.leg_failed(leg, Failure::NotVerified(verification));
        }
        self.core.wrong = self.core.wrong.saturating_add(1);
        let attempts_left = self.core.settings.attempts.saturating_sub(self.core.wrong);
        self.progress(Progress::Refused { attempts_left });
        if attempts_left == 0 {
            return self.fail(Failure::AttemptsUsedUp);
        }
        self.settled(leg)
    }

    /// What became of the report cannot be found out.
    fn unsettled(&mut self, leg: Box<Leg>, proof: &Proof, failure: RequestFailure) -> Phase {
        self.progress(Progress::ReportUnsettled);
        if let What::Target(_) = proof.what {
            return self.leg_failed(leg, failure.into_failure());
        }
        self.settled(leg)
    }

    /// The exchange is over without success: on with whatever waited for that.
    fn settled(&mut self, mut leg: Box<Leg>) -> Phase {
        leg.exchange = Exchange::Quiet;
        if let Some(proof) = leg.queued.take() {
            return self.report(leg, proof);
        }
        match leg.due.take() {
            Some(why) => self.next_method(*leg, why),
            None => Phase::Active(leg),
        }
    }
}

/// The request that carries this proof; `None` for one that the method does not take.
fn request(leg: &Leg, proof: &Proof) -> Option<Request> {
    let what: report::Proof = match &proof.what {
        What::Target(target) => return Some(Request::FetchTarget(target.clone())),
        What::Cli(cli) => cli.clone().into(),
        What::Code(code) => code.clone().into(),
    };
    let report = Report::new(Target::Id(leg.id.clone()), &leg.method, what).ok()?;
    Some(Request::Report(Box::new(report.source(proof.source.clone()))))
}
