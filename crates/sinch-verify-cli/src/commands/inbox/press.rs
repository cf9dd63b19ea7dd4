//! `inbox press`: the keys of a phone.

use anyhow::Context as _;
use sinch_verify_protocol::{PhoneNumber, Verification, WireObject as _};

use crate::exit::Outcome;
use crate::phone::phone_path;
use crate::target::Address;
use crate::view;

/// Arguments of `inbox press`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The phone.
    number: PhoneNumber,
    /// The keys, such as `1` or the code that was spoken.
    digits: String,
    /// Print the verification as JSON.
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    address: Address,
}

/// Runs the command.
pub(super) async fn run(args: &Args) -> anyhow::Result<Outcome> {
    let control = args.address.emulator().await?;
    let path = format!("{}/keypad", phone_path(args.number));
    let keys = serde_json::json!({ "digits": args.digits });
    let answer = control.post(&path, &keys).await?;
    let verification = Verification::decode(&answer).context("the emulator's answer is not as expected")?;
    view::print(&verification, args.json, view::verification(&verification))?;
    Ok(Outcome::of(&verification))
}
