//! Handsets: their messages, keys and calls, and their behaviors.

use std::time::Duration;

use sinch_verify_protocol::{ApiError, PhoneNumber, Verification, VerificationId};

use super::Core;
use crate::control_error::ControlError;
use crate::engine::{Answer, AppId, BehaviorScope, Command};
use crate::feed::FeedEvent;
use crate::handset_behavior::{HandsetBehavior, Scope};
use crate::magic::HoldBack;
use crate::message::Message;

impl Core {
    /// The messages and calls to `number`, newest first, of one application if given.
    pub(crate) fn inbox(&self, app: Option<AppId>, number: &PhoneNumber) -> Vec<Message> {
        self.lock().inbox(app, number)
    }

    /// Waits for a message after number `after`, of application `app` and of verification `of` if given.
    /// Returns the oldest.
    pub(crate) async fn wait_message(
        &self,
        app: Option<AppId>,
        number: &PhoneNumber,
        after: u64,
        of: Option<&VerificationId>,
        timeout: Duration,
    ) -> Option<Message> {
        let look = async {
            loop {
                let arrived = self.arrived.notified();
                tokio::pin!(arrived);
                // Enabled before the search, so that no arrival is missed in between.
                arrived.as_mut().enable();
                let found = self.inbox(app, number).into_iter().rev().find(|message| {
                    message.seq > after && of.is_none_or(|id| message.verification_id == *id)
                });
                if let Some(message) = found {
                    return message;
                }
                arrived.await;
            }
        };
        tokio::time::timeout(timeout, look).await.ok()
    }

    pub(crate) fn press_keypad(
        &self,
        app: Option<AppId>,
        number: &PhoneNumber,
        digits: &str,
    ) -> Result<Verification, ControlError> {
        let command = Command::Keypad {
            app,
            number: *number,
            digits: digits.to_owned(),
        };
        let pressed = self.clock.service();
        let outcome = self.run_command(command);
        if let Some(uid) = outcome.about {
            let digits = digits.to_owned();
            self.feed.push(pressed, FeedEvent::Keys { uid, digits });
        }
        match outcome.answer {
            Answer::Verification(verification) => Ok(*verification),
            Answer::Refused(refusal) if refusal.code == ApiError::PARAMETER => Err(ControlError::Keys),
            _ => Err(ControlError::NoCallout),
        }
    }

    pub(crate) fn hang_up(
        &self,
        app: Option<AppId>,
        number: &PhoneNumber,
    ) -> Result<Verification, ControlError> {
        match self.run(Command::HangUp { app, number: *number }) {
            Answer::Verification(verification) => Ok(*verification),
            _ => Err(ControlError::NoCall),
        }
    }

    /// How the answer to a start of `number` is held back, if it is.
    pub(crate) fn held_back(&self, app: AppId, number: &PhoneNumber) -> Option<HoldBack> {
        self.lock().held_back(app, number)
    }

    pub(crate) fn set_handset_behavior(
        &self,
        scope: Scope,
        behavior: HandsetBehavior,
    ) -> Result<(), ControlError> {
        let scope = self.behavior_scope(scope)?;
        self.set_behavior(scope, behavior);
        Ok(())
    }

    pub(crate) fn set_behavior(&self, scope: BehaviorScope, behavior: HandsetBehavior) {
        self.run(Command::SetBehavior { scope, behavior });
        self.publish(FeedEvent::Behavior);
    }

    pub(crate) fn remove_handset_behavior(&self, scope: Scope) -> Result<(), ControlError> {
        let scope = self.behavior_scope(scope)?;
        self.run(Command::RemoveBehavior { scope });
        self.publish(FeedEvent::Behavior);
        Ok(())
    }

    pub(crate) fn clear_handset_behaviors(&self) {
        self.run(Command::ClearBehaviors);
        self.publish(FeedEvent::Behavior);
    }

    fn behavior_scope(&self, scope: Scope) -> Result<BehaviorScope, ControlError> {
        Ok(match scope {
            Scope::Number(number) => BehaviorScope::Number(number),
            Scope::Prefix(prefix) => {
                let digits = prefix.strip_prefix('+').unwrap_or_default();
                if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                    return Err(ControlError::Prefix);
                }
                BehaviorScope::Prefix(prefix)
            }
            Scope::Application(key) => {
                let app = self.registry.find(key.as_str());
                BehaviorScope::Application(app.ok_or(ControlError::UnknownApplication(key))?)
            }
            Scope::Everyone => BehaviorScope::Everyone,
        })
    }
}
