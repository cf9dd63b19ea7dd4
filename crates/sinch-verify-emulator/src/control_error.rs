//! Why an emulator did not do what it was told.

use std::fmt;

use sinch_verify_protocol::ApplicationKey;

/// Why an emulator did not do what it was told.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ControlError {
    /// No application has this key.
    UnknownApplication(ApplicationKey),
    /// The callback URL points to another machine, and
    /// [`Builder::allow_remote_callbacks`](crate::Builder::allow_remote_callbacks) was not called.
    RemoteCallback,
    /// No callout to this number is pending.
    NoCallout,
    /// No call to this number rings or waits for keys.
    NoCall,
    /// No delivery of this number is known.
    NoDelivery(u64),
    /// The application has no callback URL.
    NoCallback,
    /// The emulator has no [kit](crate::Builder::tamper_kit).
    NoKit,
    /// A delivery cannot be changed in this way.
    Replay(String),
    /// A fault rule makes no sense, for this reason.
    Fault(String),
    /// Not `+` and digits.
    Prefix,
    /// Not 1 to 10 keys of `0-9 * #`.
    Keys,
}

impl fmt::Display for ControlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownApplication(key) => write!(f, "find an application with the key {key}"),
            Self::RemoteCallback => {
                f.write_str("use a callback URL that is not on this machine; not allowed")
            }
            Self::NoCallout => f.write_str("press keys: no callout to this number is pending"),
            Self::NoCall => f.write_str("hang up: no call to this number rings or waits for keys"),
            Self::NoDelivery(seq) => write!(f, "find delivery {seq}; it is not known"),
            Self::NoCallback => f.write_str("post an event: the application has no callback URL"),
            Self::NoKit => {
                f.write_str("put a receiver to the test: this emulator was given no kit of spoilt callbacks")
            }
            Self::Replay(name) => write!(f, "change a delivery in the way {name:?}; there is none"),
            Self::Fault(problem) => write!(f, "order a fault: {problem}"),
            Self::Prefix => f.write_str("set a handset behavior: prefix must be + and digits"),
            Self::Keys => f.write_str("press keys: digits must be 1 to 10 of 0-9 * #"),
        }
    }
}

impl std::error::Error for ControlError {}
