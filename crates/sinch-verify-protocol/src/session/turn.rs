//! One input's worth of work: what the phases do.

use std::collections::VecDeque;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::exchange::Answered;
use super::failure::{Failure, RequestFailure};
use super::input::{Answer, Input};
use super::output::{Ending, Ignored, Output, Progress};
use super::phase::{Early, Exchange, Leg, Listening, Pending, Phase, Polling, Starting, Timer, What};
use super::plan::{AskBy, Settings};
use super::request::{Request, RequestId};
use crate::method::Method;
use crate::outcome::CallOutcome;
use crate::phone_number::PhoneNumber;
use crate::start::Start;
use crate::verification::Verification;

/// What a session keeps whatever phase it is in.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Core {
    pub(super) number: PhoneNumber,
    pub(super) settings: Settings,
    /// The methods not tried yet.
    pub(super) ahead: VecDeque<Start>,
    /// How many methods were tried.
    pub(super) tried: u32,
    /// How many proofs were refused.
    pub(super) wrong: u32,
    pub(super) next_request: u64,
    /// The latest time seen; time never goes back.
    pub(super) clock: Duration,
    /// When the whole session ends.
    pub(super) ends_at: Option<Duration>,
}

impl Core {
    /// The random part of a pause: other bits for every request, the same wherever the session runs.
    pub(super) fn jitter(&self) -> u64 {
        // The mixing step of SplitMix64; without a seed pauses are the shortest.
        let mut bits = self
            .settings
            .seed
            .wrapping_mul(self.next_request.wrapping_mul(2).wrapping_add(1));
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }
}

pub(super) struct Turn<'a> {
    pub(super) core: &'a mut Core,
    pub(super) now: Duration,
    pub(super) out: Vec<Output>,
}

