//! What handsets do by themselves.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use sinch_verify_protocol::{ApplicationKey, PhoneNumber};

use crate::{duration, unit_variant};

/// What happens at a handset by itself, whatever the method. Times are service time.
///
/// As JSON `{"do":"report","after":"2s","wrong":1}`; durations are texts such as `250ms` or `5m`.
///
/// ```
/// use std::time::Duration;
/// use sinch_verify_emulator::{HandsetBehavior, Scope};
///
/// // Everyone in Sweden types the right code after two seconds.
/// let scope = Scope::Prefix("+46".to_owned());
/// let behavior = HandsetBehavior::Report { after: Duration::from_secs(2), wrong: 0 };
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum HandsetBehavior {
    /// Nothing: the message arrives, and the test does the rest.
    #[serde(deserialize_with = "unit_variant::deserialize")]
    Wait,
    /// The proof is reported, `after` a while; so many wrong ones come first, each after that while.
    Report {
        /// The time to the report, and between reports.
        #[serde(with = "duration", default)]
        after: Duration,
        /// How many wrong reports come first.
        #[serde(default)]
        wrong: u32,
    },
    /// Nothing arrives; the verification expires.
    #[serde(deserialize_with = "unit_variant::deserialize")]
    Never,
    /// It arrives `after` a while, which may be after the expiry.
    Late {
        /// The time to the arrival.
        #[serde(with = "duration")]
        after: Duration,
    },
    /// The handset cannot be reached: `FAIL`, after the while that finding out takes.
    Unreachable {
        /// The time to the end.
        #[serde(with = "duration", default)]
        after: Duration,
    },
    /// The line is busy: a call ends as `FAIL` with call result `BUSY`; a message arrives.
    Busy {
        /// The time to the end.
        #[serde(with = "duration", default)]
        after: Duration,
    },
    /// A callout is answered and ended without the right key: `FAIL`. Anything else arrives.
    HangUp {
        /// The time to the end.
        #[serde(with = "duration", default)]
        after: Duration,
    },
}

/// Whose handsets a [`HandsetBehavior`] is for. The narrowest that fits counts: the number, then the longest
/// prefix, then the application, then everyone.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Scope {
    /// One number.
    Number(PhoneNumber),
    /// The numbers that begin so, with `+`.
    Prefix(String),
    /// All numbers, for one application.
    Application(ApplicationKey),
    /// All numbers.
    Everyone,
}
