//! `policy`: fraud limits for request events.

mod input;
mod replay;
mod summary;

use std::path::PathBuf;

use crate::exit::{Outcome, failed, usage};
use crate::policy_file;

use input::Input;
use replay::Replay;

/// What to do with a policy.
#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Replay the past through a policy: what it would have allowed and denied.
    Check(Args),
}

/// Arguments of `policy check`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The policy, in TOML.
    policy: PathBuf,
    #[command(flatten)]
    past: Past,
    /// Print the figures as JSON.
    #[arg(long)]
    json: bool,
}

/// What to replay. Lines may be out of order by up to an hour.
#[derive(clap::Args)]
#[group(required = true, multiple = false)]
struct Past {
    /// Call detail records of your account, as CSV; `-` reads standard input.
    #[arg(long, value_name = "FILE")]
    cdr: Option<PathBuf>,
    /// Callback events, a line of JSON each: the body as it was posted, and in `at` when it came;
    /// `-` reads standard input.
    #[arg(long, value_name = "FILE")]
    events: Option<PathBuf>,
}

impl Command {
    /// Whether the output is for scripts.
    pub(crate) fn json(&self) -> bool {
        let Self::Check(args) = self;
        args.json
    }
}

/// Runs the command. Exit code 2 for a policy or a line that cannot be read.
pub(crate) async fn run(command: Command) -> anyhow::Result<Outcome> {
    let Command::Check(args) = command;
    let (rules, policy) = policy_file::read(&args.policy)?;
    let mut input = match (&args.past.cdr, &args.past.events) {
        (Some(file), _) => Input::cdr(file)?,
        (None, Some(file)) => Input::events(file)?,
        // clap has made sure that one of them is there.
        (None, None) => return Err(usage("give --cdr FILE or --events FILE")),
    };
    let mut replay = Replay::new(policy);
    while let Some(steps) = input.next()? {
        for step in steps {
            replay.add(step).await.map_err(|error| input.at_line(&error))?;
        }
    }
    let past = replay.finish().await.map_err(failed)?;
    summary::print(&past, &rules, args.json)?;
    Ok(Outcome::Yes)
}
