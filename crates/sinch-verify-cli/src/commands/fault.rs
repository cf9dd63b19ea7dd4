//! `fault`: requests and callbacks of the emulator that fail on purpose.

use serde_json::{Map, Value};
use sinch_verify_protocol::{ApplicationKey, PhoneNumber};

use crate::exit::{Outcome, usage};
use crate::listing::{Listing, print_object};
use crate::table::Column;
use crate::target::EmulatorArgs;

const FAULTS: Listing = Listing {
    name: "faults",
    columns: &[
        (Column::Value("id"), "/id"),
        (Column::Value("on"), "/rule/on"),
        (Column::Value("operation"), "/rule/operation"),
        (Column::Value("number"), "/rule/number"),
        (Column::Value("fault"), "/rule/fault/kind"),
        (Column::Value("status"), "/rule/fault/status"),
        (Column::Value("times triggered"), "/hits"),
        (Column::Value("of"), "/seen"),
    ],
    empty: "there is no fault",
};

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Let requests fail from now on, and print the number of the fault.
    Add(Box<AddArgs>),
    /// List the faults, and how many requests matched each of them.
    List(EmulatorArgs),
    /// Remove a fault, or all.
    Remove(RemoveArgs),
}

#[derive(clap::Args)]
pub(crate) struct AddArgs {
    /// How requests fail: delayed, answered with an error, reset, never answered, cut off, or answered with
    /// what is no JSON.
    #[arg(value_enum)]
    kind: Kind,
    /// Whether answers of the API fail, or callbacks.
    #[arg(long, value_enum, default_value = "api")]
    on: Place,
    /// One operation only: of the API start, report, outcome or status; of callbacks request, result or
    /// delivered.
    #[arg(long, value_name = "NAME")]
    operation: Option<String>,
    /// Verifications of this number only.
    #[arg(long)]
    number: Option<PhoneNumber>,
    /// This application only.
    #[arg(long, value_name = "KEY")]
    application: Option<ApplicationKey>,
    /// How likely a matching request is to fail, 0 to 1.
    #[arg(long, value_name = "P")]
    probability: Option<f64>,
    /// Every nth matching request only.
    #[arg(long, value_name = "N")]
    every: Option<u64>,
    /// The most times that it happens.
    #[arg(long, value_name = "N")]
    count: Option<u64>,
    /// With `status`: the HTTP status, 400 to 599.
    #[arg(long, value_name = "STATUS", required_if_eq("kind", "status"))]
    status: Option<u16>,
    /// With `latency`: the shortest delay.
    #[arg(long, value_name = "DURATION", required_if_eq("kind", "latency"))]
    from: Option<String>,
    /// With `latency`: the longest delay.
    #[arg(long, value_name = "DURATION", required_if_eq("kind", "latency"))]
    to: Option<String>,
    /// With `latency`: whether all delays are equally likely, or most are short.
    #[arg(long, value_enum)]
    spread: Option<Spread>,
    /// With `reset`: carry the request out before.
    #[arg(long)]
    handled: bool,
    #[command(flatten)]
    emulator: EmulatorArgs,
}

#[derive(clap::Args)]
pub(crate) struct RemoveArgs {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    emulator: EmulatorArgs,
}

#[derive(clap::Args)]
#[group(required = true, multiple = false)]
struct Which {
    /// The number of the fault.
    id: Option<u64>,
    /// Remove all faults.
    #[arg(long)]
    all: bool,
}

#[derive(Clone, Copy, serde::Serialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    Latency,
    Status,
    Reset,
    Stall,
    Truncate,
    Malformed,
}

#[derive(Clone, Copy, serde::Serialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
enum Place {
    Api,
    Callback,
}

#[derive(Clone, Copy, serde::Serialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
enum Spread {
    Even,
    Tail,
}

impl Command {
    /// Whether the output is for scripts.
    pub(crate) fn json(&self) -> bool {
        self.emulator().json
    }

    fn emulator(&self) -> &EmulatorArgs {
        match self {
            Self::Add(args) => &args.emulator,
            Self::List(emulator) => emulator,
            Self::Remove(args) => &args.emulator,
        }
    }
}

/// Runs the command.
pub(crate) async fn run(command: Command) -> anyhow::Result<Outcome> {
    let control = command.emulator().connect().await?;
    let json = command.json();
    match command {
        Command::List(_) => FAULTS.print(&control, "/_emu/faults", json).await?,
        Command::Add(args) => {
            print_object(&control.post_for("/_emu/faults", &args.rule()?).await?, json)?;
        }
        Command::Remove(args) => {
            let path = args
                .which
                .id
                .map_or_else(|| "/_emu/faults".to_owned(), |id| format!("/_emu/faults/{id}"));
            control.delete(&path).await?;
        }
    }
    Ok(Outcome::Yes)
}

impl AddArgs {
    /// The rule as the emulator reads it, which says what does not fit together.
    fn rule(&self) -> anyhow::Result<Value> {
        let mut fault = Map::new();
        put(&mut fault, "kind", Some(self.kind))?;
        put(&mut fault, "status", self.status)?;
        put(&mut fault, "from", self.from.as_ref())?;
        put(&mut fault, "to", self.to.as_ref())?;
        put(&mut fault, "spread", self.spread)?;
        put(&mut fault, "handled", self.handled.then_some(true))?;
        let mut rule = Map::new();
        put(&mut rule, "on", Some(self.on))?;
        put(&mut rule, "operation", self.operation.as_ref())?;
        put(&mut rule, "number", self.number)?;
        put(
            &mut rule,
            "application",
            self.application.as_ref().map(ApplicationKey::as_str),
        )?;
        put(&mut rule, "probability", self.probability)?;
        put(&mut rule, "every", self.every)?;
        put(&mut rule, "count", self.count)?;
        put(&mut rule, "fault", Some(fault))?;
        Ok(Value::Object(rule))
    }
}

/// Puts a value that was given into `object`.
fn put(
    object: &mut Map<String, Value>,
    name: &str,
    value: Option<impl serde::Serialize>,
) -> anyhow::Result<()> {
    if let Some(value) = value {
        object.insert(name.to_owned(), serde_json::to_value(value).map_err(usage)?);
    }
    Ok(())
}
