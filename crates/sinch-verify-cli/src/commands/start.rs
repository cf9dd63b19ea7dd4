//! `start`: start a verification.

use serde::Serialize;
use sinch_verify_client::Handle;
use sinch_verify_protocol::method::ProofKind;
use sinch_verify_protocol::start::StartResponse;
use sinch_verify_protocol::{AcceptLanguage, Custom, Method, Reference, Start};

use crate::exit::Outcome;
use crate::methods::MethodArg;
use crate::print::note;
use crate::target::{Address, Target};
use crate::typed_number::TypedNumber;
use crate::view;

/// Arguments of `start`.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    number: TypedNumber,
    /// How to verify it.
    #[arg(long, value_enum, default_value = "sms")]
    method: MethodArg,
    /// Your own name for this verification; unique per start.
    #[arg(long)]
    reference: Option<Reference>,
    /// Text of your own that every callback echoes.
    #[arg(long)]
    custom: Option<Custom>,
    /// The languages for an SMS, best first, such as `sv-SE,en;q=0.5`.
    #[arg(long, value_name = "LIST")]
    language: Option<AcceptLanguage>,
    /// Print the service's answer as JSON.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    target: Target,
}

/// Runs the command.
pub(crate) async fn run(args: Args) -> anyhow::Result<Outcome> {
    let number = args.number.read()?;
    let service = args.target.service()?;
    let MethodArg(method) = args.method;
    let mut start = Start::by(method, number);
    if let Some(reference) = &args.reference {
        start = start.reference(reference.clone());
    }
    if let Some(custom) = &args.custom {
        start = start.custom(custom.clone());
    }
    if let Some(languages) = &args.language {
        start = start.languages(languages.clone());
    }
    let handle = service.client.start(start).await;
    let handle = handle.map_err(|error| service.failed(error))?;
    if handle.found().is_some() {
        note!(
            "warning: the answer to the start was lost; the service has the verification, \
             but details such as the template of an SMS are missing"
        );
    }
    let reference = handle.reference().cloned();
    let next = next_command(&handle, args.target.address());
    let answer = StartResponse::from(handle);
    let mut rows = view::started(&answer);
    rows.extend(
        reference
            .as_ref()
            .map(|reference| ("reference", reference.to_string())),
    );
    let answer = Answer {
        // Should the service tell it one day, it is there already.
        reference: reference.filter(|_| answer.extra.get("reference").is_none()),
        answer,
    };
    view::print(&answer, args.json, rows)?;
    if !args.json {
        let address = args.target.address().repeated();
        if service.is_loopback() {
            note!("hint: `sinch-verify inbox wait {number}{address}` prints what reached the phone");
        }
        note!("hint: {next}");
    }
    Ok(Outcome::Yes)
}

/// The command that goes on with the verification.
fn next_command(handle: &Handle, address: &Address) -> String {
    let id = format!("{}{}", handle.id, address.repeated());
    let method = handle.method();
    match method.proof() {
        // `report` takes it for an SMS without `--method`.
        Some(ProofKind::Code) if *method == Method::Sms => {
            format!("report it with `sinch-verify report --id {id} --code CODE`")
        }
        Some(ProofKind::Code) => {
            format!("report it with `sinch-verify report --id {id} --method {method} --code CODE`")
        }
        Some(ProofKind::Cli) => format!("report it with `sinch-verify report --id {id} --cli CALLER_ID`"),
        _ => format!("open the address on the phone, then see `sinch-verify status --id {id}`"),
    }
}

/// The service's answer, and the reference that the start went out with: it may have been made up.
#[derive(Serialize)]
struct Answer {
    #[serde(flatten)]
    answer: StartResponse,
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<Reference>,
}
