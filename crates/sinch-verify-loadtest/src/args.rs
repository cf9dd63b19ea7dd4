//! The command line. Each group of flags has its file.

mod compare;
mod completions;
mod live;
mod load;
mod merge;
mod output;
mod target;
mod threshold;

use std::time::Duration;

use clap::{Parser, Subcommand};
use sinch_verify_loadtest::arrivals::Rate;
use sinch_verify_loadtest::runfile::{Load, PhoneChoice};
use sinch_verify_loadtest::safety::Destination;
use sinch_verify_loadtest::verdict::Thresholds;
use sinch_verify_loadtest::{Against, Options, Receiving};

pub(crate) use compare::CompareArgs;
pub(crate) use completions::CompletionsArgs;
use live::{LiveArgs, confirm};
use load::LoadArgs;
pub(crate) use merge::MergeArgs;
pub(crate) use output::OutputArgs;
use target::TargetArgs;
pub(crate) use threshold::ThresholdArgs;

/// Load-test complete Sinch verifications, with a verdict.
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
    /// Exit codes: 0 the run passed; 1 a threshold failed, or flows failed in a way that no threshold limits;
    /// 2 wrong usage; 3 the figures do not describe the target, because the load tester was the bottleneck or
    /// had an error, or because there are too few samples; 4 the run was ended early; 5 the target cannot be
    /// reached.
    Run(Box<RunArgs>),

    /// Add the shards of a run up, without loss, and judge them as one.
    ///
    /// Exit codes: 2 a file is not a run file, or of another run; 3 a shard is missing; otherwise those of
    /// `run`.
    Merge(MergeArgs),

    /// Show two runs beside each other, and whether the second is worse.
    ///
    /// Judged are the median and the 99th percentile end to end, the throughput and the error rate. Exit codes:
    /// 0 no metric is worse, 1 one is, 2 the runs cannot be compared.
    Compare(CompareArgs),

    /// Print a script that lets a shell complete this command.
    Completions(CompletionsArgs),
}

#[derive(Debug, clap::Args)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub(crate) load: LoadArgs,
    #[command(flatten)]
    pub(crate) target: TargetArgs,
    #[command(flatten)]
    pub(crate) live: LiveArgs,
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
        let elsewhere = self.target.elsewhere(self.live.live)?;
        let mut options = self.load.options(elsewhere.is_some())?;
        let thresholds = self.thresholds.thresholds()?;
        thresholds
            .fit(&options.flows())
            .map_err(|error| format!("a threshold: {error}"))?;
        let Some(service) = elsewhere else {
            return Ok(self.unless_planned(options, thresholds));
        };
        match service.url.clone() {
            Destination::Mock(url) => {
                options.against = Against::Mock(service.with_url(url));
            }
            Destination::Live(url) => {
                if self.load.rate.is_none() && self.load.users.is_none() {
                    let per_second = self.live.cap().per_second();
                    let rate = Rate::Constant { per_second };
                    let users = LIVE_USERS;
                    options.load = Load::Open { rate, users };
                }
                options.grace = options.grace.max(LIVE_GRACE);
                if self.load.phone.is_none() {
                    // Nobody can look into the inbox of a real handset.
                    options.phone = match options.callbacks {
                        Receiving::At(_) => PhoneChoice::Callback,
                        Receiving::Off if options.code.is_some() => PhoneChoice::Fixed,
                        Receiving::Off => options.phone,
                    };
                }
                options.check()?;
                let plan = self.live.plan(service.with_url(url), &options)?;
                if self.live.plan {
                    return Ok(Asked::Plan(plan.to_string()));
                }
                options.against = Against::Live(confirm(plan)?);
            }
        }
        Ok(self.unless_planned(options, thresholds))
    }

    fn unless_planned(&self, options: Options, thresholds: Thresholds) -> Asked {
        if !self.live.plan {
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
