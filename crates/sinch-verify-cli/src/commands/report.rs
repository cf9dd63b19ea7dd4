//! `report`: report the code, or the caller id of a flash call.

use anyhow::Context as _;
use sinch_verify_protocol::method::ProofKind;
use sinch_verify_protocol::report::{Proof, Target as To};
use sinch_verify_protocol::{Cli, Code, Method, Report};

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
    proof: ProofArgs,
    /// Print the service's answer as JSON.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    target: Target,
}

#[derive(clap::Args)]
#[group(required = true, multiple = false)]
struct ProofArgs {
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
    let (to, found) = match args.which.which()? {
        Which::Id(id) => (To::Id(id), None),
        Which::Number(number) => (To::Number(number), None),
        // The service takes no report by reference, but tells whose it is.
        Which::Reference(reference) => {
            let found = client.status_by_reference(reference).await;
            let found = found.context("failed to find the verification")?;
            (To::Id(found.id), found.method)
        }
    };
    let chosen = match (args.method, found) {
        (None, Some(method)) => Chosen {
            method,
            assumed: false,
        },
        (None, None) if args.proof.cli.is_some() => Chosen {
            method: Method::FlashCall,
            assumed: false,
        },
        (given, _) => Chosen::or(given, Method::Sms),
    };
    let proof = args.proof.of(&chosen.method)?;
    let report = Report::new(to, &chosen.method, proof).map_err(|error| usage(error.to_string()))?;
    let answer = client.report(report).await;
    let answer = answer.map_err(|error| {
        let told = chosen.failed_to("report", &error);
        anyhow::Error::new(error).context(told)
    })?;
    view::print(&answer, args.json, view::verification(&answer))?;
    Ok(Outcome::of(&answer))
}

impl ProofArgs {
    /// The proof that was given, which may be one that the method does not take.
    fn of(self, method: &Method) -> anyhow::Result<Proof> {
        match (self.code, self.cli, method.proof()) {
            (None, _, Some(ProofKind::Code)) => {
                Err(usage(format!("a verification by {method} takes --code")))
            }
            (_, None, Some(ProofKind::Cli)) => Err(usage(format!("a verification by {method} takes --cli"))),
            (Some(code), ..) => Ok(code.into()),
            (None, Some(cli), _) => Ok(cli.into()),
            (None, None, _) => Err(usage("give --code or --cli")),
        }
    }
}
