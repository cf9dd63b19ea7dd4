//! How far the service's clock is from this host's.

use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime};

/// How far the service's clock is ahead of this host's, in whole seconds.
///
/// Zero until the service refused a signature for its time. See
/// [`Client::clock_offset`](crate::Client::clock_offset).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClockOffset(i64);

impl ClockOffset {
    /// The largest offset that a client signs with, in either direction: 24 hours.
    ///
    /// It covers a host that takes its local time for UTC (14 hours at most) or whose clock is wrong by
    /// hours. A larger one is ignored: a signature for a distant time is of no use to an honest service,
    /// and of some to one that keeps it until then.
    pub const MAX: Duration = Duration::from_secs(24 * 3600);

    /// The seconds: negative where the service's clock is behind.
    #[must_use]
    pub fn as_secs(self) -> i64 {
        self.0
    }

    /// Whether the clocks agree, as far as is known.
    #[must_use]
    pub fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The service's time when this host's is `now`.
    pub(crate) fn apply(self, now: SystemTime) -> SystemTime {
        let by = Duration::from_secs(self.0.unsigned_abs());
        let shifted = if self.0 < 0 {
            now.checked_sub(by)
        } else {
            now.checked_add(by)
        };
        shifted.unwrap_or(now)
    }

    /// From the service's time and this host's.
    fn between(service: SystemTime, host: SystemTime) -> Self {
        let seconds = |by: Duration| i64::try_from(by.as_secs()).unwrap_or(i64::MAX);
        Self(match service.duration_since(host) {
            Ok(ahead) => seconds(ahead),
            Err(behind) => -seconds(behind.duration()),
        })
    }
}

impl fmt::Display for ClockOffset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:+} s", self.0)
    }
}

/// What a refusal says about the clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lesson {
    /// The offset is new: the request can be signed again with it.
    Learned,
    /// The request was signed with this offset already: the clocks do not explain the refusal.
    Known,
    /// The clocks are too far apart for the service's to be believed.
    Ignored(ClockOffset),
}

/// The offset that all clones of a client sign with.
#[derive(Debug, Default)]
pub(crate) struct Skew(AtomicI64);

impl Skew {
    pub(crate) fn get(&self) -> ClockOffset {
        ClockOffset(self.0.load(Ordering::Relaxed))
    }

    /// Takes the offset from a refusal that came with the service's time, where it is not larger than
    /// [`ClockOffset::MAX`] and signing with it differs from signing with `used`.
    pub(crate) fn learn(&self, service: SystemTime, host: SystemTime, used: ClockOffset) -> Lesson {
        let offset = ClockOffset::between(service, host);
        if offset.0.unsigned_abs() > ClockOffset::MAX.as_secs() {
            return Lesson::Ignored(offset);
        }
        // `Date` has whole seconds, so a second says nothing.
        if offset.0.abs_diff(used.0) < 2 {
            return Lesson::Known;
        }
        self.0.store(offset.0, Ordering::Relaxed);
        Lesson::Learned
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_offset_leads_to_the_services_time() {
        let host = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        for service in [0, 999_000, 1_000_000, 2_000_000] {
            let service = SystemTime::UNIX_EPOCH + Duration::from_secs(service);
            assert_eq!(ClockOffset::between(service, host).apply(host), service);
        }
    }

    #[test]
    fn a_refusal_that_the_clock_does_not_explain_changes_nothing() {
        let skew = Skew::default();
        let host = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        let second = Duration::from_secs(1);
        assert_eq!(skew.learn(host + second, host, skew.get()), Lesson::Known);
        assert!(skew.get().is_zero());

        assert_eq!(skew.learn(host + second * 60, host, skew.get()), Lesson::Learned);
        assert_eq!(skew.get().as_secs(), 60);
        // Another request, signed before that was known.
        let before = ClockOffset::default();
        assert_eq!(skew.learn(host + second * 60, host, before), Lesson::Learned);
        assert_eq!(skew.learn(host + second * 60, host, skew.get()), Lesson::Known);
        assert_eq!(skew.get().to_string(), "+60 s");
    }
    #[test]
    fn an_offset_of_more_than_a_day_is_ignored() {
        let (second, day) = (Duration::from_secs(1), ClockOffset::MAX);
        let host = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        for (service, expected) in [
            (host + day, Lesson::Learned),
            (host - day, Lesson::Learned),
            (host + day + second, Lesson::Ignored(ClockOffset(86_401))),
            (host - day - second, Lesson::Ignored(ClockOffset(-86_401))),
            (
                SystemTime::UNIX_EPOCH,
                Lesson::Ignored(ClockOffset(-1_700_000_000)),
            ),
        ] {
            let skew = Skew::default();
            assert_eq!(skew.learn(service, host, skew.get()), expected);
            assert_eq!(skew.get().is_zero(), expected != Lesson::Learned);
        }
    }
}
