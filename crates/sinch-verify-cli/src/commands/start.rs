//! `start`: start a verification.

use anyhow::Context as _;
use clap::builder::PossibleValuesParser;
use sinch_verify_client::Client;
use sinch_verify_protocol::method::{Callout, FlashCall, Seamless, Sms, VerifyMethod, WhatsApp};
use sinch_verify_protocol::start::StartResponse;
use sinch_verify_protocol::{AcceptLanguage, Custom, Method, PhoneNumber, Reference, Start};

use crate::exit::{Outcome, usage};
use crate::target::Target;
use crate::view;

/// Arguments of `start`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The number to verify, with `+` and country code.
    number: PhoneNumber,
    /// How to verify it.
    #[arg(long, default_value = "sms", value_parser = PossibleValuesParser::new(METHODS))]
    method: String,
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
    json: bool,
    #[command(flatten)]
    target: Target,
}

/// The methods that can be started from here.
pub(crate) const METHODS: [&str; 5] = ["sms", "flashcall", "callout", "seamless", "whatsapp"];

/// Runs the command.
pub(crate) async fn run(args: Args) -> anyhow::Result<Outcome> {
    let client = args.target.client()?;
    let answer = match Method::from(args.method.as_str()) {
        Method::Sms => start::<Sms>(&client, &args).await,
        Method::FlashCall => start::<FlashCall>(&client, &args).await,
        Method::Callout => start::<Callout>(&client, &args).await,
        Method::Seamless => start::<Seamless>(&client, &args).await,
        Method::WhatsApp => start::<WhatsApp>(&client, &args).await,
        other => return Err(usage(format!("method {other} cannot be started from here"))),
    }?;
    view::print(&answer, args.json, view::started(&answer));
    Ok(Outcome::Yes)
}

async fn start<M: VerifyMethod>(client: &Client, args: &Args) -> anyhow::Result<StartResponse> {
    let mut start = Start::<M>::new(args.number);
    if let Some(reference) = &args.reference {
        start = start.reference(reference.clone());
    }
    if let Some(custom) = &args.custom {
        start = start.custom(custom.clone());
    }
    if let Some(languages) = &args.language {
        start = start.languages(languages.clone());
    }
    let started = client
        .start(start)
        .await
        .context("failed to start the verification")?;
    Ok(started.into())
}
