//! The runs to compare.

use std::path::PathBuf;
use std::time::Duration;

use sinch_verify_protocol::duration;

use crate::compare::Tolerance;

#[derive(Debug, clap::Args)]
pub(crate) struct CompareArgs {
    /// The run.json of the run to compare with.
    #[arg(value_name = "BEFORE")]
    pub(crate) before: PathBuf,

    /// The run.json of the run that must not be worse.
    #[arg(value_name = "AFTER")]
    pub(crate) after: PathBuf,

    /// How much worse a metric may become, relative to the first run.
    #[arg(long, value_name = "PERCENT", default_value = "10%", value_parser = part)]
    worse: f64,

    /// How much longer a time may become, whatever --worse says: between runs of the same code, times
    /// differ by about this much.
    #[arg(long, value_name = "DURATION", default_value = "1ms", value_parser = duration::parse)]
    noise: Duration,
}

impl CompareArgs {
    pub(crate) fn tolerance(&self) -> Tolerance {
        Tolerance {
            part: self.worse,
            time: self.noise,
        }
    }
}

fn part(text: &str) -> Result<f64, &'static str> {
    text.strip_suffix('%')
        .and_then(|number| number.trim().parse().ok())
        .filter(|percent: &f64| (0.0..=1000.0).contains(percent))
        .map(|percent| percent / 100.0)
        .ok_or("must be a percentage such as 10%, from 0% to 1000%")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_percentages() {
        assert_eq!(part("10%"), Ok(0.1));
        assert_eq!(part("0 %"), Ok(0.0));
        for wrong in ["", "10", "0.1", "-1%", "NaN%", "1001%", "%"] {
            assert!(part(wrong).is_err(), "{wrong}");
        }
    }
}
