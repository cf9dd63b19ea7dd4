//! Finding the proof among calls and messages, or taking a typed one.

use std::time::Duration;

use super::failure::Failure;
use super::input::{Input, LoggedCall};
use super::output::{Ignored, Progress};
use super::request::Request;
use super::state::{Early, Exchange, Listening, MethodAttempt, Proof, ProofValue, SeenCall, State};
use super::step::Step;
use crate::call_outcome::{CallOutcome, FlashCallOutcome};
use crate::caller_id::Candidates;
use crate::cli_filter::CliFilter;
use crate::code::Cli;
use crate::method::{Form, Method, ProofKind};
use crate::sms_template::SmsTemplate;
use crate::verification::Source;
use crate::wire::PrivateText;

/// How many calls are kept while a start is in flight.
const MAX_EARLY_CALLS: usize = 16;

impl Early {
    /// Keeps a call or message that the method may want later.
    pub(super) fn keep(
        &mut self,
        input: Input,
        method: &Method,
        sent_at: Duration,
        now: Duration,
    ) -> Result<(), Ignored> {
        let wanted = match input {
            Input::CallRinging { .. } | Input::CallLog(_) => Method::FlashCall,
            Input::SmsReceived { .. } => Method::Sms,
            _ => return Err(Ignored::NotStarted),
        };
        if *method != wanted && *method != Method::Auto {
            return Err(Ignored::NotForMethod);
        }
        match input {
            Input::CallRinging { cli } if self.calls.len() < MAX_EARLY_CALLS => {
                let source = Source::Intercepted;
                self.calls.push(SeenCall { cli, at: now, source });
            }
            Input::CallLog(entries) => {
                // A log is read as a whole each time.
                self.calls.retain(|call| call.source != Source::Log);
                let room = MAX_EARLY_CALLS.saturating_sub(self.calls.len());
                self.calls
                    .extend(from_log(&entries, sent_at, now).into_iter().take(room));
            }
            Input::SmsReceived { text } => self.message = Some(text),
            _ => {}
        }
        Ok(())
    }
}

/// The calls of a log that may be the flash call, oldest first.
fn from_log(entries: &[LoggedCall], sent_at: Duration, now: Duration) -> Vec<SeenCall> {
    let mut calls: Vec<SeenCall> = entries
        .iter()
        .filter(|entry| entry.kind.may_be_flash_call())
        .filter_map(|entry| {
            // Strictly later than the start; a call older than the session has no time at all.
            let at = now.checked_sub(entry.age).filter(|at| *at > sent_at)?;
            Some(SeenCall {
                cli: entry.cli.clone(),
                at,
                source: Source::Log,
            })
        })
        .collect();
    calls.sort_by_key(|call| call.at);
    calls
}

