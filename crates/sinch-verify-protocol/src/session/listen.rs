//! Finding the proof among calls and messages, or taking a typed one.

use std::time::Duration;

use super::failure::Failure;
use super::input::{Input, LoggedCall};
use super::output::{Ignored, Progress};
use super::phase::{Early, Exchange, Leg, Listening, Phase, Proof, SeenCall, What};
use super::request::Request;
use super::turn::Turn;
use crate::caller_id::Candidates;
use crate::cli_filter::CliFilter;
use crate::code::{Cli, Code, CodeType};
use crate::method::{Form, Method, ProofKind};
use crate::outcome::{CallOutcome, FlashCallOutcome};
use crate::sms_template::{CodeAlphabet, ExtractOptions, SmsTemplate};
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

impl Turn<'_> {
    /// Looks at what came before the start was answered.
    pub(super) fn hear_early(&mut self, mut leg: Box<Leg>, early: Early) -> Phase {
        let heard = match (leg.method.form(), early.message) {
            (Some(Form::Ring), message) => {
                leg.message = message.filter(|_| !leg.others.is_empty());
                let mut calls = early.calls;
                calls.sort_by_key(|call| call.at);
                self.hear(leg, &calls)
            }
            (_, Some(text)) if leg.method == Method::Sms => self.read_message(leg, &text),
            (_, message) => {
                leg.message = message.filter(|_| !leg.others.is_empty());
                Ok(Phase::Active(leg))
            }
        };
        heard.unwrap_or_else(|(leg, _)| Phase::Active(leg))
    }

    pub(super) fn call_ringing(&mut self, leg: Box<Leg>, cli: PrivateText) -> Phase {
        let call = SeenCall {
            cli,
            at: self.now,
            source: Source::Intercepted,
        };
        self.hear(leg, &[call])
            .unwrap_or_else(|(leg, why)| self.ignore(Phase::Active(leg), why))
    }

    pub(super) fn call_log(&mut self, leg: Box<Leg>, entries: &[LoggedCall]) -> Phase {
        let calls = from_log(entries, leg.sent_at, self.now);
        self.hear(leg, &calls)
            .unwrap_or_else(|(leg, why)| self.ignore(Phase::Active(leg), why))
    }

    /// Takes the first of these calls that matches.
    fn hear(&mut self, mut leg: Box<Leg>, calls: &[SeenCall]) -> Result<Phase, (Box<Leg>, Ignored)> {
        let (filter, late_from) = match &leg.listening {
            Listening::Calls { filter, until, .. } => (filter, *until),
            Listening::LateCalls { filter, since, .. } => (filter, *since),
            _ if leg.method.form() == Some(Form::Ring) => return Err((leg, Ignored::NotListening)),
            _ => return Err((leg, Ignored::NotForMethod)),
        };
        // Only a filter that compiled was kept.
        let Ok(filter) = CliFilter::compile_as(filter, self.core.settings.dialect) else {
            return Err((leg, Ignored::NotListening));
        };
        let country = self.core.settings.country.or_else(|| self.core.number.country());
        let found = calls.iter().find_map(|call| {
            let mut caller = Candidates::new(call.cli.as_str());
            if let Some(country) = country {
                caller = caller.with_country(country);
            }
            filter.find(&caller)?;
            let cli = match caller.e164() {
                Some(number) => Cli::from(number),
                None => Cli::as_seen(caller.raw().trim()).ok()?,
            };
            Some((cli, call))
        });
        let Some((cli, call)) = found else {
            return Err((leg, Ignored::NotOurs));
        };
        leg.listening = Listening::Off;
        // An `auto` start has no flash call of its own to tell of.
        let tell = leg.auto.is_none();
        if call.at >= late_from {
            self.progress(Progress::LateCall);
            self.tell(tell, CallOutcome::Late);
            return Ok(Phase::Active(leg));
        }
        let proof = Proof {
            what: What::Cli(cli),
            source: call.source.clone(),
        };
        let phase = self.propose(leg, proof);
        self.tell(tell, CallOutcome::Normal);
        Ok(phase)
    }

    pub(super) fn message(&mut self, mut leg: Box<Leg>, text: PrivateText) -> Phase {
        if leg.method != Method::Sms && !leg.others.is_empty() {
            // The SMS of an `auto` start may be faster than its turn.
            leg.message = Some(text);
            return Phase::Active(leg);
        }
        self.read_message(leg, &text)
            .unwrap_or_else(|(leg, why)| self.ignore(Phase::Active(leg), why))
    }

    fn read_message(&mut self, mut leg: Box<Leg>, text: &PrivateText) -> Result<Phase, (Box<Leg>, Ignored)> {
        let Listening::Messages {
            template, code_type, ..
        } = &leg.listening
        else {
            let why = if leg.method == Method::Sms {
                Ignored::NotListening
            } else {
                Ignored::NotForMethod
            };
            return Err((leg, why));
        };
        let Some(code) = cut_out(template, code_type.as_ref(), text.as_str()) else {
            return Err((leg, Ignored::NotOurs));
        };
        leg.listening = Listening::Off;
        let proof = Proof {
            what: What::Code(code),
            source: Source::Intercepted,
        };
        Ok(self.propose(leg, proof))
    }

    /// Takes what a person typed. Interception goes on beside it.
    pub(super) fn typed(&mut self, mut leg: Box<Leg>, what: What) -> Phase {
        let source = Source::Manual;
        if takes(&leg.method, &what) {
            return self.propose(leg, Proof { what, source });
        }
        // For an `auto` start the proof tells which of its methods reached the user.
        let taker = leg.others.iter().position(|other| takes(&other.method, &what));
        let Some(at) = taker else {
            return self.ignore(Phase::Active(leg), Ignored::NotForMethod);
        };
        if leg.exchange != Exchange::Quiet {
            return self.ignore(Phase::Active(leg), Ignored::Busy);
        }
        leg.others.drain(..at);
        match self.next_method(*leg, Failure::Skipped) {
            Phase::Active(leg) => self.propose(leg, Proof { what, source }),
            other => other,
        }
    }

    /// Tells the service what became of the flash call.
    pub(super) fn tell(&mut self, tell: bool, outcome: CallOutcome) {
        if tell {
            let outcome = FlashCallOutcome::new(self.core.number, outcome);
            self.send(Request::Outcome(Box::new(outcome)));
        }
    }
}

fn takes(method: &Method, what: &What) -> bool {
    match what {
        What::Code(_) => method.proof() == Some(ProofKind::Code),
        What::Cli(_) => method.proof() == Some(ProofKind::Cli),
        What::Target(_) => method.form() == Some(Form::Address),
    }
}

/// The code in a message. Where its alphabet is not known and what stands in its
/// place cannot be a code (a hash on the same line), digits are looked for.
fn cut_out(template: &str, code_type: Option<&CodeType>, message: &str) -> Option<Code> {
    let template = SmsTemplate::parse(template).ok()?;
    let alphabet = match code_type {
        Some(CodeType::Numeric) => Some(CodeAlphabet::Numeric),
        Some(CodeType::Alpha) => Some(CodeAlphabet::Alpha),
        Some(CodeType::Alphanumeric) => Some(CodeAlphabet::Alphanumeric),
        _ => None,
    };
    let options = ExtractOptions::recommended();
    let cut = |options: &ExtractOptions| {
        let text = template.extract_with(message, options)?;
        Code::new(text).ok()
    };
    match alphabet {
        Some(alphabet) => cut(&options.alphabet(alphabet)),
        None => cut(&options).or_else(|| cut(&options.alphabet(CodeAlphabet::Numeric))),
    }
}
