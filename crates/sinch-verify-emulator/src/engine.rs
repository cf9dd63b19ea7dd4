//! The emulated service, as a pure state machine.
//!
//! [`Engine::handle`] takes the service time and a [`Command`] and returns an [`Answer`] and the
//! [`Effect`]s to carry out. [`Engine::next_deadline`] returns the time of the next call if no command
//! comes first. The engine has no I/O, clock or entropy: the same seed and the same calls give the same
//! outputs, byte for byte.

mod base_url_text;
mod call;
mod callout;
mod changes;
mod command;
mod handset;
mod ids;
mod language;
mod lists;
mod manual_action;
mod memory_use;
mod plan;
mod random;
mod record;
mod report;
mod saved;
mod scripted_outcome;
mod send;
mod start;
mod store;
#[cfg(test)]
mod tests;
mod timers;
mod view;

use std::sync::Arc;
use std::time::SystemTime;

use sinch_verify_protocol::verification::CallResult;
use sinch_verify_protocol::{Method, PhoneNumber, Reason, Status};

use crate::handset_behavior::HandsetBehavior;
use crate::message::Message;
use crate::settings::Settings;

use handset::Handsets;
use random::Random;
use record::{Payload, Record};
use scripted_outcome::Behaviors;
use store::Store;
use timers::{Timer, Timers};

pub(crate) use changes::ReaderId;
pub(crate) use command::{
    Answer, Arrived, BehaviorScope, CallOver, Command, DecisionRequest, Effect, Intervention, Notice,
    Outputs, Query, Refusal, StartCommand, Target,
};
pub(crate) use ids::{AppId, Uid};
pub(crate) use lists::{Filter, Overview, Phone};
pub(crate) use saved::{Part, SavedEngine, SavedVerification};
pub(crate) use view::SEAMLESS;

/// The most timers that one command runs: about a millisecond of work.
const MOST_AT_ONCE: usize = 256;

/// All verifications of all applications, and all handsets.
pub(crate) struct Engine {
    settings: Arc<Settings>,
    seed: u64,
    random: Random,
    /// The latest time given. Time in the engine never goes back.
    now: SystemTime,
    store: Store,
    handsets: Handsets,
    timers: Timers,
    behaviors: Behaviors,
    /// The effects of the current command.
    effects: Vec<Effect>,
    /// The messages and calls that reached handsets during the current command.
    arrivals: Vec<Arrived>,
    /// The calls that ended during the current command.
    calls_over: Vec<CallOver>,
    /// The verification that the current command is about.
    about: Option<Uid>,
}

impl Engine {
    pub(crate) fn new(settings: Arc<Settings>, seed: u64) -> Self {
        Self {
            random: Random::new(seed),
            now: SystemTime::UNIX_EPOCH,
            store: Store::new(),
            handsets: Handsets::new(settings.inbox_kept),
            timers: Timers::default(),
            behaviors: Behaviors::default(),
            effects: Vec::new(),
            arrivals: Vec::new(),
            calls_over: Vec::new(),
            about: None,
            settings,
            seed,
        }
    }

    /// Runs the timers that are due at `now`, in order, and then `command`.
    ///
    /// At most [`MOST_AT_ONCE`] timers run in one call, so that no request waits long. If more are due,
    /// the command runs at the time of the next timer, and time does not go further until that timer
    /// has run. So no command observes a state that is past due.
    pub(crate) fn handle(&mut self, now: SystemTime, command: Command) -> Outputs {
        self.run_due(now);
        let reached = self.timers.next().map_or(now, |due| due.min(now));
        self.now = self.now.max(reached);
        let answer = match command {
            Command::Start(start) => self.start(*start),
            Command::Decide { uid, decision } => self.decide(uid, decision.map(|decision| *decision)),
            Command::Report { app, target, report } => self.report(app, &target, &report),
            Command::Outcome { app, number, no_call } => self.outcome(app, &number, no_call),
            Command::Follow { uid, secret } => self.follow(uid, secret),
            Command::Keypad { app, number, digits } => self.keypad(app, &number, &digits),
            Command::HangUp { app, number } => self.hang_up(app, &number),
            Command::Status { app, query } => self.status(app, &query),
            Command::SetBehavior { scope, behavior } => {
                self.behaviors.set(scope, behavior);
                self.note_change();
                Answer::Done
            }
            Command::ClearBehaviors => {
                self.behaviors = Behaviors::default();
                self.note_change();
                Answer::Done
            }
            Command::RemoveBehavior { scope } => {
                self.behaviors.remove(&scope);
                self.note_change();
                Answer::Done
            }
            Command::Intervene { uid, what } => self.intervene(uid, what),
            Command::TimeReached => Answer::Done,
            Command::Reset => self.reset(),
        };
        // Timers that the command itself made due at once.
        self.run_due(self.now);
        Outputs {
            answer,
            effects: std::mem::take(&mut self.effects),
            arrivals: std::mem::take(&mut self.arrivals),
            calls_over: std::mem::take(&mut self.calls_over),
            about: self.about.take(),
        }
    }

    /// The time of the next timer.
    pub(crate) fn next_deadline(&self) -> Option<SystemTime> {
        self.timers.next()
    }

    /// The number of pending and of ended verifications.
    pub(crate) fn kept(&self) -> (usize, usize) {
        self.store.kept()
    }

    /// The seed of all random values.
    pub(crate) fn seed(&self) -> u64 {
        self.seed
    }

    /// The next expiry of a verification.
    pub(crate) fn next_expiry(&self) -> Option<SystemTime> {
        self.timers.next_of(Timer::Expire)
    }

