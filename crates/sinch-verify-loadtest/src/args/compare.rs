//! Which runs are compared.

use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub(crate) struct CompareArgs {
    /// The run.json of the run to compare with.
    #[arg(value_name = "BEFORE")]
    pub(crate) before: PathBuf,

    /// The run.json of the run that must not be worse.
    #[arg(value_name = "AFTER")]
    pub(crate) after: PathBuf,

    /// How much worse a metric may be, such as 10%.
    #[arg(long, value_name = "PART", default_value = "10%", value_parser = part)]
    pub(crate) worse: f64,
}

fn part(text: &str) -> Result<f64, &'static str> {
    text.strip_suffix('%')
        .and_then(|number| number.trim().parse().ok())
        .filter(|percent: &f64| (0.0..=1000.0).contains(percent))
        .map(|percent| percent / 100.0)
        .ok_or("must be a part such as 10%, from 0% to 1000%")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_in_per_cent() {
        assert_eq!(part("10%"), Ok(0.1));
        assert_eq!(part("0 %"), Ok(0.0));
        for wrong in ["", "10", "0.1", "-1%", "NaN%", "1001%", "%"] {
            assert!(part(wrong).is_err(), "{wrong}");
        }
    }
}
