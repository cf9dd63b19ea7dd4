//! The engine, the model, and the random steps after which both must agree.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng as _;
use sinch_verify_protocol::Status;

use super::checks::{Checked, refused, same, uid_of, unchanged, verification};
use super::commands::{self, chance};
use super::journal::Journal;
use super::model::{Known, Model};
use crate::engine::{
    Answer, Arrived, BehaviorScope, Command, Effect, Engine, Intervention, Outputs, Query, Uid,
};
use crate::message::Message;
use crate::settings::Settings;

/// The most ended verifications that the engine keeps: few, so that it drops some often.
const KEPT: usize = 2_000;

/// The number of verifications that random commands choose from.
const CHOICE: usize = 1_000;

/// The number of steps between two checks of all verifications.
const SWEEP: u64 = 20_000;

pub(super) struct World {
    pub(super) rng: ChaCha8Rng,
    pub(super) engine: Engine,
    pub(super) settings: Arc<Settings>,
    pub(super) now: SystemTime,
    pub(super) model: Model,
    /// Request events without a decision so far.
    pub(super) open: Vec<Uid>,
    /// Some of the latest verifications, which may no longer be kept.
    choice: Vec<Uid>,
    journal: Journal,
    steps: u64,
}

impl World {
    pub(super) fn new(seed: u64) -> Self {
        Self::with(seed, Journal::default())
    }

    #[cfg(test)]
    pub(super) fn with_journal(seed: u64) -> Self {
        Self::with(seed, Journal::keeping())
    }