    /// All handset behaviors, the widest scope last.
    pub(crate) fn behaviors(&self) -> Vec<(BehaviorScope, HandsetBehavior)> {
        self.behaviors.list()
    }

    /// The phone number of the verification that an application names.
    pub(crate) fn number_of(&self, app: AppId, query: &Query) -> Option<PhoneNumber> {
        self.find(app, query).map(|record| record.number)
    }

    fn find(&self, app: AppId, query: &Query) -> Option<&Record> {
        let found = match query {
            Query::Id(id) => self.store.by_id(id),
            Query::Reference(reference) => self.store.by_reference(app, reference),
            Query::Number { method, number } => self
                .store
                .latest(app, number, method.as_ref())
                .filter(|uid| self.is_found_by_number(*uid)),
        };
        found.and_then(|uid| self.store.of(app, uid))
    }

    fn status(&mut self, app: AppId, query: &Query) -> Answer {
        let Some(record) = self.find(app, query) else {
            return Answer::Refused(Refusal::not_found());
        };
        let (uid, answer) = (record.uid, record.status_answer(&self.settings));
        self.about = Some(uid);
        Answer::Verification(Box::new(answer))
    }

    /// Whether a verification can still be found by its number.
    fn is_found_by_number(&self, uid: Uid) -> bool {
        let Some(limit) = self.settings.status_by_number else {
            return true;
        };
        self.store.get(uid).is_some_and(|record| {
            let age = self.now.duration_since(record.started_at).unwrap_or_default();
            age <= limit
        })
    }

    /// The message or call of one verification on the handset.
    #[cfg(test)]
    pub(crate) fn shown(&self, number: &PhoneNumber, uid: Uid) -> Option<Message> {
        let entry = self
            .handsets
            .entries(number)
            .rev()
            .find(|entry| entry.uid == uid)?;
        self.store.get(uid)?.message(entry)
    }

    /// The messages and calls on the handset of `number`, newest first, of one application if given.
    pub(crate) fn inbox(&self, app: Option<AppId>, number: &PhoneNumber) -> Vec<Message> {
        let entries = self.handsets.entries(number).rev();
        let records = entries.filter_map(|entry| Some((entry, self.store.get(entry.uid)?)));
        let own = records.filter(|(_, record)| app.is_none_or(|app| record.app == app));
        own.filter_map(|(entry, record)| record.message(entry)).collect()
    }

    /// The message with this number.
    pub(crate) fn message(&self, number: &PhoneNumber, seq: u64) -> Option<Message> {
        let mut entries = self.handsets.entries(number).rev();
        self.render(entries.find(|entry| entry.seq == seq)?)
    }

    fn render(&self, entry: &handset::Entry) -> Option<Message> {
        self.store.get(entry.uid)?.message(entry)
    }

    fn run_due(&mut self, now: SystemTime) {
        for _ in 0..MOST_AT_ONCE {
            let Some((at, uid, timer)) = self.timers.pop_due(now) else {
                break;
            };
            self.now = self.now.max(at);
            if timer != Timer::Expire
                && let Some(record) = self.store.get_mut(uid)
            {
                *record.due_mut(timer) = None;
            }
            match timer {
                Timer::Expire => self.end(uid, Status::Fail, Some(Reason::Expired)),
                Timer::CallOver => self.call_over(uid),
                Timer::Outcome => self.apply_outcome(uid),
                Timer::Arrive => self.arrive(uid),
            }
        }
    }

    /// Ends a pending verification. All ends go through this function.
    fn end(&mut self, uid: Uid, status: Status, reason: Option<Reason>) {
        let Some(record) = self.store.get_mut(uid).filter(|record| record.is_pending()) else {
            return;
        };
        record.end(status, reason, self.now);
        if let Some(at) = record.expires_at {
            self.timers.remove(at, uid, Timer::Expire);
        }
        // A delayed message can still arrive.
        for timer in [Timer::CallOver, Timer::Outcome] {
            if let Some(at) = record.due_mut(timer).take() {
                self.timers.remove(at, uid, timer);
            }
        }
        self.effects.push(Effect {
            app: record.app,
            uid,
            at: self.now,
            notice: Notice::Result(Box::new(record.result_event())),
        });
        for forgotten in self.store.ended(uid, self.settings.verifications_kept) {
            self.handsets.forget(&forgotten.number, forgotten.uid);
            if let Some(at) = forgotten.arrive_at {
                self.timers.remove(at, forgotten.uid, Timer::Arrive);
            }
        }
    }

    /// A device opened the address of a data verification.
    fn follow(&mut self, uid: Uid, secret: u64) -> Answer {
        let Some(record) = self.store.get(uid) else {
            return Answer::Refused(Refusal::not_found());
        };
        if !matches!(record.by(&Method::Seamless), Some(Payload::Link { secret: own, .. }) if *own == secret)
        {
            return Answer::Refused(Refusal::not_found());
        }
        self.about = Some(uid);
        if let Some(answer) = self.late(record) {
            return answer;
        }
        self.end(uid, Status::Successful, None);
        self.report_answer(uid)
    }

    /// A device reports the outcome of a flash call.
    fn outcome(&mut self, app: AppId, number: &PhoneNumber, no_call: bool) -> Answer {
        let found = self.store.latest(app, number, Some(&Method::FlashCall));
        self.about = found;
        let Some(uid) = found else {
            return Answer::Refused(Refusal::not_found());
        };
        if no_call {
            self.stop_call(uid, CallResult::NoAnswer, false);
        }
        Answer::Done
    }

    fn reset(&mut self) -> Answer {
        // The effects of the old verifications are already queued.
        self.random = Random::new(self.seed);
        self.store.clear();
        self.handsets.clear();
        self.timers = Timers::default();
        Answer::Done
    }
}