impl Step<'_> {
    /// Looks at what came before the start was answered.
    pub(super) fn match_early(&mut self, mut attempt: Box<MethodAttempt>, early: Early) -> State {
        let heard = match (attempt.method.form(), early.message) {
            (Some(Form::Ring), message) => {
                attempt.message = message.filter(|_| !attempt.others.is_empty());
                let mut calls = early.calls;
                calls.sort_by_key(|call| call.at);
                self.match_calls(attempt, &calls)
            }
            (_, Some(text)) if attempt.method == Method::Sms => self.read_message(attempt, &text),
            (_, message) => {
                attempt.message = message.filter(|_| !attempt.others.is_empty());
                Ok(State::Active(attempt))
            }
        };
        heard.unwrap_or_else(|(attempt, _)| State::Active(attempt))
    }

    pub(super) fn call_ringing(&mut self, attempt: Box<MethodAttempt>, cli: PrivateText) -> State {
        let call = SeenCall {
            cli,
            at: self.now,
            source: Source::Intercepted,
        };
        self.match_calls(attempt, &[call])
            .unwrap_or_else(|(attempt, why)| self.ignore(State::Active(attempt), why))
    }

    pub(super) fn call_log(&mut self, attempt: Box<MethodAttempt>, entries: &[LoggedCall]) -> State {
        let calls = from_log(entries, attempt.sent_at, self.now);
        self.match_calls(attempt, &calls)
            .unwrap_or_else(|(attempt, why)| self.ignore(State::Active(attempt), why))
    }

    /// Takes the first of these calls that matches.
    fn match_calls(
        &mut self,
        mut attempt: Box<MethodAttempt>,
        calls: &[SeenCall],
    ) -> Result<State, (Box<MethodAttempt>, Ignored)> {
        let (filter, late_from) = match &attempt.listening {
            Listening::Calls { filter, until, .. } => (filter, *until),
            Listening::LateCalls { filter, since, .. } => (filter, *since),
            _ if attempt.method.form() == Some(Form::Ring) => return Err((attempt, Ignored::NotListening)),
            _ => return Err((attempt, Ignored::NotForMethod)),
        };
        // Only a filter that compiled was kept.
        let Ok(filter) = CliFilter::compile_as(filter, self.core.settings.dialect) else {
            return Err((attempt, Ignored::NotListening));
        };
        let settings = &self.core.settings;
        let country = settings.country.or_else(|| self.core.number.country());
        let home = country.zip(settings.number_plans);
        let found = calls.iter().find_map(|call| {
            let mut caller = Candidates::new(call.cli.as_str());
            if let Some((country, plans)) = &home {
                caller = caller.with_country(*country, plans);
            }
            filter.find(&caller)?;
            let cli = match caller.e164() {
                Some(number) => Cli::from(number),
                None => Cli::as_seen(caller.raw().trim()).ok()?,
            };
            Some((cli, call))
        });
        let Some((cli, call)) = found else {
            return Err((attempt, Ignored::NotOurs));
        };
        attempt.listening = Listening::Off;
        // An `auto` start has no flash call of its own to tell of.
        let tell = attempt.auto.is_none();
        if call.at >= late_from {
            self.progress(Progress::LateCall);
            self.send_call_outcome(tell, CallOutcome::Late);
            return Ok(State::Active(attempt));
        }
        let proof = Proof {
            value: ProofValue::Cli(cli),
            source: call.source.clone(),
        };
        let state = self.propose(attempt, proof);
        self.send_call_outcome(tell, CallOutcome::Normal);
        Ok(state)
    }

    pub(super) fn message(&mut self, mut attempt: Box<MethodAttempt>, text: PrivateText) -> State {
        if attempt.method != Method::Sms && !attempt.others.is_empty() {
            // The SMS of an `auto` start may be faster than the method before it.
            attempt.message = Some(text);
            return State::Active(attempt);
        }
        self.read_message(attempt, &text)
            .unwrap_or_else(|(attempt, why)| self.ignore(State::Active(attempt), why))
    }

    fn read_message(
        &mut self,
        mut attempt: Box<MethodAttempt>,
        text: &PrivateText,
    ) -> Result<State, (Box<MethodAttempt>, Ignored)> {
        let Listening::Messages {
            template, code_type, ..
        } = &attempt.listening
        else {
            let why = if attempt.method == Method::Sms {
                Ignored::NotListening
            } else {
                Ignored::NotForMethod
            };
            return Err((attempt, why));
        };
        let template = SmsTemplate::parse(template).ok();
        let code = template.and_then(|template| template.find_code(text.as_str(), code_type.as_ref()));
        let Some(code) = code else {
            return Err((attempt, Ignored::NotOurs));
        };
        attempt.listening = Listening::Off;
        let proof = Proof {
            value: ProofValue::Code(code),
            source: Source::Intercepted,
        };
        Ok(self.propose(attempt, proof))
    }

    /// Takes what a person typed. Interception goes on beside it.
    pub(super) fn typed(&mut self, mut attempt: Box<MethodAttempt>, value: ProofValue) -> State {
        let source = Source::Manual;
        if takes(&attempt.method, &value) {
            return self.propose(attempt, Proof { value, source });
        }
        // For an `auto` start the proof tells which of its methods reached the user.
        let taker = attempt
            .others
            .iter()
            .position(|other| takes(&other.method, &value));
        let Some(at) = taker else {
            return self.ignore(State::Active(attempt), Ignored::NotForMethod);
        };
        if attempt.exchange != Exchange::Idle {
            return self.ignore(State::Active(attempt), Ignored::Busy);
        }
        attempt.others.drain(..at);
        match self.next_method(*attempt, Failure::Skipped) {
            State::Active(attempt) => self.propose(attempt, Proof { value, source }),
            other => other,
        }
    }

    /// Sends the outcome of the flash call.
    pub(super) fn send_call_outcome(&mut self, tell: bool, outcome: CallOutcome) {
        if tell {
            let outcome = FlashCallOutcome::new(self.core.number, outcome);
            self.send(Request::Outcome(Box::new(outcome)));
        }
    }
}

fn takes(method: &Method, value: &ProofValue) -> bool {
    match value {
        ProofValue::Code(_) => method.proof() == Some(ProofKind::Code),
        ProofValue::Cli(_) => method.proof() == Some(ProofKind::Cli),
        ProofValue::Target(_) => method.form() == Some(Form::Address),
    }
}
