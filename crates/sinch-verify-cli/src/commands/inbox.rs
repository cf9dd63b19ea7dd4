//! `inbox`: the emulator's phones, from a shell.

mod list;
mod message;
mod press;
mod wait;

use sinch_verify_protocol::PhoneNumber;

use crate::control::Control;
use crate::exit::{Outcome, usage};
use crate::target::Address;

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

impl Address {
    /// The emulator that is there.
    async fn emulator(&self) -> anyhow::Result<Control> {
        let no_emulator = |why: &str| {
            usage(format!(
                "{} {why}; only an emulator on this machine shows its phones",
                self.url
            ))
        };
        if !self.url.is_loopback() {
            return Err(no_emulator("is not this machine"));
        }
        let control = Control::at(&self.url)?;
        if control.info().await?.is_none() {
            return Err(no_emulator("is no emulator"));
        }
        Ok(control)
    }
}

/// Where a phone is in the control interface.
fn phone(number: &PhoneNumber) -> String {
    format!("/_emu/numbers/{}", number.digits())
}
