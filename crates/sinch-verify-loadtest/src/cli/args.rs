//! The command line. Each group of flags has its file.

mod compare;
mod completions;
mod live;
mod load;
mod man;
mod merge;
mod output;
mod target;
mod threshold;

use std::time::Duration;

use crate::destination::{LiveUrl, MockUrl};
use crate::engine::{Against, Options, Receiving};
use crate::model::{Load, PhoneChoice, Rate};
use crate::scenario::Registry;
use crate::verdict::Thresholds;
use clap::{ColorChoice, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

pub(crate) use compare::CompareArgs;
pub(crate) use completions::CompletionsArgs;
use live::{LiveArgs, confirm};
use load::LoadArgs;
pub(crate) use man::ManArgs;
pub(crate) use merge::MergeArgs;
pub(crate) use output::OutputArgs;
use target::TargetArgs;
pub(crate) use threshold::ThresholdArgs;

/// Load-test complete Sinch verifications, with a verdict.
#[derive(Debug, Parser)]
#[command(name = "sinch-verify-load", version)]
pub(crate) struct Args {
    /// When to use colours. `auto` leaves them out where the output is no terminal, or NO_COLOR is set.
    #[arg(
        long,
        global = true,
        value_enum,
        value_name = "WHEN",
        default_value = "auto",
        display_order = 1000
    )]
    pub(crate) color: ColorChoice,
    #[command(subcommand)]
    pub(crate) command: Command,
}

impl Args {
    /// Reads the command line of this process, for a program with these scenarios. Wrong usage ends the
    /// process.
    pub(crate) fn read(registry: &Registry) -> Self {
        let command = Self::command().mut_subcommand("run", |run| {
            run.mut_arg("scenario", |scenario| {
                let help = format!(
                    "What every user does over and over: {} [default: {}]",
                    registry.names().join(", "),
                    registry.first()
                );
                scenario.help(help)
            })
        });
        let matches = command.get_matches();
        Self::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
    }
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

    /// Write manual pages.
    Man(ManArgs),
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
    pub(crate) fn asked(&self, registry: &Registry) -> Result<Asked, String> {
        let workload = self.load.workload(registry)?;
        let thresholds = self.thresholds.thresholds()?;
        thresholds
            .fit(&workload.names(), workload.own_steps().as_deref())
            .map_err(|error| format!("a threshold: {error}"))?;
        let own_target = workload.target()?;
        let elsewhere = self.target.target.is_some() || own_target.is_some();
        let mut options = self.load.options(workload, elsewhere)?;
        match (&self.target.target, &self.live) {
            // Nothing is live without a target.
            (None, _) => {
                if let Some(service) = own_target {
                    options.against = Against::Mock(service);
                }
            }
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
            options.workload.name(),
            options.load,
            options.duration
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn command_is_consistent() {
        Args::command().debug_assert();
    }
}
