//! `report`: report the code, or the caller id of a flash call.

use anyhow::Context as _;
use clap::builder::PossibleValuesParser;
use sinch_verify_client::Client;
use sinch_verify_protocol::method::{Callout, FlashCall, Reportable, Sms, WhatsApp};
use sinch_verify_protocol::{Cli, Code, Method, Report, Verification};

use crate::exit::{Outcome, usage};
use crate::target::Target;
use crate::view;
use crate::which::{self, Which};

/// Arguments of `report`.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    which: which::Args,
    /// The verification's method.
    #[arg(long, default_value = "sms", value_parser = PossibleValuesParser::new(["sms", "flashcall", "callout", "whatsapp"]))]
    method: String,
    #[command(flatten)]
    proof: Proof,
    /// Print the service's answer as JSON.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    target: Target,
}

#[derive(clap::Args)]
#[group(required = true, multiple = false)]
struct Proof {
    /// The code of the SMS, the call or the WhatsApp message.
    #[arg(long)]
    code: Option<Code>,
    /// The caller id of the flash call.
    #[arg(long)]
    cli: Option<Cli>,
}

/// Runs the command.
pub(crate) async fn run(args: Args) -> anyhow::Result<Outcome> {
    let client = args.target.client()?;
    let which = args.which.which()?;
    let code = || {
        args.proof
            .code
            .clone()
            .ok_or_else(|| usage(format!("--method {} takes --code", args.method)))
    };
    let answer = match Method::from(args.method.as_str()) {
        Method::FlashCall => {
            let cli = args
                .proof
                .cli
                .clone()
                .ok_or_else(|| usage("--method flashcall takes --cli"))?;
            report::<FlashCall>(&client, which, cli).await
        }
        Method::Callout => report::<Callout>(&client, which, code()?).await,
        Method::WhatsApp => report::<WhatsApp>(&client, which, code()?).await,
        _ => report::<Sms>(&client, which, code()?).await,
    }?;
    view::print(&answer, args.json, view::verification(&answer))?;
    Ok(Outcome::of(&answer))
}

async fn report<M: Reportable>(
    client: &Client,
    which: Which,
    proof: M::Proof,
) -> anyhow::Result<Verification> {
    let report = match which {
        Which::Id(id) => Report::<M>::by_id(id, proof),
        Which::Number(number) => Report::<M>::by_number(number, proof),
        // The service takes no report by reference, but tells whose it is.
        Which::Reference(reference) => {
            let found = client.status_by_reference(reference).await;
            Report::<M>::by_id(found.context("failed to find the verification")?.id, proof)
        }
    };
    client.report(report).await.context("failed to report")
}
