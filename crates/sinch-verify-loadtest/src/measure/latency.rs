use std::time::Duration;

use hdrhistogram::Histogram;

/// The longest time told apart; longer ones count as this. An hour.
const LONGEST_US: u64 = 3_600_000_000;
/// Percentiles are exact to this many digits.
const DIGITS: u8 = 3;

/// A distribution of times: microseconds, percentiles exact to three digits, minimum, maximum and
/// mean exact.
///
/// ```
/// use std::time::Duration;
/// use sinch_verify_loadtest::measure::Latency;
///
/// let mut latency = Latency::default();
/// (1..=100).for_each(|ms| latency.record(Duration::from_millis(ms)));
/// assert_eq!(latency.percentile(50.0).as_millis(), 50);
/// assert_eq!(latency.max(), Duration::from_millis(100));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Latency {
    histogram: Histogram<u64>,
    sum_us: u128,
    min_us: u64,
    max_us: u64,
}

impl Default for Latency {
    #[expect(
        clippy::expect_used,
        reason = "bounds and digits are constants that the histogram takes"
    )]
    fn default() -> Self {
        Self {
            histogram: Histogram::new_with_bounds(1, LONGEST_US, DIGITS).expect("valid bounds"),
            sum_us: 0,
            min_us: u64::MAX,
            max_us: 0,
        }
    }
}

impl Latency {
    /// Counts `took`, rounded down to microseconds.
    pub fn record(&mut self, took: Duration) {
        let micros = u64::try_from(took.as_micros())
            .unwrap_or(u64::MAX)
            .min(LONGEST_US);
        self.histogram.saturating_record(micros);
        self.sum_us += u128::from(micros);
        self.min_us = self.min_us.min(micros);
        self.max_us = self.max_us.max(micros);
    }

    /// Adds the times of `other`, exactly.
    #[expect(
        clippy::expect_used,
        clippy::missing_panics_doc,
        reason = "both histograms have the same constant bounds"
    )]
    pub fn merge(&mut self, other: &Self) {
        self.histogram.add(&other.histogram).expect("the same bounds");
        self.sum_us += other.sum_us;
        self.min_us = self.min_us.min(other.min_us);
        self.max_us = self.max_us.max(other.max_us);
    }

    /// How many times were counted.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.histogram.len()
    }

    /// The time that `percent` of all are not above, 0 to 100; never above the maximum. Zero when
    /// nothing was counted.
    #[must_use]
    pub fn percentile(&self, percent: f64) -> Duration {
        let micros = self.histogram.value_at_percentile(percent);
        // The histogram gives the upper end of a bucket, which may lie above everything seen.
        Duration::from_micros(micros.min(self.max_us))
    }

    /// The shortest; zero when nothing was counted.
    #[must_use]
    pub fn min(&self) -> Duration {
        Duration::from_micros(self.min_us.min(self.max_us))
    }

    /// The longest; zero when nothing was counted.
    #[must_use]
    pub fn max(&self) -> Duration {
        Duration::from_micros(self.max_us)
    }

    /// The mean; zero when nothing was counted.
    #[must_use]
    pub fn mean(&self) -> Duration {
        let mean = self.sum_us.checked_div(u128::from(self.count())).unwrap_or(0);
        Duration::from_micros(u64::try_from(mean).unwrap_or(LONGEST_US))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(micros: impl IntoIterator<Item = u64>) -> Latency {
        let mut latency = Latency::default();
        micros
            .into_iter()
            .for_each(|micros| latency.record(Duration::from_micros(micros)));
        latency
    }

    fn close(got: Duration, want_us: u64) {
        let got = got.as_micros() as f64;
        let want = want_us as f64;
        assert!((got - want).abs() <= want / 1000.0, "{got} us, not {want} us");
    }

    #[test]
    fn percentiles_are_exact_to_three_digits() {
        let latency = of((1..=100_000).map(|n| n * 10));
        for (percent, want) in [(50.0, 500_000), (95.0, 950_000), (99.0, 990_000), (99.9, 999_000)] {
            close(latency.percentile(percent), want);
        }
        assert_eq!(latency.min(), Duration::from_micros(10));
        assert_eq!(latency.max(), Duration::from_secs(1));
        assert_eq!(latency.mean(), Duration::from_micros(500_005));
    }

    #[test]
    fn no_percentile_is_above_the_maximum() {
        let latency = of([1_234_567]);
        assert_eq!(latency.percentile(50.0), latency.max());
        assert_eq!(latency.percentile(100.0), latency.max());
    }

    #[test]
    fn nothing_counted_is_zero() {
        let latency = Latency::default();
        for got in [
            latency.min(),
            latency.max(),
            latency.mean(),
            latency.percentile(99.0),
        ] {
            assert_eq!(got, Duration::ZERO);
        }
    }

    #[test]
    fn times_beyond_the_range_are_kept_at_its_ends() {
        let latency = of([0, u64::MAX / 2]);
        assert_eq!(latency.count(), 2);
        assert_eq!(latency.min(), Duration::ZERO);
        assert_eq!(latency.max(), Duration::from_secs(3600));
    }

    #[test]
    fn merging_is_exact() {
        let times = |from: u64| (0..1000u64).map(move |n| (n * 7919 + from) % 5_000_000);
        let mut sum = of(times(1));
        sum.merge(&of(times(3)));
        assert_eq!(sum, of(times(1).chain(times(3))));
    }
}
