//! Checks of the engine's answers. The error describes the difference.

use sinch_verify_protocol::Verification;

use crate::engine::{Answer, Outputs, Uid};

pub(super) type Checked = Result<(), String>;

pub(super) fn verification(outputs: &Outputs) -> Result<&Verification, String> {
    match &outputs.answer {
        Answer::Verification(verification) => Ok(verification),
        other => Err(format!("expected a verification, got {other:?}")),
    }
}

pub(super) fn unchanged(outputs: &Outputs) -> Checked {
    match outputs.effects.first() {
        None => Ok(()),
        Some(effect) => Err(format!("{} changed, and must not have", effect.uid)),
    }
}

/// Checks that the command is refused with this code and changes nothing.
pub(super) fn refused(outputs: &Outputs, code: u32) -> Checked {
    unchanged(outputs)?;
    answers_refusal(outputs, code)
}

/// Checks that the command is refused with this code.
pub(super) fn answers_refusal(outputs: &Outputs, code: u32) -> Checked {
    match &outputs.answer {
        Answer::Refused(refusal) => same(&code, &refusal.code, "the code of a refusal"),
        other => Err(format!(
            "must be refused with {code}, and the answer is {other:?}"
        )),
    }
}

pub(super) fn uid_of(id: &str) -> Result<Uid, String> {
    Uid::parse(id).ok_or_else(|| format!("{id:?} is no id of this service"))
}

pub(super) fn same<T: PartialEq + std::fmt::Debug>(expected: &T, got: &T, what: &str) -> Checked {
    if expected == got {
        Ok(())
    } else {
        Err(format!("{what} must be {expected:?} and is {got:?}"))
    }
}
