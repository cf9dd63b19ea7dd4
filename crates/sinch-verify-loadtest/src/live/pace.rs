//! How fast a live run may start verifications.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;
use std::time::{Duration, Instant};

/// The most starts per second of a live run.
///
/// ```
/// use sinch_verify_loadtest::live::RateCap;
///
/// let cap: RateCap = "0.5/s".parse()?;
/// assert_eq!(cap.interval().as_secs(), 2);
/// # Ok::<(), &'static str>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RateCap {
    per_second: f64,
}

impl RateCap {
    /// No live run is faster than this.
    pub const MOST: f64 = 100.0;

    /// How many per second.
    #[must_use]
    pub fn per_second(self) -> f64 {
        self.per_second
    }

    /// The time from one start to the next, rounded up: a cap of 3/s is never four in a second.
    #[must_use]
    pub fn interval(self) -> Duration {
        Duration::from_nanos((1e9 / self.per_second).ceil() as u64)
    }

    /// How many starts there can be within `time`, the first of them at its beginning.
    #[must_use]
    pub fn most_in(self, time: Duration) -> u64 {
        let most = time.as_nanos().div_ceil(self.interval().as_nanos());
        u64::try_from(most).unwrap_or(u64::MAX)
    }

    /// What each of `shards` may do.
    #[must_use]
    pub fn shard(self, shards: NonZeroU32) -> Self {
        let per_second = self.per_second / f64::from(shards.get());
        Self { per_second }
    }
}

/// One per second.
impl Default for RateCap {
    fn default() -> Self {
        Self { per_second: 1.0 }
    }
}

impl FromStr for RateCap {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        text.strip_suffix("/s")
            .and_then(|number| number.parse().ok())
            .filter(|rate: &f64| (0.001..=Self::MOST).contains(rate))
            .map(|per_second| Self { per_second })
            .ok_or("must be a rate such as 1/s, from 0.001/s to 100/s")
    }
}

impl fmt::Display for RateCap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/s", self.per_second)
    }
}

/// Gives out moments that are an interval apart.
#[derive(Debug)]
pub struct Pace {
    interval: Duration,
    next: Option<Instant>,
}

impl Pace {
    /// As fast as `cap` allows.
    #[must_use]
    pub fn new(cap: RateCap) -> Self {
        Self {
            interval: cap.interval(),
            next: None,
        }
    }

    /// When the caller, who comes `now`, may go. Time that nobody used is not made up for.
    pub fn slot(&mut self, now: Instant) -> Instant {
        let slot = self.next.map_or(now, |next| next.max(now));
        self.next = Some(slot + self.interval);
        slot
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn caps_are_read() {
        for (text, interval) in [("1/s", 1000), ("0.5/s", 2000), ("20/s", 50)] {
            let cap: RateCap = text.parse().unwrap();
            assert_eq!(cap.interval(), Duration::from_millis(interval));
            assert_eq!(cap.to_string(), text);
        }
        for wrong in ["", "1", "0/s", "-1/s", "101/s", "inf/s", "NaN/s", "1/m"] {
            assert!(wrong.parse::<RateCap>().is_err(), "{wrong}");
        }
        for (cap, seconds, most) in [("2/s", 5, 10), ("3/s", 1, 3), ("0.5/s", 5, 3), ("100/s", 0, 0)] {
            let cap: RateCap = cap.parse().unwrap();
            assert_eq!(cap.most_in(Duration::from_secs(seconds)), most);
        }
        let four = NonZeroU32::new(4).unwrap();
        assert_eq!(RateCap::default().shard(four).interval(), Duration::from_secs(4));
    }

    #[test]
    fn slots_are_an_interval_apart_and_not_made_up_for() {
        let begin = Instant::now();
        let at = |ms| begin + Duration::from_millis(ms);
        let mut pace = Pace::new(RateCap::default());
        assert_eq!(pace.slot(at(0)), at(0));
        assert_eq!(pace.slot(at(1)), at(1000));
        assert_eq!(pace.slot(at(2)), at(2000));
        // After a pause, one may go at once, and only one.
        assert_eq!(pace.slot(at(9000)), at(9000));
        assert_eq!(pace.slot(at(9001)), at(10_000));
    }
}
