//! The kit that makes invalid callbacks, to test receivers with.

use std::fmt;

use bytes::Bytes;
use http::Request;
use sinch_verify_protocol::{ApplicationKey, ApplicationSecret};
use std::time::SystemTime;

/// Makes signed callbacks invalid, so that a receiver must refuse them.
///
/// [`Emulator::conformance`](crate::Emulator::conformance) requires a kit, and
/// [`Emulator::replay_as`](crate::Emulator::replay_as) accepts its names. The emulator has no kit of its
/// own because it shares no code with `sinch-verify-callback`. Wrap the list of that crate's `testing`
/// feature, or write your own.
pub trait TamperKit: Send + Sync + 'static {
    /// The names of the changes, in lower case with hyphens.
    fn names(&self) -> Vec<&'static str>;

    /// Makes `request` invalid by the change `name`. The request is a callback that was signed at `now`
    /// with these credentials.
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
