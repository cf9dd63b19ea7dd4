//! Random starts, and the checks of their answers.

use std::time::Duration;

use sinch_verify_protocol::Status;

use super::checks::{Checked, answers_refusal, refused, same, uid_of};
use super::commands;
use super::model::{Known, Model};
use super::world::World;
use crate::engine::{Answer, AppId, Command};
use crate::magic::{self, Script};

impl World {
    pub(super) fn start(&mut self) -> Checked {
        let (command, asked) = commands::start(&mut self.rng)?;
        let (app, level) = (command.app, command.level);
        let number = command.request.identity.phone_number();
        let number = number.map_err(|error| error.to_string())?;
        let method = command.request.method.clone();
        let reference = command.request.reference.clone();
        let used = reference
            .as_deref()
            .is_some_and(|reference| self.model.by_reference(app, reference).is_some());
        let restricted = level == crate::AuthorizationLevel::Public && !command.callback;
        let before = self.model.latest(app, number);
        let before = before.and_then(|uid| self.model.get(uid));
        let since = before.map(|before| self.now.duration_since(before.started).unwrap_or_default());
        let quick = since.zip(self.settings.velocity);
        let quick = quick.is_some_and(|(since, least)| since < least);
        let script = self
            .settings
            .magic_numbers
            .then(|| magic::script_of(&number))
            .flatten();

        let outputs = self.say(Command::Start(Box::new(command)));
        let refusal = match (used, restricted, quick) {
            (true, ..) => Some(40900),
            (_, true, _) => Some(40303),
            (.., true) => Some(42901),
            _ if self.is_full(app, &outputs.answer)? => Some(42900),
            _ => match script {
                Some(Script::Refuse { code, .. }) => Some(code),
                _ => None,
            },
        };
        if let Some(code) = refusal {
            return refused(&outputs, code);
        }
        let (uid, sent) = match &outputs.answer {
            Answer::NeedsDecision(ask) => {
                same(&ask.uid.to_id(), &ask.event.id, "the id in a request event")?;
                self.open.push(ask.uid);
                (ask.uid, false)
            }
            Answer::Started { response, .. } => (uid_of(response.id.as_str())?, true),
            // Denied: the start is refused, and the verification is kept.
            _ if matches!(script, Some(Script::Deny(_))) => {
                answers_refusal(&outputs, 40303)?;
                (outputs.about.ok_or("what is denied is kept")?, false)
            }
            other => return Err(format!("a start answers {other:?}")),
        };
        let is_denied = Model::end_of(&outputs, uid) == Some(&Status::Denied);
        same(
            &matches!(script, Some(Script::Deny(_))),
            &is_denied,
            "whether it is denied",
        )?;
        // The pending one for the same number ends first.
        let (own, others): (Vec<_>, Vec<_>) = outputs.effects.iter().partition(|effect| effect.uid == uid);
        for effect in others {
            if !self.settings.abort_predecessor {
                return Err(format!("the start of {uid} ends {}", effect.uid));
            }
            self.model.check_event(effect)?;
        }
        self.model.learn(
            uid,
            Known {
                app,
                number,
                method,
                reference,
                started: self.now,
                last: self.now + asked.unwrap_or_default().max(self.settings.expiry),
                asked,
                end: None,
                expired: false,
                sent,
                wrong: 0,
            },
        )?;
        for effect in own {
            self.model.check_event(effect)?;
        }
        self.offer(uid);
        self.check_verification(uid)
    }

    /// Whether the capacity limit refuses an otherwise valid start.
    fn is_full(&mut self, app: AppId, answer: &Answer) -> Result<bool, String> {
        let Some(most) = self.settings.capacity else {
            return Ok(false);
        };
        let full = matches!(answer, Answer::Refused(refusal) if refusal.code == 42900
            && refusal.retry_after == Some(Duration::from_secs(1)));
        self.model.passed(app, self.now, most, full)?;
        Ok(full)
    }
}
