//! The error of controlling an emulator.

use std::fmt;

use sinch_verify_protocol::{ApplicationKey, VerificationId};

/// The error of controlling a running emulator. The message names the cause and the fix.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ControlError {
    /// An application with this key exists.
    RepeatedKey(ApplicationKey),
    /// No application has this key.
    UnknownApplication(ApplicationKey),
    /// The callback URL points to another machine, and
    /// [`Builder::allow_remote_callbacks`](crate::Builder::allow_remote_callbacks) was not called.
    RemoteCallback,
    /// The application has no such verification, or it has ended.
    NotPending(VerificationId),
    /// No callout to this number is waiting for keys.
    NoCallout,
    /// No call to this number is ringing or waiting for keys.
    NoCall,
    /// There is no delivery with this number, or it is no longer kept.
    NoDelivery(u64),
    /// The application has no callback URL.
    NoCallback,
    /// The emulator was started without a [tamper kit](crate::Builder::tamper_kit).
    NoKit,
    /// There is no replay with this name.
    Replay(String),
    /// A fault rule is invalid, for this reason.
    Fault(String),
    /// The prefix of a scope is not `+` and digits.
    Prefix,
    /// The digits are not 1 to 10 keys of `0-9 * #`.
    Keys,
}

impl fmt::Display for ControlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RepeatedKey(key) => {
                write!(f, "an application has the key {key} already; give each its own")
            }
            Self::UnknownApplication(key) => write!(f, "the emulator has no application with the key {key}"),
            Self::RemoteCallback => f.write_str(
                "the callback URL is on another machine; use one on this machine, or allow remote callbacks \
                 when the emulator starts",
            ),
            Self::NotPending(id) => write!(
                f,
                "no verification {id} of this application is pending; start one first"
            ),
            Self::NoCallout => f.write_str("no callout to this number waits for keys; start one first"),
            Self::NoCall => f.write_str("no call to this number rings or waits for keys; start one first"),
            Self::NoDelivery(seq) => {
                write!(f, "there is no delivery {seq}, or it is no longer kept; list the deliveries")
            }
            Self::NoCallback => f.write_str("the application has no callback URL; set one first"),
            Self::NoKit => f.write_str(
                "the emulator was started without conformance checks; start it with `sinch-verify serve`, or with \
                 a tamper kit",
            ),
            Self::Replay(name) => {
                write!(f, "there is no replay {name:?}; GET /_emu/info lists the names")
            }
            Self::Fault(problem) => f.write_str(problem),
            Self::Prefix => f.write_str("prefix must be + and digits, such as +46"),
            Self::Keys => f.write_str("digits must be 1 to 10 keys of 0-9 * #"),
        }
    }
}

impl std::error::Error for ControlError {}
