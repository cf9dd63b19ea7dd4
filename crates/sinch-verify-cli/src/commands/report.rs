//! `report`: report the code, or the caller id of a flash call.

use anyhow::Context as _;
use sinch_verify_client::{Client, Error};
use sinch_verify_protocol::method::{Callout, FlashCall, Reportable, Sms, WhatsApp};
use sinch_verify_protocol::{Cli, Code, Method, PhoneNumber, Report, Verification, VerificationId};

use crate::exit::{Outcome, usage};
use crate::methods::{Chosen, MethodArg};
use crate::target::Target;
use crate::view;
use crate::which::{self, Which};

/// Arguments of `report`.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    which: which::Args,
    /// The verification's method. Left out, it is flashcall with `--cli`, what the service says of a
    /// `--reference`, and sms otherwise.
    #[arg(long, value_enum)]
    method: Option<MethodArg>,
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
    let (whom, found) = match args.which.which()? {
        Which::Id(id) => (Whom::Id(id), None),
        Which::Number(number) => (Whom::Number(number), None),
        // The service takes no report by reference, but tells whose it is.
        Which::Reference(reference) => {
            let found = client.status_by_reference(reference).await;
            let found = found.context("failed to find the verification")?;
            (Whom::Id(found.id), found.method)
        }
    };
    let chosen = match (args.method, found) {
        (None, Some(method)) => Chosen {
            method,
            assumed: false,
        },
        (None, None) if args.proof.cli.is_some() => Chosen::or(Some(MethodArg::FlashCall), Method::FlashCall),
        (given, _) => Chosen::or(given, Method::Sms),
    };
    let answer = match &chosen.method {
        Method::Sms => report::<Sms>(&client, whom, args.proof.code("sms")?).await,
        Method::FlashCall => report::<FlashCall>(&client, whom, args.proof.cli()?).await,
        Method::Callout => report::<Callout>(&client, whom, args.proof.code("callout")?).await,
        Method::WhatsApp => report::<WhatsApp>(&client, whom, args.proof.code("whatsapp")?).await,
        other => {
            return Err(usage(format!(
                "a verification by {other} takes no report: the device follows its address"
            )));
        }
    };
    let answer = answer.map_err(|error| {
        let told = chosen.failed_to("report", &error);
        anyhow::Error::new(error).context(told)
    })?;
    view::print(&answer, args.json, view::verification(&answer))?;
    Ok(Outcome::of(&answer))
}

impl Proof {
    fn code(&self, method: &str) -> anyhow::Result<Code> {
        let code = self.code.clone();
        code.ok_or_else(|| usage(format!("a verification by {method} takes --code")))
    }

    fn cli(&self) -> anyhow::Result<Cli> {
        let cli = self.cli.clone();
        cli.ok_or_else(|| usage("a verification by flashcall takes --cli"))
    }
}

/// Whom the service takes a report of.
enum Whom {
    Id(VerificationId),
    Number(PhoneNumber),
}

async fn report<M: Reportable>(client: &Client, whom: Whom, proof: M::Proof) -> Result<Verification, Error> {
    let report = match whom {
        Whom::Id(id) => Report::<M>::by_id(id, proof),
        Whom::Number(number) => Report::<M>::by_number(number, proof),
    };
    client.report(report).await
}
