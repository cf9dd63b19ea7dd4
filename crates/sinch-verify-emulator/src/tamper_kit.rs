//! How receivers are put to the test.

use std::fmt;

use bytes::Bytes;
use http::Request;
use sinch_verify_protocol::{ApplicationKey, ApplicationSecret};
use std::time::SystemTime;

/// Ways to spoil a signed callback, each of which a receiver must refuse.
///
/// The emulator knows a few itself, for [`Emulator::replay_as`](crate::Emulator::replay_as). A kit
/// brings more of them, and makes [`Emulator::conformance`](crate::Emulator::conformance) possible.
/// It comes from outside because the emulator shares no code with the crate that receives
/// callbacks; that crate's `testing` feature has one to wrap.
pub trait TamperKit: Send + Sync + 'static {
    /// The names of the ways, each in lower case with hyphens.
    fn names(&self) -> Vec<&'static str>;

    /// Spoils `request`, a callback signed at `now` with these credentials, in the way of this name.
    fn spoil(
        &self,
        name: &str,
        key: &ApplicationKey,
        secret: &ApplicationSecret,
        request: &mut Request<Bytes>,
        now: SystemTime,
    );
}

impl fmt::Debug for dyn TamperKit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TamperKit").field("names", &self.names()).finish()
    }
}
