//! Callouts (voice calls): the spoken text, and the pressed keys.

use sinch_verify_protocol::{Code, PhoneNumber, Reason, Status};

use super::Engine;
use super::command::{Answer, Refusal};
use super::ids::AppId;
use super::language::Language;
use super::plan::{Menu, are_keys};
use super::record::{Payload, Record, Speech};

impl Engine {
    /// The handset presses keys in the latest pending callout to `number`, of one application if given.
    ///
    /// Both the code and the confirmation key verify the number: current callouts speak a code, the older
    /// form asks for a key.
    pub(super) fn keypad(&mut self, app: Option<AppId>, number: &PhoneNumber, digits: &str) -> Answer {
        if !are_keys(digits) {
            return Answer::Refused(Refusal::parameter("digits", "must be 1 to 10 keys of 0-9 * #"));
        }
        let Some(record) = self.pending_callout(app, number) else {
            return Answer::Refused(Refusal::not_found());
        };
        let Payload::Speech(speech) = &record.payload else {
            return Answer::Refused(Refusal::not_found());
        };
        let uid = record.uid;
        let is_code = speech.code.as_ref().is_some_and(|code| code.expose() == digits);
        let right = is_code || &*speech.pin == digits;
        self.about = Some(uid);
        if right {
            self.end(uid, Status::Successful, None);
        } else {
            self.count_attempt(uid, Reason::InvalidCode);
        }
        self.report_answer(uid)
    }

    /// The latest callout to `number` that waits for keys, of one application if given.
    pub(super) fn pending_callout(&self, app: Option<AppId>, number: &PhoneNumber) -> Option<&Record> {
        self.handsets.entries(number).rev().find_map(|entry| {
            let record = self.store.get(entry.uid)?;
            let is_own = app.is_none_or(|app| record.app == app);
            (is_own && record.method.takes_a_key() && record.is_pending()).then_some(record)
        })
    }
}

/// The spoken text of a callout, and the keys that it accepts.
pub(super) fn speech(
    language: &'static Language,
    code: Option<Code>,
    menu: Menu,
    default_pin: &str,
) -> Speech {
    let pin = menu.pin.unwrap_or_else(|| default_pin.to_owned());
    let is_own = menu.text.is_some() || menu.sound.is_some();
    let text = match (menu.text, menu.sound, &code) {
        (Some(text), _, _) => text.replace("{pin}", &pin),
        (None, Some(sound), _) => format!("[plays {sound}]"),
        (None, None, Some(code)) => language
            .speech
            .replace("{code}", &spelt(code))
            .replace("{pin}", &pin),
        (None, None, None) => language.menu.replace("{pin}", &pin),
    };
    Speech {
        code,
        pin: pin.into_boxed_str(),
        text: text.into_boxed_str(),
        language: (!is_own).then_some(language),
    }
}

/// A code to be spoken one character after the other.
fn spelt(code: &Code) -> String {
    let characters: Vec<String> = code.expose().chars().map(String::from).collect();
    characters.join(", ")
}
