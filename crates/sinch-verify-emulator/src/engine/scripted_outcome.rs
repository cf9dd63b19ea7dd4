//! The scripted outcomes of verifications, by handset behaviors and magic numbers.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use sinch_verify_protocol::callback::SmsResult;
use sinch_verify_protocol::method::{Form, MethodInfo, ProofKind};
use sinch_verify_protocol::verification::CallResult;
use sinch_verify_protocol::{Method, PhoneNumber, Reason, Source, Status};

use super::Engine;
use super::command::{Arrived, BehaviorScope, Effect, Notice};
use super::ids::{AppId, Uid};
use super::record::{AUTO, ScriptedOutcome};
use super::timers::{self, Timer};
use crate::handset_behavior::HandsetBehavior;
use crate::magic::{self, HoldBack, Script};

/// Whether and when a message or call reaches the handset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arrival {
    Now,
    Later,
    Never,
    /// Never, and the network reports it.
    Failed,
}

/// The handset behaviors, by scope.
#[derive(Debug, Default)]
pub(super) struct Behaviors {
    numbers: HashMap<PhoneNumber, HandsetBehavior>,
    prefixes: BTreeMap<String, HandsetBehavior>,
    applications: BTreeMap<u32, HandsetBehavior>,
    everyone: Option<HandsetBehavior>,
}

impl Behaviors {
    pub(super) fn set(&mut self, scope: BehaviorScope, behavior: HandsetBehavior) {
        match scope {
            BehaviorScope::Number(number) => drop(self.numbers.insert(number, behavior)),
            BehaviorScope::Prefix(prefix) => drop(self.prefixes.insert(prefix, behavior)),
            BehaviorScope::Application(app) => drop(self.applications.insert(app.0, behavior)),
            BehaviorScope::Everyone => self.everyone = Some(behavior),
        }
    }

    pub(super) fn remove(&mut self, scope: &BehaviorScope) {
        match scope {
            BehaviorScope::Number(number) => drop(self.numbers.remove(number)),
            BehaviorScope::Prefix(prefix) => drop(self.prefixes.remove(prefix)),
            BehaviorScope::Application(app) => drop(self.applications.remove(&app.0)),
            BehaviorScope::Everyone => self.everyone = None,
        }
    }

    /// All behaviors, the widest scope last.
    pub(super) fn list(&self) -> Vec<(BehaviorScope, HandsetBehavior)> {
        let mut numbers: Vec<_> = self.numbers.iter().collect();
        numbers.sort_by_key(|(number, _)| number.as_str());
        let numbers = numbers
            .into_iter()
            .map(|(number, behavior)| (BehaviorScope::Number(*number), *behavior));
        let prefixes = self.prefixes.iter().rev();
        let prefixes = prefixes.map(|(prefix, behavior)| (BehaviorScope::Prefix(prefix.clone()), *behavior));
        let applications = self.applications.iter();
        let applications =
            applications.map(|(app, behavior)| (BehaviorScope::Application(AppId(*app)), *behavior));
        let everyone = self.everyone.map(|behavior| (BehaviorScope::Everyone, behavior));
        numbers
            .chain(prefixes)
            .chain(applications)
            .chain(everyone)
            .collect()
    }

    /// The behavior with the narrowest scope that matches.
    fn of(&self, app: AppId, number: &PhoneNumber) -> Option<HandsetBehavior> {
        let by_prefix = || {
            let fitting = self
                .prefixes
                .iter()
                .filter(|(prefix, _)| number.as_str().starts_with(prefix.as_str()));
            fitting
                .max_by_key(|(prefix, _)| prefix.len())
                .map(|(_, behavior)| *behavior)
        };
        self.numbers
            .get(number)
            .copied()
            .or_else(by_prefix)
            .or_else(|| self.applications.get(&app.0).copied())
            .or(self.everyone)
    }
}

impl Engine {
    /// The script of a number: its handset behavior, or else its magic outcome.
    pub(super) fn script_of(&self, app: AppId, number: &PhoneNumber) -> Script {
        if let Some(behavior) = self.behaviors.of(app, number) {
            return Script::Handset(behavior);
        }
        let magic = self
            .settings
            .magic_numbers
            .then(|| magic::script_of(number))
            .flatten();
        magic.unwrap_or(Script::Handset(HandsetBehavior::Wait))
    }

    /// How the answer to a start of `number` is held back, if it is.
    pub(crate) fn held_back(&self, app: AppId, number: &PhoneNumber) -> Option<HoldBack> {
        match self.script_of(app, number) {
            Script::HoldBack(hold_back) => Some(hold_back),
            _ => None,
        }
    }

