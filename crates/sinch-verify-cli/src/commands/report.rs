//! `report`: report the code, or the caller id of a flash call.

use anyhow::Context as _;
use clap::builder::PossibleValuesParser;
use sinch_verify_client::Client;
use sinch_verify_protocol::method::{Callout, FlashCall, Reportable, Sms, WhatsApp};
use sinch_verify_protocol::{Cli, Code, Method, PhoneNumber, Report, Verification, VerificationId};

use crate::exit::{Outcome, usage};
use crate::target::Target;
use crate::view;

/// Arguments of `report`.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    which: Which,
    /// The verification's method.
    #[arg(long, default_value = "sms", value_parser = PossibleValuesParser::new(["sms", "flashcall", "callout", "whatsapp"]))]
    method: String,
    #[command(flatten)]
    proof: Proof,
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
    /// The number under verification.
    #[arg(long)]
    number: Option<PhoneNumber>,
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
            report::<FlashCall>(&client, &args.which, cli).await
        }
        Method::Callout => report::<Callout>(&client, &args.which, code()?).await,
        Method::WhatsApp => report::<WhatsApp>(&client, &args.which, code()?).await,
        _ => report::<Sms>(&client, &args.which, code()?).await,
    }?;
    view::print(&answer, args.json, view::verification(&answer));
    Ok(answer.is_successful().into())
}

async fn report<M: Reportable>(
    client: &Client,
    which: &Which,
    proof: M::Proof,
) -> anyhow::Result<Verification> {
    let report = match which {
        Which { id: Some(id), .. } => Report::<M>::by_id(id.clone(), proof),
        Which {
            number: Some(number), ..
        } => Report::<M>::by_number(*number, proof),
        // clap has made sure that one of them is there.
        Which {
            id: None,
            number: None,
        } => return Err(usage("give --id or --number")),
    };
    client.report(report).await.context("failed to report")
}
