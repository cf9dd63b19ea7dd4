//! Reporting a proof, and finding out what became of the report.

use std::time::Duration;

use super::failure::{Failure, RequestFailure};
use super::output::{Ignored, Progress};
use super::phase::{Doubt, Exchange, Inquiry, Leg, Pending, Phase, Proof, What};
use super::plan::AskBy;
use super::request::{Request, StatusQuery};
use super::turn::Turn;
use crate::error::ApiError;
use crate::report::{self, Report, Target};
use crate::status::{StatusById, StatusByNumber};
use crate::verification::{Source, Status, Verification};

/// How often one proof is sent at most, each time after the status said `PENDING`.
pub(super) const MAX_SENDS: u8 = 3;

/// How often the status is asked at most to settle one report.
pub(super) const MAX_INQUIRIES: u8 = 3;

/// How long to wait before a request that failed is made again.
pub(super) const PAUSE: Duration = Duration::from_secs(2);

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
            return self.report(leg, Pending { proof, sends: 0 });
        }
        let intercepted = |proof: &Proof| proof.source != Source::Manual;
        if leg.queued.as_ref().is_some_and(intercepted) && !intercepted(&proof) {
            return self.ignore(Phase::Active(leg), Ignored::Busy);
        }
        leg.queued = Some(proof);
        Phase::Active(leg)
    }

    fn report(&mut self, mut leg: Box<Leg>, mut pending: Pending) -> Phase {
        if self.time_is_up() {
            return self.fail(Failure::TimedOut);
        }
        if pending.sends == 0 {
            self.progress(Progress::Reporting {
                source: pending.proof.source.clone(),
            });
        }
        pending.sends = pending.sends.saturating_add(1);
        let Some(request) = request(&leg, &pending.proof) else {
            return self.ignore(Phase::Active(leg), Ignored::NotForMethod);
        };
        let request = self.send(request);
        leg.exchange = Exchange::Sent { request, pending };
        Phase::Active(leg)
    }

    pub(super) fn report_answered(&mut self, mut leg: Box<Leg>, pending: Pending, answer: Answered) -> Phase {
        match answer {
            Ok(verification) => match verification.status {
                Status::Successful => self.verified(verification),
                // Not decided: the proof was not taken, and another one may be.
                Status::Pending | Status::Unknown(_) => self.wrong(leg, &pending.proof, Some(verification)),
                _ => self.leg_failed(leg, Failure::of(verification)),
            },
            Err(RequestFailure::Lost) => {
                leg.doubt = true;
                self.progress(Progress::ReportLost);
                self.ask(leg, Inquiry::new(pending, Doubt::Lost))
            }
            Err(RequestFailure::Unreadable) => {
                leg.doubt = true;
                self.progress(Progress::ReportUnreadable);
                self.ask(leg, Inquiry::new(pending, Doubt::Unreadable))
            }
            Err(RequestFailure::Target(error)) => self.leg_failed(leg, Failure::Target(error)),
            Err(RequestFailure::NotSent) => {
                if pending.sends >= MAX_SENDS {
                    return self.unsettled(leg, &pending.proof, RequestFailure::NotSent);
                }
                let at = self.now.saturating_add(PAUSE);
                leg.exchange = Exchange::SendAt { at, pending };
                Phase::Active(leg)
            }
            Err(RequestFailure::Refused {
                status,
                error,
                retry_after,
            }) => match status {
                408 | 429 | 500.. => {
                    // It may have been done before it went wrong.
                    leg.doubt = true;
                    self.progress(Progress::ReportLost);
                    leg.exchange = Exchange::AskAt {
                        at: self.now.saturating_add(retry_after.unwrap_or(PAUSE)),
                        inquiry: Inquiry::new(pending, Doubt::Lost),
                    };
                    Phase::Active(leg)
                }
                // An address that refuses is no verification, whatever its reasons.
                400..=499 if matches!(pending.proof.what, What::Target(_)) => {
                    self.wrong(leg, &pending.proof, None)
                }
                400 => {
                    let code = error.as_ref().map(|error| error.code);
                    if leg.doubt && code == Some(ApiError::NOT_PROCESSABLE) {
                        return self.ask(leg, Inquiry::new(pending, Doubt::Refused));
                    }
                    self.wrong(leg, &pending.proof, None)
                }
                _ => {
                    let failure = RequestFailure::Refused {
                        status,
                        error,
                        retry_after,
                    };
                    self.leg_failed(leg, failure.into_failure())
                }
            },
        }
    }

    pub(super) fn inquiry_answered(
        &mut self,
        mut leg: Box<Leg>,
        inquiry: Inquiry,
        answer: Answered,
    ) -> Phase {
        let Inquiry {
            pending,
            doubt,
            asked,
        } = inquiry;
        match answer {
            Ok(verification) => match verification.status {
                Status::Successful => self.verified(verification),
                Status::Pending | Status::Unknown(_) => match doubt {
                    Doubt::Lost if pending.sends < MAX_SENDS => self.report(leg, pending),
                    Doubt::Lost => self.unsettled(leg, &pending.proof, RequestFailure::Lost),
                    // It arrived and decided nothing: sending it again would use up an attempt.
                    Doubt::Unreadable => self.wrong(leg, &pending.proof, Some(verification)),
                    Doubt::Refused => {
                        leg.doubt = false;
                        self.wrong(leg, &pending.proof, Some(verification))
                    }
                },
                _ => self.leg_failed(leg, Failure::of(verification)),
            },
            Err(RequestFailure::Refused {
                status: 404,
                error,
                retry_after,
            }) => {
                let failure = RequestFailure::Refused {
                    status: 404,
                    error,
                    retry_after,
                };
                self.leg_failed(leg, failure.into_failure())
            }
            // Asking again would give the same.
            Err(
                failure @ RequestFailure::Refused {
                    status: 300..=407 | 409..=428,
                    ..
                },
            ) => self.unsettled(leg, &pending.proof, failure),
            Err(failure) if asked >= MAX_INQUIRIES => self.unsettled(leg, &pending.proof, failure),
            Err(failure) => {
                leg.exchange = Exchange::AskAt {
                    at: self.now.saturating_add(failure.retry_after().unwrap_or(PAUSE)),
                    inquiry: Inquiry {
                        pending,
                        doubt,
                        asked,
                    },
                };
                Phase::Active(leg)
            }
        }
    }

    /// The time has come to ask, or to send again.
    pub(super) fn resume_exchange(&mut self, mut leg: Box<Leg>) -> Phase {
        match std::mem::replace(&mut leg.exchange, Exchange::Quiet) {
            Exchange::AskAt { inquiry, .. } => self.ask(leg, inquiry),
            Exchange::SendAt { pending, .. } => self.report(leg, pending),
            other => {
                leg.exchange = other;
                Phase::Active(leg)
            }
        }
    }

    fn ask(&mut self, mut leg: Box<Leg>, mut inquiry: Inquiry) -> Phase {
        if self.time_is_up() {
            return self.fail(Failure::TimedOut);
        }
        inquiry.asked = inquiry.asked.saturating_add(1);
        let query = self.status_query(&leg);
        let request = self.send(query);
        leg.exchange = Exchange::Asking { request, inquiry };
        Phase::Active(leg)
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
        self.progress(Progress::WrongCode { attempts_left });
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
            return self.report(leg, Pending { proof, sends: 0 });
        }
        match leg.due.take() {
            Some(why) => self.next_method(*leg, why),
            None => Phase::Active(leg),
        }
    }
}

impl Inquiry {
    fn new(pending: Pending, doubt: Doubt) -> Self {
        Self {
            pending,
            doubt,
            asked: 0,
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