    /// Schedules the scripted outcome of a verification whose message is being sent. Returns whether the
    /// message reaches the handset.
    pub(super) fn schedule_outcome(&mut self, uid: Uid) -> Arrival {
        let Some(record) = self.store.get(uid) else {
            return Arrival::Never;
        };
        let is_call = record.method.form().is_some_and(Form::is_call);
        let takes_a_key = record.method.takes_a_key();
        let (outcome, after, arrival) = match self.script_of(record.app, &record.number) {
            Script::Handset(behavior) => match behavior {
                HandsetBehavior::Report { after, wrong } => (
                    Some(ScriptedOutcome::Report { every: after, wrong }),
                    after,
                    Arrival::Now,
                ),
                HandsetBehavior::Never => (None, Duration::ZERO, Arrival::Never),
                HandsetBehavior::Late { after } => {
                    self.schedule(uid, Timer::Arrive, self.later(after));
                    (None, Duration::ZERO, Arrival::Later)
                }
                HandsetBehavior::Unreachable { after } => {
                    let call = is_call.then_some(CallResult::Failed);
                    (Some(fail(Reason::Unreachable, call)), after, Arrival::Failed)
                }
                HandsetBehavior::Busy { after } if is_call => {
                    let outcome = fail(Reason::Unreachable, Some(CallResult::Busy));
                    (Some(outcome), after, Arrival::Never)
                }
                HandsetBehavior::HangUp { after } if takes_a_key => {
                    let outcome = fail(Reason::HungUp, Some(CallResult::Answered));
                    (Some(outcome), after, Arrival::Now)
                }
                _ => (None, Duration::ZERO, Arrival::Now),
            },
            Script::End(status, reason) => {
                let outcome = ScriptedOutcome::End {
                    status,
                    reason,
                    call: None,
                };
                (Some(outcome), magic::OUTCOME_DELAY, Arrival::Now)
            }
            Script::Undelivered => {
                let reason = if is_call {
                    Reason::Unreachable
                } else {
                    Reason::SmsDeliveryFailure
                };
                (Some(fail(reason, None)), magic::OUTCOME_DELAY, Arrival::Failed)
            }
            Script::AfterExpiry => {
                let at = record
                    .expires_at
                    .and_then(|at| timers::after(at, magic::OUTCOME_DELAY));
                self.schedule(uid, Timer::Arrive, at);
                (None, Duration::ZERO, Arrival::Later)
            }
            _ => (None, Duration::ZERO, Arrival::Now),
        };
        if let Some(outcome) = outcome {
            if let Some(record) = self.store.get_mut(uid) {
                record.scripted_outcome = Some(Box::new(outcome));
            }
            self.schedule(uid, Timer::Outcome, self.later(after));
        }
        arrival
    }

    /// Applies the scripted outcome of a verification.
    pub(super) fn apply_outcome(&mut self, uid: Uid) {
        let Some(record) = self.store.get_mut(uid).filter(|record| record.is_pending()) else {
            return;
        };
        let Some(outcome) = record.scripted_outcome.take() else {
            return;
        };
        match *outcome {
            ScriptedOutcome::Report { wrong: 0, .. } => {
                record.source = Some(Source::Intercepted);
                self.end(uid, Status::Successful, None);
            }
            ScriptedOutcome::Report { every, wrong } => {
                let reason = match record.method.proof() {
                    Some(ProofKind::Cli) => Reason::InvalidCli,
                    _ => Reason::InvalidCode,
                };
                record.source = Some(Source::Manual);
                record.scripted_outcome = Some(Box::new(ScriptedOutcome::Report {
                    every,
                    wrong: wrong - 1,
                }));
                if !self.count_attempt(uid, reason) {
                    // At least 1 ms apart, so that service time can move on.
                    let at = self.later(every.max(Duration::from_millis(1)));
                    self.schedule(uid, Timer::Outcome, at);
                }
            }
            ScriptedOutcome::End { status, reason, call } => {
                if let Some(result) = call {
                    record.complete_call(result, self.now);
                }
                self.end(uid, status, reason);
            }
        }
    }

    /// The message or call reaches the handset, at most once. The verification may have ended before.
    pub(super) fn arrive(&mut self, uid: Uid) {
        let Some(record) = self.store.get_mut(uid).filter(|record| !record.arrived) else {
            return;
        };
        record.arrived = true;
        if let Some(at) = record.arrive_at.take() {
            self.timers.remove(at, uid, Timer::Arrive);
        }
        let (number, is_pending) = (record.number, record.is_pending());
        let method = record.method.clone();
        for sent in sent_by(&method) {
            let (seq, dropped) = self.handsets.receive(number, uid, sent, self.now);
            if let Some(dropped) = dropped {
                self.store.mark_changed(dropped.uid);
            }
            self.arrivals.push(Arrived { uid, number, seq });
        }
        self.begin_call(uid);
        // The result is the last event of a verification.
        if is_pending {
            self.tell_delivery(uid, SmsResult::Successful);
        }
    }

    /// Emits the delivered event, if the verification sends an SMS.
    pub(super) fn tell_delivery(&mut self, uid: Uid, result: SmsResult) {
        let record = self.store.get(uid);
        let Some(record) = record.filter(|record| record.tries(&Method::Sms)) else {
            return;
        };
        if self.settings.sms_delivered_events {
            let event = Box::new(record.delivered_event(result));
            self.effects.push(Effect {
                app: record.app,
                uid,
                at: self.now,
                notice: Notice::Delivered(event),
            });
        }
    }
}

/// The methods whose messages or calls a start by `method` sends.
fn sent_by(method: &Method) -> Vec<&'static MethodInfo> {
    match method.info() {
        Some(info) if info.form == Form::Several => AUTO.to_vec(),
        info => info.into_iter().collect(),
    }
}

fn fail(reason: Reason, call: Option<CallResult>) -> ScriptedOutcome {
    ScriptedOutcome::End {
        status: Status::Fail,
        reason: Some(reason),
        call,
    }
}
