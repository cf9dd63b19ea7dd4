//! `deliveries`: callbacks that the emulator posted, and how they were answered.

use serde_json::{Value, json as value};
use sinch_verify_protocol::{ApplicationKey, VerificationId};

use crate::control::path;
use crate::exit::{Outcome, failed};
use crate::listing::{Listing, print_object};
use crate::table::Column;
use crate::target::EmulatorArgs;

const DELIVERIES: Listing = Listing {
    name: "deliveries",
    columns: &[
        (Column::Value("seq"), "/seq"),
        (Column::Value("time"), "/at"),
        (Column::Value("event"), "/event"),
        (Column::Value("try"), "/attempt"),
        (Column::Value("url"), "/url"),
        (Column::Value("status"), "/status"),
        (Column::Value("ok"), "/ok"),
        (Column::Words("verdict"), "/verdict"),
        (Column::Value("verification"), "/verificationId"),
    ],
    empty: "no callback was posted yet",
};

/// Arguments of `deliveries`.
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
    /// Show one delivery: what was posted, and the answer.
    Show(ShowArgs),
    /// Post a delivery again. Exit code 1 when the answer is not the required one.
    Replay(ReplayArgs),
}

#[derive(clap::Args)]
#[group(skip)]
struct ListArgs {
    /// Deliveries for this verification only.
    #[arg(long, value_name = "ID")]
    verification: Option<VerificationId>,
    /// Deliveries to this application only.
    #[arg(long, value_name = "KEY")]
    application: Option<ApplicationKey>,
    /// How many, newest first.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=1000))]
    limit: u16,
    #[command(flatten)]
    emulator: EmulatorArgs,
}

#[derive(clap::Args)]
struct ShowArgs {
    /// The number of the delivery.
    seq: u64,
    #[command(flatten)]
    emulator: EmulatorArgs,
}

#[derive(clap::Args)]
struct ReplayArgs {
    /// The number of the delivery.
    seq: u64,
    /// How: `same`, `duplicate`, `reordered`, or changed so that it must be refused, such as `stale` or
    /// `forged`. The field `replays` of `GET /_emu/info` lists all.
    #[arg(long = "as", value_name = "KIND", default_value = "same")]
    kind: String,
    #[command(flatten)]
    emulator: EmulatorArgs,
}

impl Args {
    /// Whether the output is for scripts.
    pub(crate) fn json(&self) -> bool {
        match &self.command {
            None => self.list.emulator.json,
            Some(Command::Show(args)) => args.emulator.json,
            Some(Command::Replay(args)) => args.emulator.json,
        }
    }
}

/// Runs the command.
pub(crate) async fn run(args: Args) -> anyhow::Result<Outcome> {
    match args.command {
        None => list(args.list).await,
        Some(Command::Show(args)) => show(args).await,
        Some(Command::Replay(args)) => replay(args).await,
    }
}

async fn list(args: ListArgs) -> anyhow::Result<Outcome> {
    let path = path(
        "/_emu/deliveries",
        &[
            ("limit", Some(args.limit.to_string())),
            ("verification", args.verification.map(|id| id.as_str().to_owned())),
            ("application", args.application.map(|key| key.to_string())),
        ],
    );
    let control = args.emulator.connect().await?;
    DELIVERIES.print(&control, &path, args.emulator.json).await?;
    Ok(Outcome::Yes)
}

async fn show(ShowArgs { seq, emulator }: ShowArgs) -> anyhow::Result<Outcome> {
    let control = emulator.connect().await?;
    let before = seq.saturating_add(1).to_string();
    let path = path(
        "/_emu/deliveries",
        &[("limit", Some("1".to_owned())), ("before", Some(before))],
    );
    let page: Value = control.get(&path).await?;
    let found = page["deliveries"].get(0).filter(|found| found["seq"] == seq);
    let found = found.ok_or_else(|| {
        failed(format!(
            "there is no delivery {seq}, or it is no longer kept; `sinch-verify deliveries` lists them"
        ))
    })?;
    print_object(found, emulator.json)?;
    Ok(Outcome::Yes)
}

async fn replay(args: ReplayArgs) -> anyhow::Result<Outcome> {
    let control = args.emulator.connect().await?;
    let path = format!("/_emu/deliveries/{}/replay", args.seq);
    let answer: Value = control.post_for(&path, &value!({ "as": args.kind })).await?;
    print_object(&answer, args.emulator.json)?;
    let posted = answer["deliveries"].as_array();
    let posted = posted.map_or_else(|| std::slice::from_ref(&answer), Vec::as_slice);
    Ok(posted.iter().all(|delivery| delivery["ok"] == true).into())
}
