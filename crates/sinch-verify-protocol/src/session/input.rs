//! The inputs of a session.

use std::time::Duration;

use super::failure::RequestFailure;
use super::request::{Answer, RequestId};
use crate::code::{Cli, Code};
use crate::wire::PrivateText;

/// What happened.
///
/// Any input may come at any time: one that does not fit is answered by
/// [`Output::Ignored`](super::Output::Ignored) and changes nothing.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Input {
    /// Begin with the first method.
    Begin,
    /// Time passed: the session's deadline was reached.
    Tick,
    /// A request that the session sent was answered.
    Answered {
        /// Which.
        request: RequestId,
        /// The answer, as [`Request::read`](super::Request::read) gives it.
        answer: Answer,
    },
    /// A request that the session sent was refused, or got no usable answer.
    RequestFailed {
        /// Which.
        request: RequestId,
        /// What went wrong.
        failure: RequestFailure,
    },
    /// A call is ringing now.
    CallRinging {
        /// The caller id as the system gave it. Empty for a hidden caller.
        cli: PrivateText,
    },
    /// The call log was read. Entries may be in any order, and may come
    /// again: the oldest that matches is used, once.
    CallLog(Vec<LoggedCall>),
    /// A text message came.
    SmsReceived {
        /// Its text.
        text: PrivateText,
    },
    /// A person typed a code.
    CodeTyped(Code),
    /// A person typed the caller id of the flash call.
    CliTyped(Cli),
    /// Give this method up and go on with the next one ("call me instead").
    NextMethod,
    /// Stop for good. No outcome is reported.
    Cancel,
}

impl Input {
    /// A call that rings now, with the caller id as the system gave it.
    #[must_use]
    pub fn ringing(cli: &str) -> Self {
        Self::CallRinging { cli: cli.into() }
    }

    /// A text message that came now.
    #[must_use]
    pub fn sms(text: &str) -> Self {
        Self::SmsReceived { text: text.into() }
    }

    /// Whether a person typed or chose it.
    pub(super) fn is_typed(&self) -> bool {
        matches!(self, Self::CodeTyped(_) | Self::CliTyped(_) | Self::NextMethod)
    }

    /// Whether this is the end of a request. Such an input goes before the
    /// timers: a success that is already here beats a deadline.
    pub(super) fn ends_request(&self) -> bool {
        matches!(self, Self::Answered { .. } | Self::RequestFailed { .. })
    }
}

/// One entry of the phone's call log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggedCall {
    /// The number column as it is.
    pub cli: PrivateText,
    /// The type column.
    pub kind: CallKind,
    /// How long ago the call came: the wall clock minus the date column, both
    /// read now. So the session's own time stays monotonic.
    pub age: Duration,
}

impl LoggedCall {
    /// An entry.
    #[must_use]
    pub fn new(cli: &str, kind: CallKind, age: Duration) -> Self {
        Self {
            cli: cli.into(),
            kind,
            age,
        }
    }
}

/// The kind of a call in the log. Only incoming and missed ones can be the
/// flash call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CallKind {
    /// Incoming and answered.
    Incoming,
    /// Incoming and not answered.
    Missed,
    /// Made by the phone's owner.
    Outgoing,
    /// Rejected by the phone's owner.
    Rejected,
    /// Blocked.
    Blocked,
    /// Gone to voicemail.
    Voicemail,
    /// Any other.
    Other,
}

impl CallKind {
    pub(super) fn may_be_flash_call(self) -> bool {
        matches!(self, Self::Incoming | Self::Missed)
    }
}
