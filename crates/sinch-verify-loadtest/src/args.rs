//! The command line. Each group of flags has its file.

mod compare;
mod live;
mod load;
mod merge;
mod output;
mod target;
mod threshold;

use std::time::Duration;

use clap::{Parser, Subcommand};
use sinch_verify_loadtest::arrivals::Rate;
use sinch_verify_loadtest::destination::{LiveUrl, MockUrl};
use sinch_verify_loadtest::runfile::{Load, PhoneChoice};
use sinch_verify_loadtest::verdict::Thresholds;
use sinch_verify_loadtest::{Against, Options, Receiving};

pub(crate) use compare::CompareArgs;
use live::{LiveArgs, confirm};
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

    /// Show two runs beside each other, and whether the second is worse.
    ///
    /// Judged are the median and the 99th percentile end to end, the throughput and the error rate. Exits
    /// with 1 when one of them is worse by more than --worse, and with 2 when the runs cannot be compared.
    Compare(CompareArgs),
}

#[derive(Debug, clap::Args)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub(crate) load: LoadArgs,
    #[command(flatten)]
    pub(crate) target: TargetArgs,
    #[command(flatten)]
    pub(crate) live: Option<LiveArgs>,
    /// Prints the most that the run would do, and exits.
    #[arg(long)]
    pub(crate) plan: bool,
    #[command(flatten)]
    pub(crate) thresholds: ThresholdArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

/// What was asked for.
pub(crate) enum Asked {
    /// This run, which has to keep these thresholds.
    Run(Box<Options>, Thresholds),
    /// What it would do at most.
    Plan(String),
}

/// More flows than this are not under way in a live run, unless --users says so.
const LIVE_USERS: usize = 16;
/// How long flows of a live run may take when no more are started: what was paid for is seen through.
const LIVE_GRACE: Duration = Duration::from_secs(30);

impl RunArgs {
    /// What was asked for, or what keeps it from being run.
    pub(crate) fn asked(&self) -> Result<Asked, String> {
        let mut options = self.load.options(self.target.target.is_some())?;
        let thresholds = self.thresholds.thresholds()?;
        thresholds
            .fit(&options.flows())
            .map_err(|error| format!("a threshold: {error}"))?;
        match (&self.target.target, &self.live) {
            // Nothing is live without a target.
            (None, _) => {}
            (Some(base), None) => {
                let url = MockUrl::new(base.clone(), self.target.mock_host.as_ref())?;
                options.against = Against::Mock(self.target.service(url)?);
            }
            (Some(base), Some(live)) => {
                let service = self.target.service(LiveUrl::new(base.clone())?)?;
                if self.load.rate.is_none() && self.load.users.is_none() {
                    let per_second = live.max_rate.per_second();
                    let rate = Rate::Constant { per_second };
                    let users = LIVE_USERS;
                    options.load = Load::Open { rate, users };
                }
                options.grace = options.grace.max(LIVE_GRACE);
                if self.load.phone.is_none() {
                    // A real handset has no inbox to look into.
                    options.phone = match options.callbacks {
                        Receiving::At(_) => PhoneChoice::Callback,
                        Receiving::Off if options.code.is_some() => PhoneChoice::Fixed,
                        Receiving::Off => options.phone,
                    };
                }
                options.check()?;
                options.check_live()?;
                let plan = live.plan(service, &options)?;
                if self.plan {
                    return Ok(Asked::Plan(plan.to_string()));
                }
                options.against = Against::Live(confirm(plan)?);
            }
        }
        Ok(self.unless_planned(options, thresholds))
    }

    fn unless_planned(&self, options: Options, thresholds: Thresholds) -> Asked {
        if !self.plan {
            return Asked::Run(Box::new(options), thresholds);
        }
        Asked::Plan(format!(
            "{}: {} for {:?} against a mock, which costs nothing\n",
            options.scenario, options.load, options.duration
        ))
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
