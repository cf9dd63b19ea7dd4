//! What happens to a verification by itself.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use sinch_verify_protocol::verification::CallResult;
use sinch_verify_protocol::{Method, PhoneNumber, Reason, Source, Status};

use super::Engine;
use super::agenda::Task;
use super::command::{AppId, Arrived, Reach};
use super::record::{Fate, Uid};
use super::send::AUTO;
use crate::magic::{self, Act};
use crate::message::MessageKind;
use crate::policy::Policy;

/// Whether and when what was sent reaches the handset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arrival {
    Now,
    Later,
    Never,
    /// And the network says so.
    Failed,
}

/// The policies, by whom they are for.
#[derive(Debug, Default)]
pub(super) struct Policies {
    numbers: HashMap<PhoneNumber, Policy>,
    prefixes: BTreeMap<String, Policy>,
    applications: BTreeMap<u32, Policy>,
    everyone: Option<Policy>,
}

impl Policies {
    pub(super) fn set(&mut self, reach: Reach, policy: Policy) {
        match reach {
            Reach::Number(number) => drop(self.numbers.insert(number, policy)),
            Reach::Prefix(prefix) => drop(self.prefixes.insert(prefix, policy)),
            Reach::Application(app) => drop(self.applications.insert(app.0, policy)),
            Reach::Everyone => self.everyone = Some(policy),
        }
    }

    /// The narrowest that fits.
    fn of(&self, app: AppId, number: &PhoneNumber) -> Option<Policy> {
        let by_prefix = || {
            let fitting = self
                .prefixes
                .iter()
                .filter(|(prefix, _)| number.as_str().starts_with(prefix.as_str()));
            fitting
                .max_by_key(|(prefix, _)| prefix.len())
                .map(|(_, policy)| *policy)
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
    /// What is laid down for this number: by a policy, or else because it is a magic one.
    pub(super) fn act(&self, app: AppId, number: &PhoneNumber) -> Act {
        if let Some(policy) = self.policies.of(app, number) {
            return Act::Handset(policy);
        }
        let magic = self.settings.magic_numbers.then(|| magic::act(number)).flatten();
        magic.unwrap_or(Act::Handset(Policy::Wait))
    }

    /// Whether, and for how long, the answer to a start is held back.
    pub(crate) fn held_back(&self, app: AppId, number: &PhoneNumber) -> Option<Option<Duration>> {
        match self.act(app, number) {
            Act::Slow(by) => Some(by),
            _ => None,
        }
    }

    /// Lays down what will happen to what is being sent.
    pub(super) fn foresee(&mut self, uid: Uid) -> Arrival {
        let Some(record) = self.store.get(uid) else {
            return Arrival::Never;
        };
        let is_call = matches!(record.method, Method::Callout | Method::FlashCall);
        let is_callout = record.method == Method::Callout;
        let (fate, after, arrival) = match self.act(record.app, &record.number) {
            Act::Handset(policy) => match policy {
                Policy::Report { after, wrong } => {
                    (Some(Fate::Report { every: after, wrong }), after, Arrival::Now)
                }
                Policy::Never => (None, Duration::ZERO, Arrival::Never),
                Policy::Late { after } => {
                    self.agenda.add(self.later(after), uid, Task::Arrive);
                    (None, Duration::ZERO, Arrival::Later)
                }
                Policy::Unreachable { after } => {
                    let call = is_call.then_some(CallResult::Failed);
                    (Some(fail(Reason::Unreachable, call)), after, Arrival::Failed)
                }
                Policy::Busy { after } if is_call => {
                    let fate = fail(Reason::Unreachable, Some(CallResult::Busy));
                    (Some(fate), after, Arrival::Never)
                }
                Policy::HangUp { after } if is_callout => {
                    let fate = fail(Reason::HungUp, Some(CallResult::Answered));
                    (Some(fate), after, Arrival::Now)
                }
                _ => (None, Duration::ZERO, Arrival::Now),
            },
            Act::End(status, reason) => {
                let fate = Fate::End {
                    status,
                    reason,
                    call: None,
                };
                (Some(fate), magic::SOON, Arrival::Now)
            }
            Act::Undelivered => {
                let reason = if is_call {
                    Reason::Unreachable
                } else {
                    Reason::SmsDeliveryFailure
                };
                (Some(fail(reason, None)), magic::SOON, Arrival::Failed)
            }
            Act::AfterExpiry => {
                let at = record
                    .expires_at
                    .checked_add(magic::SOON)
                    .unwrap_or(record.expires_at);
                self.agenda.add(at, uid, Task::Arrive);
                (None, Duration::ZERO, Arrival::Later)
            }
            _ => (None, Duration::ZERO, Arrival::Now),
        };
        if let Some(fate) = fate {
            let at = self.later(after);
            self.agenda.add(at, uid, Task::Act);
            if let Some(record) = self.store.get_mut(uid) {
                record.fate = Some(Box::new(fate));
            }
        }
        arrival
    }

    /// The time of a verification's fate has come.
    pub(super) fn come_to_pass(&mut self, uid: Uid) {
        let Some(record) = self.store.get_mut(uid).filter(|record| record.is_pending()) else {
            return;
        };
        let Some(fate) = record.fate.take() else { return };
        match *fate {
            Fate::Report { wrong: 0, .. } => {
                record.source = Some(Source::Intercepted);
                self.end(uid, Status::Successful, None);
            }
            Fate::Report { every, wrong } => {
                let reason = match record.method {
                    Method::FlashCall => Reason::InvalidCli,
                    _ => Reason::InvalidCode,
                };
                record.source = Some(Source::Manual);
                record.fate = Some(Box::new(Fate::Report {
                    every,
                    wrong: wrong - 1,
                }));
                if !self.count_attempt(uid, reason) {
                    // At least a moment apart, so that time goes on between them.
                    let at = self.later(every.max(Duration::from_millis(1)));
                    self.agenda.add(at, uid, Task::Act);
                }
            }
            Fate::End { status, reason, call } => {
                if let Some(result) = call {
                    record.complete_call(result);
                }
                self.end(uid, status, reason);
            }
        }
    }

    pub(super) fn receive(&mut self, number: PhoneNumber, uid: Uid, kind: MessageKind) {
        let seq = self.handsets.receive(number, uid, kind, self.now);
        self.arrivals.push(Arrived { number, seq });
    }

    /// A message that was held up arrives, though all may be over.
    pub(super) fn arrive(&mut self, uid: Uid) {
        let Some(record) = self.store.get(uid) else { return };
        let number = record.number;
        let kinds: &[MessageKind] = match MessageKind::of(&record.method) {
            Some(kind) => &[kind],
            None => &AUTO,
        };
        for kind in kinds {
            self.receive(number, uid, *kind);
        }
    }
}

fn fail(reason: Reason, call: Option<CallResult>) -> Fate {
    Fate::End {
        status: Status::Fail,
        reason: Some(reason),
        call,
    }
}
