//! How fast a live run starts verifications.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::{Instant, sleep_until};

use crate::model::{Rate, Shard};

/// The most starts per second of a live run: 0.001 to 100, 1 by default.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct MaxRate(f64);

impl MaxRate {
    /// Starts per second.
    #[must_use]
    pub(crate) fn per_second(self) -> f64 {
        self.0
    }

    /// The least time between two starts, rounded up: at 3/s, no second has four starts.
    #[must_use]
    pub(crate) fn interval(self) -> Duration {
        Duration::from_nanos((1e9 / self.0).ceil() as u64)
    }

    /// The most starts within `duration`. The first may be at its beginning.
    #[must_use]
    pub(crate) fn most_in(self, duration: Duration) -> u64 {
        let most = duration.as_nanos().div_ceil(self.interval().as_nanos());
        u64::try_from(most).unwrap_or(u64::MAX)
    }

    /// The rate of one shard of a run.
    #[must_use]
    pub(crate) fn of_shard(self, shard: Shard) -> Self {
        Self(self.0 / shard.of() as f64)
    }
}

impl Default for MaxRate {
    fn default() -> Self {
        Self(1.0)
    }
}

impl FromStr for MaxRate {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        match text.parse() {
            Ok(Rate::Constant { per_second }) if (0.001..=100.0).contains(&per_second) => {
                Ok(Self(per_second))
            }
            _ => Err("must be a rate from 0.001/s to 100/s, such as 1/s"),
        }
    }
}

impl fmt::Display for MaxRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/s", self.0)
    }
}

/// Gives out turns that are at least an interval apart, in the order in which starts ask for them.
#[derive(Debug)]
pub(super) struct Pace {
    interval: Duration,
    /// When the next start may be sent. The lock admits waiters in order.
    next: Mutex<Instant>,
}

impl Pace {
    pub(super) fn new(rate: MaxRate) -> Self {
        Self {
            interval: rate.interval(),
            next: Mutex::new(Instant::now()),
        }
    }

    /// Waits until one more start may be sent. Unused time does not add up to a burst.
    pub(super) async fn turn(&self) {
        let mut next = self.next.lock().await;
        let turn = Instant::now().max(*next);
        sleep_until(turn).await;
        // From the turn, not from now: timers wake late, and a schedule at the same rate must not fall
        // behind by a little more with every flow.
        *next = turn + self.interval;
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future as _;
    use std::pin::pin;
    use std::task::{Context, Waker};

    use super::*;

    #[test]
    fn rates_have_a_range_and_a_bound() {
        for (text, interval) in [("1/s", 1000), ("0.5/s", 2000), ("20/s", 50)] {
            let rate: MaxRate = text.parse().unwrap();
            assert_eq!(rate.interval(), Duration::from_millis(interval));
            assert_eq!(rate.to_string(), text);
        }
        for wrong in [
            "",
            "1",
            "0/s",
            "-1/s",
            "101/s",
            "inf/s",
            "NaN/s",
            "poisson:1/s",
            "1/s..2/s",
        ] {
            assert!(wrong.parse::<MaxRate>().is_err(), "{wrong}");
        }
        for (rate, seconds, most) in [("2/s", 5, 10), ("3/s", 1, 3), ("0.5/s", 5, 3), ("100/s", 0, 0)] {
            let rate: MaxRate = rate.parse().unwrap();
            assert_eq!(rate.most_in(Duration::from_secs(seconds)), most);
        }
        let quarter = MaxRate::default().of_shard("3/4".parse().unwrap());
        assert_eq!(quarter.interval(), Duration::from_secs(4));
    }

    #[tokio::test(start_paused = true)]
    async fn turns_are_an_interval_apart_and_unused_time_is_no_burst() {
        let pace = Pace::new(MaxRate::default());
        let began = Instant::now();
        let mut turns = Vec::new();
        for pause in [0, 0, 0, 9500, 0, 300] {
            tokio::time::sleep(Duration::from_millis(pause)).await;
            pace.turn().await;
            turns.push(began.elapsed().as_millis());
        }
        assert_eq!(turns, [0, 1000, 2000, 11_500, 12_500, 13_500]);
    }

    #[tokio::test(start_paused = true)]
    async fn late_timers_do_not_add_up() {
        // Tokio's timers wake up to a millisecond late, here two thirds of one.
        let pace = Pace::new("3/s".parse().unwrap());
        let began = Instant::now();
        for _ in 0..=30 {
            pace.turn().await;
        }
        assert!(
            began.elapsed() < Duration::from_millis(10_005),
            "{:?}",
            began.elapsed()
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_that_is_given_up_uses_no_turn() {
        let pace = Pace::new(MaxRate::default());
        let began = Instant::now();
        pace.turn().await;
        {
            let mut given_up = pin!(pace.turn());
            let mut context = Context::from_waker(Waker::noop());
            assert!(given_up.as_mut().poll(&mut context).is_pending());
        }
        pace.turn().await;
        assert_eq!(began.elapsed(), Duration::from_secs(1));
    }
}
