//! `reset`: an emulator as it was at its start.

use serde_json::json as value;

use crate::exit::Outcome;
use crate::target::Address;

/// Arguments of `reset`.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    address: Address,
}

/// Runs the command.
pub(crate) async fn run(args: Args) -> anyhow::Result<Outcome> {
    let control = args.address.emulator().await?;
    control.post("/_emu/reset", &value!({})).await?;
    Ok(Outcome::Yes)
}
