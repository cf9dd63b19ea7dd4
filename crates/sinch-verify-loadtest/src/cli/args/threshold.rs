//! The limits on a run.

use std::fs;
use std::path::PathBuf;

use crate::verdict::{Threshold, Thresholds};

#[derive(Debug, clap::Args)]
pub(crate) struct ThresholdArgs {
    /// A limit on the run, such as `e2e.p99<250ms`, `sms.start.p50<20ms`, `error-rate<0.1%`,
    /// `throughput>=95/s` or `dropped=0`. A percentile needs samples: p99 500, p50 10. May be repeated.
    #[arg(long = "threshold", value_name = "LIMIT")]
    threshold: Vec<Threshold>,

    /// A TOML file of such limits: `e2e.p99 = "< 250ms"`, and those of one flow under `[sms]`.
    #[arg(long = "thresholds", value_name = "FILE")]
    file: Option<PathBuf>,
}

impl ThresholdArgs {
    /// All limits, or what is wrong with the file.
    pub(crate) fn thresholds(&self) -> Result<Thresholds, String> {
        let mut thresholds = Thresholds::default();
        if let Some(path) = &self.file {
            let wrong = |error: &dyn std::fmt::Display| format!("--thresholds {}: {error}", path.display());
            let text = fs::read_to_string(path).map_err(|error| wrong(&error))?;
            thresholds = text.parse().map_err(|error| wrong(&error))?;
        }
        self.threshold
            .iter()
            .cloned()
            .for_each(|one| thresholds.push(one));
        Ok(thresholds)
    }
}
