//! `events`: what happens in the emulator, as it happens.

use serde_json::{Value, json as value};
use sinch_verify_protocol::untrusted::escape;
use sinch_verify_protocol::{ApplicationKey, PhoneNumber};

use crate::control::path;
use crate::exit::Outcome;
use crate::feed::{Feed, FeedEvent};
use crate::listing::text;
use crate::print::{self, say};
use crate::stop::Stop;
use crate::target::EmulatorArgs;

/// Arguments of `events`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// These kinds only: started, message, call-over, ended, delivery, request, keys, followed, behavior,
    /// fault, clock, reset.
    #[arg(long, value_delimiter = ',', value_name = "LIST")]
    kind: Vec<String>,
    /// Events of this number only.
    #[arg(long)]
    number: Option<PhoneNumber>,
    /// Events of this application only.
    #[arg(long, value_name = "KEY")]
    application: Option<ApplicationKey>,
    /// Begin after the event with this id, or with 0 at the oldest that is kept. Without it, only what
    /// happens from now on is shown.
    #[arg(long, value_name = "ID")]
    after: Option<String>,
    #[command(flatten)]
    pub(crate) emulator: EmulatorArgs,
}

/// Runs the command, until Ctrl-C. With `--json` it prints one object a line.
pub(crate) async fn run(args: Args) -> anyhow::Result<Outcome> {
    let control = args.emulator.connect().await?;
    let kinds = (!args.kind.is_empty()).then(|| args.kind.join(","));
    let path = path(
        "/_emu/events",
        &[
            ("kind", kinds),
            ("number", args.number.map(|number| number.digits().to_owned())),
            ("application", args.application.map(|key| key.to_string())),
            ("after", args.after),
        ],
    );
    let mut feed = Feed::follow(control.base(), &path).await?;
    let stop = Stop::listen()?;
    let mut stopped = std::pin::pin!(stop.stopped());
    loop {
        let event = tokio::select! {
            event = feed.next() => event?,
            ended = &mut stopped => return ended.map(|()| Outcome::Yes),
        };
        show(event, args.emulator.json);
        if print::gone() {
            return Ok(Outcome::Yes);
        }
    }
}

/// What a line shows of an event, in this order: JSON pointers. Codes and caller ids are in `--json` only.
const DETAILS: [&str; 12] = [
    "/number",
    "/operation",
    "/method",
    "/kind",
    "/event",
    "/status",
    "/reason",
    "/verdict",
    "/ms",
    "/missed",
    "/restarted",
    "/verificationId",
];

fn show(event: FeedEvent, json: bool) {
    let FeedEvent { id, kind, data } = event;
    if json {
        let mut whole = value!({ "event": kind, "id": id });
        if let (Value::Object(whole), Value::Object(data)) = (&mut whole, data) {
            // The name of a callback event is a field too.
            whole.insert("data".to_owned(), Value::Object(data));
        }
        say!("{whole}");
        return;
    }
    let at = text(data.get("at"));
    // Without its day.
    let time = at.split_once('T').map_or(&*at, |(_, time)| time);
    let details = DETAILS.iter().map(|at| text(data.pointer(at)));
    let details: Vec<String> = details.filter(|text| !text.is_empty()).collect();
    say!("{time:13}  {kind:9}  {}", escape(&details.join("  ")));
}
