//! `status`: ask for the status of a verification.

use anyhow::Context as _;
use clap::builder::PossibleValuesParser;
use sinch_verify_protocol::Method;

use crate::commands::start::METHODS;
use crate::exit::Outcome;
use crate::target::Target;
use crate::view;
use crate::which::{self, Which};

/// Arguments of `status`.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    which: which::Args,
    /// With `--number`: the verification's method.
    #[arg(long, default_value = "sms", value_parser = PossibleValuesParser::new(METHODS))]
    method: String,
    /// Print the service's answer as JSON.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    target: Target,
}

/// Runs the command. The exit code is 0 whatever the status: it was asked and
/// answered.
pub(crate) async fn run(args: Args) -> anyhow::Result<Outcome> {
    let client = args.target.client()?;
    let answer = match args.which.which()? {
        Which::Id(id) => client.status_by_id(id).await,
        Which::Reference(reference) => client.status_by_reference(reference).await,
        Which::Number(number) => {
            client
                .status_by_number(Method::from(args.method.as_str()), number)
                .await
        }
    };
    let answer = answer.context("failed to ask for the status")?;
    view::print(&answer, args.json, view::verification(&answer))?;
    Ok(Outcome::Yes)
}
