//! `requests`: what the emulator's API was asked, and how it answered.

use sinch_verify_protocol::ApplicationKey;

use crate::control::path;
use crate::exit::Outcome;
use crate::listing::{Listing, print_object};
use crate::table::Column::{Value, Words};
use crate::target::EmulatorArgs;

const REQUESTS: Listing = Listing {
    name: "requests",
    columns: &[
        (Value("seq"), "/seq"),
        (Value("time"), "/at"),
        (Value("operation"), "/operation"),
        (Value("path"), "/path"),
        (Value("authorization"), "/authorization"),
        (Value("status"), "/status"),
        (Words("verdict"), "/verdict"),
        (Value("verification"), "/verificationId"),
    ],
    empty: "no request has come yet",
};

/// Arguments of `requests`.
#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    list: ListArgs,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Show one request: its headers and body, its answer, and the mistake in its signature.
    Show(ShowArgs),
}

#[derive(clap::Args)]
#[group(skip)]
struct ListArgs {
    /// Requests of this application only.
    #[arg(long, value_name = "KEY")]
    application: Option<ApplicationKey>,
    /// Requests that were answered with this HTTP status only.
    #[arg(long, value_name = "STATUS")]
    status: Option<u16>,
    /// How many, newest first.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=1000))]
    limit: u16,
    #[command(flatten)]
    emulator: EmulatorArgs,
}

#[derive(clap::Args)]
struct ShowArgs {
    /// The number of the request.
    seq: u64,
    #[command(flatten)]
    emulator: EmulatorArgs,
}

impl Args {
    /// Whether the output is for scripts.
    pub(crate) fn json(&self) -> bool {
        match &self.command {
            None => self.list.emulator.json,
            Some(Command::Show(args)) => args.emulator.json,
        }
    }
}

/// Runs the command.
pub(crate) async fn run(args: Args) -> anyhow::Result<Outcome> {
    match args.command {
        None => {
            let ListArgs {
                application,
                status,
                limit,
                emulator,
            } = args.list;
            let path = path(
                "/_emu/requests",
                &[
                    ("limit", Some(limit.to_string())),
                    ("application", application.map(|key| key.to_string())),
                    ("status", status.map(|status| status.to_string())),
                ],
            );
            REQUESTS
                .print(&emulator.connect().await?, &path, emulator.json)
                .await?;
        }
        Some(Command::Show(ShowArgs { seq, emulator })) => {
            let control = emulator.connect().await?;
            let request = control.get(&format!("/_emu/requests/{seq}")).await?;
            print_object(&request, emulator.json)?;
        }
    }
    Ok(Outcome::Yes)
}
