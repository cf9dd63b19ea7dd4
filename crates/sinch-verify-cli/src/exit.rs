//! Exit codes.

use sinch_verify_protocol::Verification;

/// How a command ended when nothing went wrong with the command itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Yes: verified, matched, as expected.
    Yes,
    /// No: no match, not as expected.
    No,
    /// The service answered, and the number is not verified.
    NotVerified,
    /// No answer came.
    Unreachable,
}

impl Outcome {
    /// Whether a number is verified.
    pub(crate) fn of(verification: &Verification) -> Self {
        if verification.is_successful() {
            Self::Yes
        } else {
            Self::NotVerified
        }
    }

    /// The exit code.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Yes => 0,
            Self::No => NO,
            Self::NotVerified => NOT_VERIFIED,
            Self::Unreachable => UNREACHABLE,
        }
    }
}

impl From<bool> for Outcome {
    fn from(yes: bool) -> Self {
        if yes { Self::Yes } else { Self::No }
    }
}

/// No match, not as expected; and every error that has no code of its own.
pub(crate) const NO: u8 = 1;
/// Wrong usage, as clap has it, or a file that cannot be read.
pub(crate) const USAGE: u8 = 2;
/// A wrong code, a denial, or a verification that ended otherwise.
pub(crate) const NOT_VERIFIED: u8 = 3;
/// Key, secret, signature or scheme were refused.
pub(crate) const UNAUTHORIZED: u8 = 4;
/// No usable answer: the network, a timeout, or a service that is out of order.
pub(crate) const UNREACHABLE: u8 = 5;
/// The service asks for fewer requests.
pub(crate) const RATE_LIMITED: u8 = 6;

/// The same for people, at the end of the help.
pub(crate) const HELP: &str = "\
Exit codes:
  0  success; `status` was answered, whatever the status is
  1  no: no match, not as expected; or an error that is none of these:
  2  wrong usage, or a file that cannot be read
  3  not verified: a wrong code, a denial, a verification that ended otherwise
  4  refused authorization
  5  no usable answer: the network, a timeout, or a service that is out of order
  6  too many requests: the error says when to come back
With --json, standard output holds {\"error\":{...}} when a command fails.";

/// An error that says what to do about it.
#[derive(Debug)]
pub(crate) struct ExitError {
    pub(crate) code: u8,
    /// What is wrong.
    pub(crate) cause: String,
    /// What to do about it.
    pub(crate) hint: Option<String>,
    /// Whether what was waited for did not come in time.
    pub(crate) timed_out: bool,
}

impl std::fmt::Display for ExitError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.cause)
    }
}

impl std::error::Error for ExitError {}

/// An error that exits with 2: the command was called in a wrong way. In `message`, what to do about it
/// stands after the first `; `.
pub(crate) fn usage(message: impl std::fmt::Display) -> anyhow::Error {
    exit_error(USAGE, &message, false)
}

/// An error that exits with 1, with a message as in [`usage`].
pub(crate) fn failed(message: impl std::fmt::Display) -> anyhow::Error {
    exit_error(NO, &message, false)
}

/// An error that exits with `code`, with a message as in [`usage`]: it ended before it was told to.
pub(crate) fn ended_early(code: u8, message: impl std::fmt::Display) -> anyhow::Error {
    exit_error(code, &message, false)
}

/// An error that exits with `code`: what was waited for did not come in time.
pub(crate) fn timed_out(code: u8, message: impl std::fmt::Display) -> anyhow::Error {
    exit_error(code, &message, true)
}

fn exit_error(code: u8, message: &dyn std::fmt::Display, timed_out: bool) -> anyhow::Error {
    let message = message.to_string();
    let (cause, hint) = match message.split_once("; ") {
        Some((cause, hint)) => (cause.to_owned(), Some(hint.to_owned())),
        None => (message, None),
    };
    anyhow::Error::new(ExitError {
        code,
        cause,
        hint,
        timed_out,
    })
}

/// The innermost source of an error: what the system said.
pub(crate) fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}