impl Turn<'_> {
    pub(super) fn run(&mut self, phase: Phase, input: Input) -> Phase {
        let goes_first = input.ends_request() || input.is_typed() && !self.time_is_up();
        let phase = if goes_first { phase } else { self.fire(phase) };
        let phase = self.take(phase, input);
        // What was just begun may be due already.
        self.fire(phase)
    }

    fn take(&mut self, phase: Phase, input: Input) -> Phase {
        match (phase, input) {
            (
                phase,
                Input::Tick
                | Input::Answered {
                    answer: Answer::Nothing,
                    ..
                },
            ) => phase,
            (phase @ Phase::Over(_), _) => self.ignore(phase, Ignored::Over),
            (_, Input::Cancel) => self.fail(Failure::Cancelled),
            (Phase::Idle, Input::Begin) => {
                self.core.ends_at = Some(self.now.saturating_add(self.core.settings.deadline));
                self.start_next()
            }
            (phase, Input::Begin) => self.ignore(phase, Ignored::AlreadyBegun),
            (phase @ Phase::Idle, input) if input.ends_request() => {
                self.ignore(phase, Ignored::UnknownRequest)
            }
            (Phase::Idle, _) => self.ignore(Phase::Idle, Ignored::NotStarted),
            (Phase::Starting(starting), input) => self.starting(starting, input),
            (Phase::Active(leg), input) => self.active(leg, input),
        }
    }

    fn starting(&mut self, mut starting: Box<Starting>, input: Input) -> Phase {
        match input {
            Input::Answered { request, answer } if request == starting.request => match answer {
                Answer::Started(started) => self.started(*starting, *started),
                Answer::Verification(found) => self.found(*starting, found),
                Answer::Nothing => Phase::Starting(starting),
            },
            Input::RequestFailed { request, failure } if request == starting.request => {
                self.start_failed(&starting.method, failure.into_failure())
            }
            Input::Answered { .. } | Input::RequestFailed { .. } => {
                self.ignore(Phase::Starting(starting), Ignored::UnknownRequest)
            }
            input => {
                let Starting {
                    early,
                    method,
                    sent_at,
                    ..
                } = &mut *starting;
                let kept = early.keep(input, method, *sent_at, self.now);
                let phase = Phase::Starting(starting);
                match kept {
                    Ok(()) => phase,
                    Err(why) => self.ignore(phase, why),
                }
            }
        }
    }

    fn active(&mut self, leg: Box<Leg>, input: Input) -> Phase {
        match input {
            Input::Answered { request, answer } => match answer {
                Answer::Verification(verification) => self.answered(leg, request, Ok(verification)),
                _ => self.ignore(Phase::Active(leg), Ignored::WrongAnswer),
            },
            Input::RequestFailed { request, failure } => self.answered(leg, request, Err(failure)),
            Input::CallRinging { cli } => self.call_ringing(leg, cli),
            Input::CallLog(entries) => self.call_log(leg, &entries),
            Input::SmsReceived { text } => self.message(leg, text),
            Input::CodeTyped(code) => self.typed(leg, What::Code(code)),
            Input::CliTyped(cli) => self.typed(leg, What::Cli(cli)),
            Input::NextMethod if self.has_next(&leg) => self.leg_failed(leg, Failure::Skipped),
            Input::NextMethod => self.ignore(Phase::Active(leg), Ignored::NoFurtherMethod),
            // Taken before.
            Input::Begin | Input::Tick | Input::Cancel => Phase::Active(leg),
        }
    }

    fn answered(
        &mut self,
        mut leg: Box<Leg>,
        id: RequestId,
        answer: Result<Box<Verification>, RequestFailure>,
    ) -> Phase {
        match std::mem::replace(&mut leg.exchange, Exchange::Quiet) {
            Exchange::Sent { request, pending } if request == id => {
                let answer = told_by(&leg, &pending, answer);
                return self.report_answered(leg, pending, answer);
            }
            Exchange::Asking { request, pending } if request == id => {
                let answer = self.about(&leg, answer);
                return self.query_answered(leg, pending, answer);
            }
            other => leg.exchange = other,
        }
        match leg.polling {
            Polling::Asked {
                window,
                slot,
                request,
            } if request == id => {
                let answer = self.about(&leg, answer);
                self.poll_answered(leg, window, slot, answer)
            }
            _ => self.ignore(Phase::Active(leg), Ignored::UnknownRequest),
        }
    }

    /// What a status query tells about this verification. By number the service tells the number's
    /// latest one, which may be somebody else's success.
    fn about(&self, leg: &Leg, answer: Answered) -> Answered {
        match answer {
            Ok(found) if self.core.settings.ask_by == AskBy::Number && !leg.is(&found.id) => {
                Err(RequestFailure::AnotherVerification)
            }
            answer => answer,
        }
    }

    /// Does what is due, in the order of time.
    fn fire(&mut self, mut phase: Phase) -> Phase {
        loop {
            if matches!(phase, Phase::Starting(_) | Phase::Active(_)) && self.time_is_up() {
                return self.fail(Failure::TimedOut);
            }
            let leg = match phase {
                Phase::Active(leg) => leg,
                other => return other,
            };
            match leg.next_timer() {
                Some((at, timer)) if at <= self.now => phase = self.ring(leg, timer),
                _ => return Phase::Active(leg),
            }
        }
    }

    fn ring(&mut self, mut leg: Box<Leg>, timer: Timer) -> Phase {
        match timer {
            Timer::Listen => self.listening_over(leg),
            Timer::Exchange => self.resume_exchange(leg),
            Timer::Poll => self.poll(leg),
            Timer::Patience => {
                leg.patience = None;
                self.leg_failed(leg, Failure::NotInTime)
            }
        }
    }

    fn listening_over(&mut self, mut leg: Box<Leg>) -> Phase {
        let method = leg.method.clone();
        match std::mem::replace(&mut leg.listening, Listening::Off) {
            Listening::Off => {}
            Listening::Messages { .. } => self.progress(Progress::InterceptionEnded { method }),
            Listening::Calls {
                filter,
                until,
                report_until,
            } => {
                leg.listening = Listening::LateCalls {
                    filter,
                    since: until,
                    report_until,
                };
                self.progress(Progress::InterceptionEnded { method });
            }
            Listening::LateCalls { .. } => self.tell(leg.auto.is_none(), CallOutcome::None),
        }
        Phase::Active(leg)
    }

    /// This method has failed. Whatever is in flight is waited for, so that the
    /// next method's reports never meet it.
    pub(super) fn leg_failed(&mut self, mut leg: Box<Leg>, why: Failure) -> Phase {
        if !why.falls_back() {
            return self.fail(why);
        }
        if leg.exchange == Exchange::Quiet {
            return self.next_method(*leg, why);
        }
        leg.due = Some(why);
        leg.patience = None;
        Phase::Active(leg)
    }

    /// Gives the leg up; its exchange must be over.
    pub(super) fn next_method(&mut self, mut leg: Leg, why: Failure) -> Phase {
        if self.time_is_up() {
            return self.fail(Failure::TimedOut);
        }
        if let Listening::LateCalls { .. } = leg.listening {
            self.tell(leg.auto.is_none(), CallOutcome::None);
        }
        let from = leg.method.clone();
        let (Some(next), Some(auto)) = (leg.others.pop_front(), leg.auto) else {
            return self.start_failed(&from, why);
        };
        self.core.tried = self.core.tried.saturating_add(1);
        self.progress(Progress::FallingBack {
            from,
            to: next.method.clone(),
            why,
        });
        let early = Early {
            calls: Vec::new(),
            message: leg.message,
        };
        self.enter(next, leg.others, *auto, leg.sent_at, early, None)
    }

    /// A start, or the last method of it, has failed.
    pub(super) fn start_failed(&mut self, from: &Method, why: Failure) -> Phase {
        if !why.falls_back() {
            return self.fail(why);
        }
        if self.time_is_up() {
            return self.fail(Failure::TimedOut);
        }
        let Some(next) = self.core.ahead.front() else {
            return self.fail(if self.core.tried > 1 {
                Failure::NoMethodLeft { last: Box::new(why) }
            } else {
                why
            });
        };
        let to = next.method().clone();
        self.progress(Progress::FallingBack {
            from: from.clone(),
            to,
            why,
        });
        self.start_next()
    }

    fn start_next(&mut self) -> Phase {
        let Some(start) = self.core.ahead.pop_front() else {
            // A plan has a method at least, and later ones are looked for before they are taken.
            return self.fail(Failure::NotInTime);
        };
        self.core.tried = self.core.tried.saturating_add(1);
        let method = start.method().clone();
        self.progress(Progress::Starting {
            method: method.clone(),
        });
        let request = self.send(Request::Start(Box::new(start)));
        Phase::Starting(Box::new(Starting {
            request,
            method,
            sent_at: self.now,
            early: Early::default(),
        }))
    }

    pub(super) fn has_next(&self, leg: &Leg) -> bool {
        !leg.others.is_empty() || !self.core.ahead.is_empty()
    }

    pub(super) fn time_is_up(&self) -> bool {
        self.core.ends_at.is_some_and(|at| at <= self.now)
    }

    pub(super) fn send(&mut self, request: Request) -> RequestId {
        let id = RequestId(self.core.next_request);
        self.core.next_request = self.core.next_request.wrapping_add(1);
        self.out.push(Output::Send { id, request });
        id
    }

    pub(super) fn progress(&mut self, progress: Progress) {
        self.out.push(Output::Progress(progress));
    }

    pub(super) fn ignore(&mut self, phase: Phase, why: Ignored) -> Phase {
        self.out.push(Output::Ignored(why));
        phase
    }

    pub(super) fn verified(&mut self, verification: Box<Verification>) -> Phase {
        self.end(Ending::Verified(verification))
    }

    pub(super) fn fail(&mut self, why: Failure) -> Phase {
        self.end(Ending::Failed(why))
    }

    fn end(&mut self, ending: Ending) -> Phase {
        // The starts that were not needed hold options and references that nobody wants again.
        self.core.ahead.clear();
        self.out.push(Output::Ended(ending.clone()));
        Phase::Over(ending)
    }
}

/// What a report's answer tells about this verification. The address of a data verification is
/// somebody else's, and may tell of any: then the service itself is asked.
fn told_by(leg: &Leg, pending: &Pending, answer: Answered) -> Answered {
    match answer {
        Ok(found) if matches!(pending.proof.what, What::Target(_)) && !leg.is(&found.id) => {
            Err(RequestFailure::Unreadable)
        }
        answer => answer,
    }
}
