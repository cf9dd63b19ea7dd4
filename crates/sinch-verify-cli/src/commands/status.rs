//! `status`: ask for the status of a verification.

use anyhow::Context as _;
use clap::builder::PossibleValuesParser;
use sinch_verify_protocol::{Method, PhoneNumber, Reference, VerificationId};

use crate::commands::start::METHODS;
use crate::exit::{Outcome, usage};
use crate::target::Target;
use crate::view;

/// Arguments of `status`.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    which: Which,
    /// With `--number`: the verification's method.
    #[arg(long, default_value = "sms", value_parser = PossibleValuesParser::new(METHODS))]
    method: String,
    /// Print the service's answer as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    target: Target,
}

#[derive(clap::Args)]
#[group(required = true, multiple = false)]
struct Which {
    /// The verification's id.
    #[arg(long)]
    id: Option<VerificationId>,
    /// Your own name for the verification.
    #[arg(long)]
    reference: Option<Reference>,
    /// The number under verification.
    #[arg(long)]
    number: Option<PhoneNumber>,
}

/// Runs the command. The exit code is 0 whatever the status: it was asked and
/// answered.
pub(crate) async fn run(args: Args) -> anyhow::Result<Outcome> {
    let client = args.target.client()?;
    let answer = match args.which {
        Which { id: Some(id), .. } => client.status_by_id(id).await,
        Which {
            reference: Some(reference),
            ..
        } => client.status_by_reference(reference).await,
        Which {
            number: Some(number), ..
        } => {
            client
                .status_by_number(Method::from(args.method.as_str()), number)
                .await
        }
        // clap has made sure that one of them is there.
        Which { .. } => return Err(usage("give --id, --reference or --number")),
    };
    let answer = answer.context("failed to ask for the status")?;
    view::print(&answer, args.json, view::verification(&answer));
    Ok(Outcome::Yes)
}
