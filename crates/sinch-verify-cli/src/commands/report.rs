//! `report`: report the code, or the caller id of a flash call.

use serde::Serialize;
use sinch_verify_client::Client;
use sinch_verify_protocol::method::ProofKind;
use sinch_verify_protocol::report::{Proof, Target as To};
use sinch_verify_protocol::{ApiError, Cli, Code, Method, Report, ReportOutcome, Verification};

use crate::exit::{Outcome, usage};
use crate::failure::{print_error, refusal};
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
    #[arg(long, value_parser = Code::from_typed)]
    code: Option<Code>,
    /// The caller id of the flash call.
    #[arg(long)]
    cli: Option<Cli>,
}

/// Runs the command.
pub(crate) async fn run(args: Args) -> anyhow::Result<Outcome> {
    let service = args.target.service()?;
    let client = &service.client;
    let which = args.which.which()?;
    let (to, found) = match which.clone() {
        Which::Id(id) => (To::Id(id), None),
        Which::Number(number) => (To::Number(number), None),
        // The service takes no report by reference, but says whose it is.
        Which::Reference(reference) => {
            let found = client.status_by_reference(reference).await;
            let found = found.map_err(|error| {
                let failed = service.failed(error);
                failed.if_not_found(|| which.not_found(&Chosen::or(args.method, Method::Sms)))
            })?;
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
    let report = Report::new(to.clone(), &chosen.method, proof).map_err(usage)?;
    let outcome = client.report(report).await.map_err(|error| {
        let failed = service.failed(error);
        failed.if_not_found(|| which.not_found(&chosen))
    })?;
    let answer = Answer::of(&outcome);
    let rows = answer.verification.map(view::verification).unwrap_or_default();
    view::print(&answer, args.json, rows)?;
    match &outcome {
        ReportOutcome::Verified(_) => {}
        ReportOutcome::Refused { error, .. } => {
            // For a script, one request is enough.
            let now = if args.json {
                None
            } else {
                status(client, to, &chosen.method).await
            };
            explain(error.as_ref(), now.as_ref(), &chosen);
        }
        ReportOutcome::Ended(_) => note!("hint: {START_ANOTHER}"),
    }
    Ok(if outcome.is_verified() {
        Outcome::Yes
    } else {
        Outcome::NotVerified
    })
}

const START_ANOTHER: &str = "start a new verification with `sinch-verify start`";

/// The verification after a refused report, to say why; it is no proof of anything.
async fn status(client: &Client, to: To, method: &Method) -> Option<Verification> {
    let answer = match to {
        To::Id(id) => client.status_by_id(id).await,
        To::Number(number) => client.status_by_number(method.clone(), number).await,
        _ => return None,
    };
    answer.ok()
}

/// Prints why a report was refused, and what to do.
fn explain(error: Option<&ApiError>, now: Option<&Verification>, chosen: &Chosen) {
    let code = error.map(|error| format!(" ({}, errorCode {})", error.http_status().as_u16(), error.code));
    let code = code.unwrap_or_default();
    match now {
        Some(now) if now.method.as_ref().is_some_and(|method| *method != chosen.method) => {
            let (cause, method) = (error.map_or_else(String::new, refusal), now.method.as_ref());
            let method = method.map(ToString::to_string).unwrap_or_default();
            print_error(
                &format!("the service refused: {cause}{code}"),
                &[format!(
                    "the verification is by {method}, and the report was by {}; give --method {method}",
                    chosen.method
                )],
            );
        }
        Some(now) if now.status.is_final() => print_error(
            &format!("the verification has ended before: {}{code}", now.status),
            &[START_ANOTHER.to_owned()],
        ),
        Some(_) => {
            let what = chosen.method.proof().map_or("code", |proof| match proof {
                ProofKind::Cli => "caller id",
                _ => "code",
            });
            print_error(
                &format!("wrong {what}{code}"),
                &["the verification is still pending; report again, or start a new one".to_owned()],
            );
        }
        None => {
            let cause = error.map_or_else(|| "the verification is still pending".to_owned(), refusal);
            let mut hints = vec![
                "the code is wrong, or the verification has ended; `sinch-verify status` says which"
                    .to_owned(),
            ];
            hints.extend(chosen.hint());
            print_error(&format!("the service refused: {cause}{code}"), &hints);
        }
    }
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
            (None, _, Some(ProofKind::Code)) => Err(usage(format!(
                "a verification by {method} takes a code; give --code"
            ))),
            (_, None, Some(ProofKind::Cli)) => Err(usage(format!(
                "a verification by {method} takes the caller id of the call; give --cli"
            ))),
            (Some(code), ..) => Ok(code.into()),
            (None, Some(cli), _) => Ok(cli.into()),
            (None, None, _) => Err(usage("give --code or --cli")),
        }
    }
}
