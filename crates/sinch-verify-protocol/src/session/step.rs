//! One step of a session: what an input does in each state.

use std::collections::VecDeque;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::failure::{Failure, RequestFailure};
use super::input::Input;
use super::output::{Ending, Ignored, Output, Progress};
use super::plan::{AskBy, Settings};
use super::request::{Answer, Answered, Request, RequestId};
use super::state::{
    Early, Exchange, Listening, MethodAttempt, Pending, Polling, ProofValue, Starting, State, Timer,
};
use crate::call_outcome::CallOutcome;
use crate::method::Method;
use crate::phone_number::PhoneNumber;
use crate::start::Start;
use crate::verification::Verification;

/// What a session keeps whatever state it is in.
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

pub(super) struct Step<'a> {
    pub(super) core: &'a mut Core,
    pub(super) now: Duration,
    pub(super) out: Vec<Output>,
}

impl Step<'_> {
    pub(super) fn run(&mut self, state: State, input: Input) -> State {
        let goes_first = input.ends_request() || input.is_typed() && !self.time_is_up();
        let state = if goes_first {
            state
        } else {
            self.run_due_timers(state)
        };
        let state = self.apply(state, input);
        // What was just begun may be due already.
        self.run_due_timers(state)
    }

    fn apply(&mut self, state: State, input: Input) -> State {
        match (state, input) {
            (
                state,
                Input::Tick
                | Input::Answered {
                    answer: Answer::Nothing,
                    ..
                },
            ) => state,
            (state @ State::Over(_), _) => self.ignore(state, Ignored::Over),
            (_, Input::Cancel) => self.fail(Failure::Cancelled),
            (State::Idle, Input::Begin) => {
                self.core.ends_at = Some(self.now.saturating_add(self.core.settings.deadline));
                self.start_next()
            }
            (state, Input::Begin) => self.ignore(state, Ignored::AlreadyBegun),
            (state @ State::Idle, input) if input.ends_request() => {
                self.ignore(state, Ignored::UnknownRequest)
            }
            (State::Idle, _) => self.ignore(State::Idle, Ignored::NotStarted),
            (State::Starting(starting), input) => self.starting(starting, input),
            (State::Active(attempt), input) => self.active(attempt, input),
        }
    }

    fn starting(&mut self, mut starting: Box<Starting>, input: Input) -> State {
        match input {
            Input::Answered { request, answer } if request == starting.request => match answer {
                Answer::Started(started) => self.started(*starting, *started),
                Answer::Verification(found) => self.found_started(*starting, found),
                Answer::Nothing => State::Starting(starting),
            },
            Input::RequestFailed { request, failure } if request == starting.request => {
                self.start_failed(&starting.method, failure.into_failure())
            }
            Input::Answered { .. } | Input::RequestFailed { .. } => {
                self.ignore(State::Starting(starting), Ignored::UnknownRequest)
            }
            input => {
                let Starting {
                    early,
                    method,
                    sent_at,
                    ..
                } = &mut *starting;
                let kept = early.keep(input, method, *sent_at, self.now);
                let state = State::Starting(starting);
                match kept {
                    Ok(()) => state,
                    Err(why) => self.ignore(state, why),
                }
            }
        }
    }

    fn active(&mut self, attempt: Box<MethodAttempt>, input: Input) -> State {
        match input {
            Input::Answered { request, answer } => match answer {
                Answer::Verification(verification) => self.answered(attempt, request, Ok(verification)),
                _ => self.ignore(State::Active(attempt), Ignored::WrongAnswer),
            },
            Input::RequestFailed { request, failure } => self.answered(attempt, request, Err(failure)),
            Input::CallRinging { cli } => self.call_ringing(attempt, cli),
            Input::CallLog(entries) => self.call_log(attempt, &entries),
            Input::SmsReceived { text } => self.message(attempt, text),
            Input::CodeTyped(code) => self.typed(attempt, ProofValue::Code(code)),
            Input::CliTyped(cli) => self.typed(attempt, ProofValue::Cli(cli)),
            Input::NextMethod if self.has_next(&attempt) => self.attempt_failed(attempt, Failure::Skipped),
            Input::NextMethod => self.ignore(State::Active(attempt), Ignored::NoFurtherMethod),
            // Taken before.
            Input::Begin | Input::Tick | Input::Cancel => State::Active(attempt),
        }
    }

    fn answered(&mut self, mut attempt: Box<MethodAttempt>, id: RequestId, answer: Answered) -> State {
        match std::mem::replace(&mut attempt.exchange, Exchange::Idle) {
            Exchange::Sent { request, pending } if request == id => {
                let answer = answer_to_report(&attempt, &pending, answer);
                return self.report_answered(attempt, pending, answer);
            }
            Exchange::Asking { request, pending } if request == id => {
                let answer = self.answer_to_query(&attempt, answer);
                return self.query_answered(attempt, pending, answer);
            }
            other => attempt.exchange = other,
        }
        match attempt.polling {
            Polling::Asked {
                window,
                slot,
                request,
            } if request == id => {
                let answer = self.answer_to_query(&attempt, answer);
                self.poll_answered(attempt, window, slot, answer)
            }
            _ => self.ignore(State::Active(attempt), Ignored::UnknownRequest),
        }
    }

    /// What a status query tells about this verification. By number the service tells the number's
    /// latest one, which may be the success of another start.
    fn answer_to_query(&self, attempt: &MethodAttempt, answer: Answered) -> Answered {
        match answer {
            Ok(found) if self.core.settings.ask_by == AskBy::Number && !attempt.is(&found.id) => {
                Err(RequestFailure::AnotherVerification)
            }
            answer => answer,
        }
    }

    /// Does what is due, in the order of time.
    fn run_due_timers(&mut self, mut state: State) -> State {
        loop {
            if matches!(state, State::Starting(_) | State::Active(_)) && self.time_is_up() {
                return self.fail(Failure::TimedOut);
            }
            let attempt = match state {
                State::Active(attempt) => attempt,
                other => return other,
            };
            match attempt.next_timer() {
                Some((at, timer)) if at <= self.now => state = self.run_timer(attempt, timer),
                _ => return State::Active(attempt),
            }
        }
    }

    fn run_timer(&mut self, mut attempt: Box<MethodAttempt>, timer: Timer) -> State {
        match timer {
            Timer::Listen => self.listening_over(attempt),
            Timer::Exchange => self.resume_exchange(attempt),
            Timer::Poll => self.poll(attempt),
            Timer::NextMethod => {
                attempt.next_method_at = None;
                self.attempt_failed(attempt, Failure::NotInTime)
            }
        }
    }

    fn listening_over(&mut self, mut attempt: Box<MethodAttempt>) -> State {
        let method = attempt.method.clone();
        match std::mem::replace(&mut attempt.listening, Listening::Off) {
            Listening::Off => {}
            Listening::Messages { .. } => self.progress(Progress::InterceptionEnded { method }),
            Listening::Calls {
                filter,
                until,
                report_until,
            } => {
                attempt.listening = Listening::LateCalls {
                    filter,
                    since: until,
                    report_until,
                };
                self.progress(Progress::InterceptionEnded { method });
            }
            Listening::LateCalls { .. } => self.send_call_outcome(attempt.auto.is_none(), CallOutcome::None),
        }
        State::Active(attempt)
    }

    /// This method has failed. Whatever is in flight is waited for, so that the
    /// next method's reports never meet it.
    pub(super) fn attempt_failed(&mut self, mut attempt: Box<MethodAttempt>, why: Failure) -> State {
        if !why.falls_back() {
            return self.fail(why);
        }
        if attempt.exchange == Exchange::Idle {
            return self.next_method(*attempt, why);
        }
        attempt.due = Some(why);
        attempt.next_method_at = None;
        State::Active(attempt)
    }

    /// Gives the attempt up; its exchange must be over.
    pub(super) fn next_method(&mut self, mut attempt: MethodAttempt, why: Failure) -> State {
        if self.time_is_up() {
            return self.fail(Failure::TimedOut);
        }
        if let Listening::LateCalls { .. } = attempt.listening {
            self.send_call_outcome(attempt.auto.is_none(), CallOutcome::None);
        }
        let from = attempt.method.clone();
        let (Some(next), Some(auto)) = (attempt.others.pop_front(), attempt.auto) else {
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
            message: attempt.message,
        };
        self.begin_attempt(next, attempt.others, *auto, attempt.sent_at, early, None)
    }

    /// A start, or the last method of it, has failed.
    pub(super) fn start_failed(&mut self, from: &Method, why: Failure) -> State {
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

    fn start_next(&mut self) -> State {
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
        State::Starting(Box::new(Starting {
            request,
            method,
            sent_at: self.now,
            early: Early::default(),
        }))
    }

    pub(super) fn has_next(&self, attempt: &MethodAttempt) -> bool {
        !attempt.others.is_empty() || !self.core.ahead.is_empty()
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

    pub(super) fn ignore(&mut self, state: State, why: Ignored) -> State {
        self.out.push(Output::Ignored(why));
        state
    }

    pub(super) fn verified(&mut self, verification: Box<Verification>) -> State {
        self.end(Ending::Verified(verification))
    }

    pub(super) fn fail(&mut self, why: Failure) -> State {
        self.end(Ending::Failed(why))
    }

    fn end(&mut self, ending: Ending) -> State {
        // The starts that are left hold options and references of the user.
        self.core.ahead.clear();
        self.out.push(Output::Ended(ending.clone()));
        State::Over(ending)
    }
}

/// What a report's answer tells about this verification. The address of a data verification is
/// not the service's, and may tell of any: then the service itself is asked.
fn answer_to_report(attempt: &MethodAttempt, pending: &Pending, answer: Answered) -> Answered {
    match answer {
        Ok(found) if matches!(pending.proof.value, ProofValue::Target(_)) && !attempt.is(&found.id) => {
            Err(RequestFailure::Unreadable)
        }
        answer => answer,
    }
}
