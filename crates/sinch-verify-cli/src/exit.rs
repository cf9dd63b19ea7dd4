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
    /// Nobody answered.
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

/// The call itself was wrong.
#[derive(Debug)]
pub(crate) struct Usage(pub String);

impl std::fmt::Display for Usage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Usage {}

/// An error that exits with 2.
pub(crate) fn usage(message: impl std::fmt::Display) -> anyhow::Error {
    anyhow::Error::new(Usage(message.to_string()))
}