    fn with(seed: u64, journal: Journal) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let settings = Arc::new(commands::settings(&mut rng, KEPT));
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let mut engine = Engine::new(Arc::clone(&settings), seed);
        for (prefix, behavior) in commands::behaviors(&mut rng) {
            let scope = BehaviorScope::Prefix(prefix);
            engine.handle(now, Command::SetBehavior { scope, behavior });
        }
        Self {
            engine,
            model: Model::new(KEPT, settings.abort_predecessor),
            settings,
            rng,
            now,
            open: Vec::new(),
            choice: Vec::new(),
            journal,
            steps: 0,
        }
    }

    pub(super) fn digest(&self) -> u64 {
        self.journal.digest()
    }

    #[cfg(test)]
    pub(super) fn into_journal(self) -> Vec<u8> {
        self.journal.into_bytes()
    }

    pub(super) fn verifications(&self) -> (u64, u64) {
        (self.model.started, self.model.over)
    }

    /// Runs one random command and checks the result.
    pub(super) fn step(&mut self) -> Checked {
        self.steps += 1;
        match self.rng.random_range(0..1_000_u32) {
            0..300 => self.start()?,
            300..480 => self.decide()?,
            480..750 => self.report()?,
            750..770 => self.outcome()?,
            770..820 => self.follow()?,
            820..855 => self.keypad()?,
            855..870 => self.hang_up()?,
            870..930 => self.ask()?,
            930..950 => self.intervene()?,
            950..998 => self.wait(2_000)?,
            998 => self.wait(400_000)?,
            _ if chance(&mut self.rng, 5) => self.reset(),
            _ => self.turn_back()?,
        }
        self.check_after_step()?;
        if self.steps.is_multiple_of(SWEEP) {
            self.check_all()?;
        }
        Ok(())
    }

    /// Lets a day pass.
    pub(super) fn settle(&mut self) -> Checked {
        self.now += Duration::from_secs(86_400);
        self.give(Command::TimeReached)?;
        if self.engine.next_deadline().is_some() || self.model.next_due().is_some() {
            return Err("a verification is still pending after a day".to_owned());
        }
        self.check_all()
    }

    /// A callback decides: soon, late, twice, or about another verification.
    fn decide(&mut self) -> Checked {
        let question = if self.open.is_empty() || chance(&mut self.rng, 5) {
            self.choose()
        } else {
            // Mostly the latest request event; others are answered late or never.
            let newest = self.open.len() - 1;
            let place = if chance(&mut self.rng, 70) {
                newest
            } else {
                self.rng.random_range(0..self.open.len())
            };
            let question = self.open[place];
            if chance(&mut self.rng, 90) {
                self.open.swap_remove(place);
            }
            Some(question)
        };
        let Some(uid) = question else {
            return Ok(());
        };
        let before = self.model.get(uid).cloned();
        let (decision, asked) = commands::decision(&mut self.rng);
        let denies = decision == Some(sinch_verify_protocol::Decision::Deny);
        let outputs = self.give(Command::Decide {
            uid,
            decision: decision.map(Box::new),
        })?;
        let after = self.model.get(uid).cloned();
        match (&outputs.answer, before, after) {
            (Answer::Started { response, .. }, Some(before), Some(after))
                if before.end.is_none() && !before.sent && after.end.is_none() && !denies =>
            {
                same(&uid.to_id(), &response.id, "the id of what was allowed")?;
                let longest = asked.unwrap_or_default().max(before.asked.unwrap_or_default());
                self.model.postpone(uid, self.now + longest);
                if let Some(known) = self.model.get_mut(uid) {
                    known.sent = true;
                }
            }
            (Answer::Refused(refusal), before, after) => {
                let expected = match (before, after) {
                    // It may have been dropped when it ended.
                    (None, _) => 40400,
                    // Denied by an intervention or by an earlier decision.
                    (Some(before), _) if before.end == Some(Status::Denied) => 40303,
                    (Some(before), _) if before.sent || before.end.is_some() => 40003,
                    (_, Some(after)) if after.end == Some(Status::Denied) => 40303,
                    (_, after) => return Err(format!("{uid} is refused, but left as {after:?}")),
                };
                same(&expected, &refusal.code, "the code that answers a decision")?;
            }
            (answer, before, _) => return Err(format!("a decision on {before:?} answers {answer:?}")),
        }
        self.check_verification(uid)
    }

    fn follow(&mut self) -> Checked {
        let Some((uid, known, message)) = self.chosen() else {
            return Ok(());
        };
        let Some(target) = message.and_then(|message| message.target_uri) else {
            return Ok(());
        };
        let secret = target
            .rsplit_once('.')
            .and_then(|(_, secret)| u64::from_str_radix(secret, 16).ok());
        let secret = secret.ok_or_else(|| format!("the address of {uid} is unreadable"))?;
        let right = chance(&mut self.rng, 70);
        let secret = secret ^ u64::from(!right);
        let outputs = self.give(Command::Follow { uid, secret })?;
        if !right {
            return refused(&outputs, 40400);
        }
        if known.end.is_some() {
            return self.late(&known, &outputs);
        }
        same(
            &Status::Successful,
            &verification(&outputs)?.status,
            "an address that was followed",
        )?;
        self.check_verification(uid)
    }

    /// Intervenes in a verification: expires, delivers or denies it.
    fn intervene(&mut self) -> Checked {
        let Some((uid, known, message)) = self.chosen() else {
            return Ok(());
        };
        let (what, end) = match self.rng.random_range(0..3_u32) {
            0 => (Intervention::Expire, Some(Status::Fail)),
            1 => (Intervention::Deny, Some(Status::Denied)),
            _ => (Intervention::Deliver, None),
        };
        let outputs = self.give(Command::Intervene { uid, what })?;
        let done = match what {
            Intervention::Deliver => outputs.answer == Answer::Done,
            _ => known.end.is_none(),
        };
        if !done {
            return unchanged(&outputs);
        }
        if what == Intervention::Deliver {
            if message.is_some() || !known.sent {
                return Err(format!("{uid} is delivered twice, or before it is sent"));
            }
            // It may have a delivered event, and nothing else.
            return match Model::end_of(&outputs, uid) {
                None => self.check_verification(uid),
                Some(end) => Err(format!("a delivery ends {uid} as {end}")),
            };
        }
        same(
            &end.as_ref(),
            &Model::end_of(&outputs, uid),
            "the end by an onlooker",
        )?;
        self.check_verification(uid)
    }

    /// Queries the status by number and by reference.
    fn ask(&mut self) -> Checked {
        let Some((uid, known, _)) = self.chosen() else {
            return Ok(());
        };
        let app = commands::app(&mut self.rng);
        let query = match &known.reference {
            Some(reference) => Query::Reference(reference.clone()),
            None => Query::Number {
                method: Some(known.method.clone()),
                number: known.number,
            },
        };
        let by_reference = known.reference.is_some();
        let outputs = self.give(Command::Status { app, query })?;
        unchanged(&outputs)?;
        let is_young = |known: &Known| {
            let age = self.now.duration_since(known.started).unwrap_or_default();
            by_reference || self.settings.status_by_number.is_none_or(|most| age <= most)
        };
        let Answer::Verification(found) = outputs.answer else {
            let hidden = app != known.app || !is_young(&known);
            return if hidden {
                Ok(())
            } else {
                Err(format!("{uid} is not found by its names"))
            };
        };
        let found = uid_of(found.id.as_str())?;
        let seen = self.model.get(found);
        same(
            &Some(app),
            &seen.map(|seen| seen.app),
            "the application that sees a verification",
        )?;
        if !seen.is_some_and(is_young) {
            return Err(format!(
                "{found} is found by its number when it is too old for that"
            ));
        }
        if by_reference && app == known.app {
            same(&uid, &found, "the verification of a reference")?;
        }
        Ok(())
    }

    /// Lets a random time pass, up to `most` milliseconds.
    fn wait(&mut self, most: u64) -> Checked {
        self.now += Duration::from_millis(self.rng.random_range(0..most));
        self.give(Command::TimeReached).map(|_| ())
    }

    /// Sets the wall clock back for one command.
    fn turn_back(&mut self) -> Checked {
        let now = self.now;
        self.now -= Duration::from_secs(self.rng.random_range(1..100_000));
        let outputs = self.give(Command::TimeReached);
        self.now = now;
        unchanged(&outputs?)
    }

    fn reset(&mut self) {
        self.say(Command::Reset);
        self.model.clear();
        self.open.clear();
        self.choice.clear();
    }

    /// Gives the engine a command, and the model its outputs.
    pub(super) fn give(&mut self, command: Command) -> Result<Outputs, String> {
        let outputs = self.say(command);
        for effect in &outputs.effects {
            self.model.check_event(effect)?;
        }
        Ok(outputs)
    }

    /// Runs all timers that are due, then a command, then the timers that the command made due.
    pub(super) fn say(&mut self, command: Command) -> Outputs {
        let mut effects = Vec::new();
        let mut arrivals = Vec::new();
        self.do_what_is_due(&mut effects, &mut arrivals);
        let mut outputs = self.engine.handle(self.now, command);
        effects.append(&mut outputs.effects);
        arrivals.append(&mut outputs.arrivals);
        self.do_what_is_due(&mut effects, &mut arrivals);
        let outputs = Outputs {
            effects,
            arrivals,
            ..outputs
        };
        self.journal.note(&outputs);
        outputs
    }

    /// Runs all timers that are due. One call to the engine runs a limited number.
    fn do_what_is_due(&mut self, effects: &mut Vec<Effect>, arrivals: &mut Vec<Arrived>) {
        while self.engine.next_deadline().is_some_and(|due| due <= self.now) {
            let outputs = self.engine.handle(self.now, Command::TimeReached);
            effects.extend(outputs.effects);
            arrivals.extend(outputs.arrivals);
        }
    }

    /// Makes `uid` available to random commands.
    pub(super) fn offer(&mut self, uid: Uid) {
        if self.choice.len() < CHOICE {
            self.choice.push(uid);
        } else {
            let place = self.rng.random_range(0..CHOICE);
            self.choice[place] = uid;
        }
    }

    pub(super) fn choose(&mut self) -> Option<Uid> {
        let places = self.choice.len();
        (places > 0).then(|| self.choice[self.rng.random_range(0..places)])
    }

    /// A verification that must still be kept, and its message on the handset.
    pub(super) fn chosen(&mut self) -> Option<(Uid, Known, Option<Message>)> {
        let uid = self.choose()?;
        let known = self.model.get(uid)?.clone();
        let message = self.engine.shown(&known.number, uid);
        Some((uid, known, message))
    }
}
