//! Magic numbers: phone numbers with a scripted outcome.

use std::time::Duration;

use serde::Serialize;
use sinch_verify_protocol::{ApiError, PhoneNumber, Reason, Status};

use crate::handset_behavior::HandsetBehavior;

/// The prefix of all magic numbers, in the range that the British regulator reserves for use in drama,
/// so they are never assigned.
const PREFIX: &str = "+4477009009";

/// The delay from the start to the outcome.
pub(crate) const OUTCOME_DELAY: Duration = Duration::from_secs(1);

/// A phone number whose verifications always have the same outcome, so that a client can test every
/// outcome without configuration. The numbers are fictional.
/// [`Settings::magic_numbers`](crate::Settings::magic_numbers) turns them off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct MagicNumber {
    /// The number, in E.164 form.
    pub number: String,
    /// A short name of the outcome, such as `verified`.
    pub outcome: &'static str,
    /// A description of what happens.
    pub what: &'static str,
}

impl MagicNumber {
    /// All magic numbers, in order.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let rows = (0_u8..).zip(NUMBERS);
        rows.map(|(n, row)| Self {
            number: format!("{PREFIX}{n:02}"),
            outcome: row.0,
            what: row.1,
        })
        .collect()
    }
}

/// The handset behavior or magic behavior of a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Script {
    /// The start succeeds, and the handset behaves like this.
    Handset(HandsetBehavior),
    /// The start succeeds, and the verification ends with this status.
    End(Status, Option<Reason>),
    /// The message is lost, and the network reports it.
    Undelivered,
    /// The message arrives after the verification expired.
    AfterExpiry,
    /// The start is refused, and no verification is kept.
    Refuse { code: u32, message: &'static str },
    /// The verification is denied for this reason.
    Deny(Reason),
    /// The answer to the start is held back.
    HoldBack(HoldBack),
}

/// How the answer to a start is held back, on the wall clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HoldBack {
    /// It is sent after this time.
    For(Duration),
    /// It is never sent.
    Forever,
}

/// The script of a magic number; `None` for other numbers.
pub(crate) fn script_of(number: &PhoneNumber) -> Option<Script> {
    let n: usize = number.as_str().strip_prefix(PREFIX)?.parse().ok()?;
    // A magic number has exactly two digits after the prefix.
    (number.as_str().len() == PREFIX.len() + 2).then_some(())?;
    NUMBERS.get(n).map(|row| (row.2)())
}

type Row = (&'static str, &'static str, fn() -> Script);

const fn refuse(code: u32, message: &'static str) -> Script {
    Script::Refuse { code, message }
}

fn fail(reason: Reason) -> Script {
    Script::End(Status::Fail, Some(reason))
}

