//! `report`: report the code, or the caller id of a flash call.

use serde::Serialize;
use sinch_verify_protocol::method::ProofKind;
use sinch_verify_protocol::report::{Proof, Target as To};
use sinch_verify_protocol::{Cli, Code, Method, Report, ReportOutcome, Verification};

use crate::exit::{Outcome, usage};
use crate::methods::{Chosen, MethodArg};
use crate::print::note;
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
    /// Print the outcome as JSON: `outcome` is verified, refused or ended, beside it is the service's
    /// answer as `verification` or `error`.
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
            let found = client.status_by_reference(reference).await?;
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
    let outcome = client.report(report).await;
    let outcome = outcome.map_err(|error| {
        let told = chosen.failed_to("report", &error);
        anyhow::Error::new(error).context(told)
    })?;
    let answer = Answer::of(&outcome);
    let rows = answer.verification.map(view::verification).unwrap_or_default();
    view::print(&answer, args.json, rows)?;
    if let ReportOutcome::Refused { error, .. } = &outcome {
        match error {
            Some(error) => note!("refused: {error}"),
            None => note!("refused: the verification is still pending"),
        }
        note!("hint: the code is wrong, or the verification has ended: see `sinch-verify status`");
        if let Some(hint) = chosen.hint() {
            note!("hint: this was a report {hint}");
        }
    }
    Ok(if outcome.is_verified() {
        Outcome::Yes
    } else {
        Outcome::NotVerified
    })
}

/// What scripts get.
#[derive(Serialize)]
struct Answer<'a> {
    /// `verified`, `refused` or `ended`.
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    verification: Option<&'a Verification>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Refusal>,
}

/// The service's error, its text with digits masked.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Refusal {
    message: String,
    error_code: u32,
}

impl<'a> Answer<'a> {
    fn of(outcome: &'a ReportOutcome) -> Self {
        let (name, error) = match outcome {
            ReportOutcome::Verified(_) => ("verified", None),
            ReportOutcome::Refused { error, .. } => ("refused", error.as_ref()),
            ReportOutcome::Ended(_) => ("ended", None),
        };
        Self {
            outcome: name,
            verification: outcome.verification(),
            error: error.map(|error| Refusal {
                message: error.to_string(),
                error_code: error.code,
            }),
        }
    }
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
