//! Where the client's time comes from.

use std::fmt;
use std::time::SystemTime;

/// Tells the time that requests are signed with.
///
/// A client takes [`SystemClock`] unless it is given another, in a test for example. The service
/// refuses signatures whose time is far from its own.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use sinch_verify_client::{Clock, SystemClock};
///
/// /// A host whose clock is known to be five minutes late.
/// #[derive(Debug)]
/// struct Late;
///
/// impl Clock for Late {
///     fn now(&self) -> SystemTime {
///         SystemClock.now() + Duration::from_secs(300)
///     }
/// }
/// ```
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// The time now.
    fn now(&self) -> SystemTime;
}

/// The system's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }
}
