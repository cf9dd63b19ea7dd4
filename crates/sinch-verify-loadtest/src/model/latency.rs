use std::time::Duration;

use hdrhistogram::Histogram;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::packed::{LONGEST_US, Packed, empty};

/// A distribution of times: microseconds, percentiles exact to three digits, minimum, maximum and
/// mean exact.
///
/// As JSON it is an object with these figures, for readers, and the histogram itself, from which it
/// is read back without loss.
///
/// ```
/// use std::time::Duration;
/// use sinch_verify_loadtest::runfile::Latency;
///
/// let mut latency = Latency::default();
/// (1..=100).for_each(|ms| latency.record(Duration::from_millis(ms)));
/// assert_eq!(latency.percentile(50.0).as_millis(), 50);
/// assert_eq!(latency.max(), Duration::from_millis(100));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Latency {
    histogram: Histogram<u64>,
    sum_us: u64,
    min_us: u64,
    max_us: u64,
}

impl Default for Latency {
    fn default() -> Self {
        Self {
            histogram: empty(),
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
        self.sum_us = self.sum_us.saturating_add(micros);
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
        self.sum_us = self.sum_us.saturating_add(other.sum_us);
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
        Duration::from_micros(self.sum_us.checked_div(self.count()).unwrap_or(0))
    }

    /// The histogram alone, packed: a few hundred bytes in place of tens of kilobytes.
    #[must_use]
    pub fn pack(&self) -> Packed {
        Packed::new(&self.histogram)
    }

    pub(crate) fn histogram(&self) -> &Histogram<u64> {
        &self.histogram
    }

    /// How many times there are up to each of the values that differ, in order: microseconds and
    /// the part of all times that is not above them, 0 to 1. For plots.
    pub fn distribution(&self) -> impl Iterator<Item = (u64, f64)> {
        let all = self.count() as f64;
        let mut so_far = 0;
        self.histogram.iter_recorded().map(move |step| {
            so_far += step.count_since_last_iteration();
            (step.value_iterated_to().min(self.max_us), so_far as f64 / all)
        })
    }
}

/// The JSON form.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Form {
    count: u64,
    min_us: u64,
    mean_us: u64,
    p50_us: u64,
    p90_us: u64,
    p95_us: u64,
    p99_us: u64,
    p999_us: u64,
    max_us: u64,
    sum_us: u64,
    histogram: Packed,
}

impl Serialize for Latency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let percentile = |percent| self.histogram.value_at_percentile(percent).min(self.max_us);
        Form {
            count: self.count(),
            min_us: self.min_us.min(self.max_us),
            mean_us: self.sum_us.checked_div(self.count()).unwrap_or(0),
            p50_us: percentile(50.0),
            p90_us: percentile(90.0),
            p95_us: percentile(95.0),
            p99_us: percentile(99.0),
            p999_us: percentile(99.9),
            max_us: self.max_us,
            sum_us: self.sum_us,
            histogram: self.pack(),
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Latency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let form = Form::deserialize(deserializer)?;
        let histogram = form.histogram.unpack().map_err(D::Error::custom)?;
        if histogram.len() != form.count {
            return Err(D::Error::custom("the histogram does not hold `count` times"));
        }
        if form.count == 0 {
            return Ok(Self::default());
        }
        let same = |micros: u64, kept: u64| histogram.equivalent(micros, kept);
        if !same(form.min_us, histogram.min()) || !same(form.max_us, histogram.max()) {
            return Err(D::Error::custom(
                "the histogram does not end at `minUs` and `maxUs`",
            ));
        }
        Ok(Self {
            histogram,
            sum_us: form.sum_us,
            min_us: form.min_us,
            max_us: form.max_us,
        })
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
    fn reads_back_what_was_written() {
        for latency in [
            Latency::default(),
            of([0]),
            of([0, 1, 2, 5_000_000_000]),
            of((0..5000).map(|n| n * n)),
        ] {
            let json = serde_json::to_string(&latency).unwrap();
            let back: Latency = serde_json::from_str(&json).unwrap();
            assert_eq!(back, latency);
            assert_eq!(serde_json::to_string(&back).unwrap(), json);
        }
    }

    #[test]
    fn figures_that_contradict_the_histogram_are_refused() {
        let json = serde_json::to_value(of([1000, 2000])).unwrap();
        for (field, wrong) in [("count", 3), ("minUs", 900), ("maxUs", 2100)] {
            let mut json = json.clone();
            json[field] = wrong.into();
            assert!(serde_json::from_value::<Latency>(json).is_err(), "{field}");
        }
    }

    #[test]
    fn distribution_reaches_everything() {
        let latency = of([100, 200, 300, 400]);
        let points: Vec<_> = latency.distribution().collect();
        assert_eq!(points, [(100, 0.25), (200, 0.5), (300, 0.75), (400, 1.0)]);
        assert_eq!(Latency::default().distribution().count(), 0);
    }

    #[test]
    fn merging_is_exact() {
        let times = |from: u64| (0..1000u64).map(move |n| (n * 7919 + from) % 5_000_000);
        let mut sum = of(times(1));
        sum.merge(&of(times(3)));
        assert_eq!(sum, of(times(1).chain(times(3))));
    }
}
