use std::fmt;

/// So many samples must lie beyond a percentile before a verdict depends on it.
///
/// The p99 of 90 flows is the slowest of them, so a single late flow would decide. With five beyond it,
/// no four flows do. A larger number would keep short runs, such as the default of 450 flows, from most
/// verdicts.
const BEYOND: f64 = 5.0;

/// How many samples a verdict on this percentile needs: 10 for p50, 500 for p99, 5,000 for p99.9.
#[must_use]
pub(crate) fn samples_needed(percent: f64) -> u64 {
    (BEYOND * 100.0 / (100.0 - percent)).round() as u64
}

/// A percentile has too few samples for a verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooFew {
    /// How many there are.
    pub(crate) samples: u64,
    /// How many a verdict needs.
    pub(crate) needed: u64,
}

impl TooFew {
    /// Checks that `samples` are enough for a verdict on the percentile `percent`.
    ///
    /// # Errors
    ///
    /// When they are not.
    pub(crate) fn check(samples: u64, percent: f64) -> Result<(), Self> {
        let needed = samples_needed(percent);
        if samples < needed {
            return Err(Self { samples, needed });
        }
        Ok(())
    }
}

impl fmt::Display for TooFew {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} samples needed", self.samples, self.needed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_samples_lie_beyond_a_percentile() {
        for (percent, needed) in [
            (50.0, 10),
            (90.0, 50),
            (95.0, 100),
            (99.0, 500),
            (99.9, 5000),
            (99.99, 50_000),
        ] {
            assert_eq!(samples_needed(percent), needed, "p{percent}");
            assert_eq!(TooFew::check(needed, percent), Ok(()));
            let samples = needed - 1;
            assert_eq!(TooFew::check(samples, percent), Err(TooFew { samples, needed }));
        }
    }
}
