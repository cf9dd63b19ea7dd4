//! What virtual handsets do by themselves.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sinch_verify_protocol::{ApplicationKey, PhoneNumber, duration};

use crate::unit_variant;

/// What a virtual handset does by itself when a verification starts, for any method. Durations are
/// service time.
///
/// The *proof* is what a user reports: the code of a message or callout, or the caller id of a flash
/// call (a call that rings and is not answered).
///
/// As JSON `{"do":"report","after":"2s","wrong":1}`; durations are texts such as `250ms` or `5m`.
///
/// ```
/// use std::time::Duration;
/// use sinch_verify_emulator::{HandsetBehavior, Scope};
///
/// // All users in Sweden type the right code after two seconds.
/// let scope = Scope::Prefix("+46".to_owned());
/// let behavior = HandsetBehavior::Report { after: Duration::from_secs(2), wrong: 0 };
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum HandsetBehavior {
    /// Nothing: the message or call arrives, and the test does the rest.
    #[serde(deserialize_with = "unit_variant::deserialize")]
    Wait,
    /// The handset reports the proof, after the given number of wrong reports.
    Report {
        /// The delay before the first report and between reports.
        #[serde(with = "duration", default)]
        #[schemars(with = "String")]
        after: Duration,
        /// The number of wrong reports before the right one.
        #[serde(default)]
        wrong: u32,
    },
    /// Nothing arrives, and the verification expires.
    #[serde(deserialize_with = "unit_variant::deserialize")]
    Never,
    /// The message or call arrives late, possibly after the expiry.
    Late {
        /// The delay before the arrival.
        #[serde(with = "duration")]
        #[schemars(with = "String")]
        after: Duration,
    },
    /// The handset is unreachable: the verification ends as `FAIL`.
    Unreachable {
        /// The delay before the end.
        #[serde(with = "duration", default)]
        #[schemars(with = "String")]
        after: Duration,
    },
    /// The line is busy: a call ends as `FAIL` with call result `BUSY`. A message arrives.
    Busy {
        /// The delay before the end.
        #[serde(with = "duration", default)]
        #[schemars(with = "String")]
        after: Duration,
    },
    /// A callout is answered and ended without the right keys: `FAIL`. Other calls and messages arrive.
    HangUp {
        /// The delay before the end.
        #[serde(with = "duration", default)]
        #[schemars(with = "String")]
        after: Duration,
    },
}

/// The handsets that a [`HandsetBehavior`] is for. If several scopes match a number, the narrowest one
/// applies: the number, then the longest prefix, then the application, then everyone.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Scope {
    /// One number.
    Number(PhoneNumber),
    /// The numbers that begin with this prefix: `+` and digits.
    Prefix(String),
    /// All numbers, for verifications of one application.
    Application(ApplicationKey),
    /// All numbers, for all applications.
    Everyone,
}
