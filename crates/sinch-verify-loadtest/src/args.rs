//! The command line. Each group of flags has its file.

mod load;
mod merge;
mod output;
mod target;
mod threshold;

use clap::{Parser, Subcommand};
use sinch_verify_loadtest::Options;
use sinch_verify_loadtest::verdict::Thresholds;

use load::LoadArgs;
pub(crate) use merge::MergeArgs;
pub(crate) use output::OutputArgs;
use target::TargetArgs;
pub(crate) use threshold::ThresholdArgs;

/// Load on the whole Sinch Verification flow, and a verdict.
#[derive(Debug, Parser)]
#[command(name = "sinch-verify-load", version)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run complete verifications and report their latency.
    ///
    /// Exits with 0 when the run passed, 1 when it missed a threshold (without one about failures, no
    /// flow may fail), 2 on wrong usage, 3 when the load tester was the bottleneck or went wrong, 4
    /// when the run was ended before its time, and 5 when the target cannot be reached.
    Run(Box<RunArgs>),

    /// Add the shards of a run up, without loss, and judge them as one.
    ///
    /// Exits with 2 when a file is no run file, or one of another run, with 3 when a shard is
    /// missing, and otherwise as `run` does.
    Merge(MergeArgs),
}

#[derive(Debug, clap::Args)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub(crate) load: LoadArgs,
    #[command(flatten)]
    pub(crate) target: TargetArgs,
    #[command(flatten)]
    pub(crate) thresholds: ThresholdArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

impl RunArgs {
    /// What to run and what it has to keep, or what keeps it from being run.
    pub(crate) fn options(&self) -> Result<(Options, Thresholds), String> {
        let target = self.target.target()?;
        let mut options = self.load.options(target.is_some())?;
        options.target = target;
        let thresholds = self.thresholds.thresholds()?;
        let flows = options.flows();
        thresholds
            .fit(&flows)
            .map_err(|error| format!("a threshold: {error}"))?;
        Ok((options, thresholds))
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn command_is_consistent() {
        Args::command().debug_assert();
    }
}
