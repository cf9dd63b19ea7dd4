//! `inbox`: the emulator's phones, from a shell.

mod list;
mod press;
mod wait;

use crate::exit::Outcome;

/// Arguments of `inbox`.
#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    list: list::Args,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Print the code, the caller id or the address that reached a phone, and nothing else.
    ///
    /// Takes the newest message that is there, and says on stderr that it was; waits when there is
    /// none. Exit code 1 when nothing came.
    Wait(wait::Args),
    /// Press keys in a pending callout.
    Press(press::Args),
}

impl Args {
    /// Whether the output is for scripts.
    pub(crate) fn json(&self) -> bool {
        match &self.command {
            None => self.list.json,
            Some(Command::Wait(args)) => args.json,
            Some(Command::Press(args)) => args.json,
        }
    }
}

/// Runs the command.
pub(crate) async fn run(args: Args) -> anyhow::Result<Outcome> {
    match args.command {
        None => list::run(args.list).await,
        Some(Command::Wait(args)) => wait::run(args).await,
        Some(Command::Press(args)) => press::run(&args).await,
    }
}