/// Name, description and script of each magic number, by its last two digits.
const NUMBERS: [Row; 28] = [
    (
        "pending",
        "like any other number: the message arrives and nothing else happens",
        || Script::Handset(HandsetBehavior::Wait),
    ),
    (
        "verified",
        "reports the right code or caller id after 1 s: SUCCESSFUL",
        || {
            Script::Handset(HandsetBehavior::Report {
                after: OUTCOME_DELAY,
                wrong: 0,
            })
        },
    ),
    (
        "second-try",
        "reports a wrong one first, then the right one: SUCCESSFUL",
        || {
            Script::Handset(HandsetBehavior::Report {
                after: OUTCOME_DELAY,
                wrong: 1,
            })
        },
    ),
    (
        "wrong",
        "reports only wrong ones: FAIL, Invalid code or Invalid CLI",
        || {
            Script::Handset(HandsetBehavior::Report {
                after: OUTCOME_DELAY,
                wrong: u32::MAX,
            })
        },
    ),
    ("expired", "FAIL, Expired after 1 s", || fail(Reason::Expired)),
    (
        "denied",
        "the start answers 403/40303: DENIED, Denied by callback",
        || Script::Deny(Reason::DeniedByCallback),
    ),
    (
        "invalid-callback",
        "the start answers 403/40303: DENIED, Invalid callback",
        || Script::Deny(Reason::InvalidCallback),
    ),
    ("fraud", "FAIL, Fraud after 1 s", || fail(Reason::Fraud)),
    ("blocked", "FAIL, Blocked after 1 s", || fail(Reason::Blocked)),
    ("destination-denied", "FAIL, Destination denied after 1 s", || {
        fail(Reason::DestinationDenied)
    }),
    (
        "unreachable",
        "nothing arrives: FAIL, Network error or number unreachable",
        || Script::Handset(HandsetBehavior::Unreachable { after: OUTCOME_DELAY }),
    ),
    (
        "undelivered",
        "delivered event Failed: FAIL, SMS delivery failure",
        || Script::Undelivered,
    ),
    (
        "busy",
        "calls end as FAIL with call result BUSY; messages arrive",
        || Script::Handset(HandsetBehavior::Busy { after: OUTCOME_DELAY }),
    ),
    (
        "hang-up",
        "a callout ends as FAIL, Hung up without entering valid code",
        || Script::Handset(HandsetBehavior::HangUp { after: OUTCOME_DELAY }),
    ),
    (
        "late",
        "the message arrives 1 s after the verification expired",
        || Script::AfterExpiry,
    ),
    (
        "lost",
        "nothing arrives and no event reports it; the verification expires",
        || Script::Handset(HandsetBehavior::Never),
    ),
    ("error", "ERROR, Internal error after 1 s", || {
        Script::End(Status::Error, Some(Reason::InternalError))
    }),
    ("failed-pending", "FAIL, Failed pending after 1 s", || {
        fail(Reason::FailedPending)
    }),
    ("aborted", "ABORTED after 1 s", || {
        Script::End(Status::Aborted, None)
    }),
    ("no-credit", "the start answers 402/40200", || {
        refuse(ApiError::CREDIT, "Not enough credit.")
    }),
    ("blacklisted", "the start answers 403/40300", || {
        refuse(ApiError::FORBIDDEN, "Identity is blacklisted.")
    }),
    ("no-route", "the start answers 422/42201", || {
        refuse(ApiError::NO_ROUTE, "No route to destination.")
    }),
    (
        "too-quick",
        "the start answers 429/42901 with Retry-After",
        || {
            refuse(
                ApiError::VELOCITY,
                "Cannot initiate verification to the same number too quickly.",
            )
        },
    ),
    ("too-many", "the start answers 429/42900 with Retry-After", || {
        refuse(ApiError::CAPACITY, "Request capacity exceeded.")
    }),
    ("server-error", "the start answers 500/50000", || {
        refuse(ApiError::INTERNAL, "Internal server error.")
    }),
    (
        "unavailable",
        "the start answers 503/50300 with Retry-After",
        || {
            refuse(
                ApiError::UNAVAILABLE,
                "Service is temporarily unavailable, please try again later.",
            )
        },
    ),
    (
        "slow",
        "the start is answered after 3 s on the wall clock",
        || Script::HoldBack(HoldBack::For(Duration::from_secs(3))),
    ),
    ("silent", "the start is never answered and has no effect", || {
        Script::HoldBack(HoldBack::Forever)
    }),
];

#[cfg(test)]
mod tests {
    use super::{MagicNumber, NUMBERS, script_of};

    #[test]
    fn every_magic_number_is_a_number_with_a_script() {
        let all = MagicNumber::all();
        assert_eq!(all.len(), NUMBERS.len());
        for magic in all {
            assert!(script_of(&magic.number.parse().unwrap()).is_some(), "{magic:?}");
        }
        for other in ["+46700000001", "+447700900123", "+447700900999", "+4477009009011"] {
            assert_eq!(script_of(&other.parse().unwrap()), None, "{other}");
        }
    }
}
