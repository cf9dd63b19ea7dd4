//! `trigger`: post a callback to a receiver, and judge its answer.

mod event;

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use clap::builder::PossibleValuesParser;
use comfy_table::Color;
use http::{Request, Response, StatusCode, Uri};
use serde::Serialize;
use sinch_verify_callback::testing::{CallbackSigner, Tamper};
use sinch_verify_client::transport::ReqwestTransport;
use sinch_verify_client::{Transport as _, TransportError, TransportErrorKind, env};
use sinch_verify_protocol::untrusted::escape;
use sinch_verify_protocol::url::HttpUrl;
use sinch_verify_protocol::{ApplicationKey, ApplicationSecret, Method};

use crate::exit::{Outcome, root_cause, usage};
use crate::judge;
use crate::print::say;
use crate::table::Column::{Value, Words};
use crate::table::{Table, cell};
use crate::target::transport_to;

use event::{Event, EventArgs, Kind};

/// Arguments of `trigger`.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    event: EventArgs,
    /// The callback URL.
    #[arg(long, value_name = "URL")]
    to: HttpUrl,
    /// The application's key. Without key and secret, a receiver on this machine gets a callback of the
    /// development application.
    #[arg(long, env = "SINCH_APPLICATION_KEY")]
    key: Option<ApplicationKey>,
    /// The application's secret, as the dashboard shows it.
    #[arg(long, env = "SINCH_APPLICATION_SECRET", hide_env_values = true)]
    secret: Option<String>,
    /// Spoil the callback before it is sent, so that it must be refused; `all`
    /// tries the callback as it is, sent again, replayed, and spoiled in every way.
    #[arg(long, value_name = "KIND", value_parser = PossibleValuesParser::new(kinds()))]
    tamper: Option<String>,
    /// Allow a host that is not this machine.
    #[arg(long)]
    live: bool,
    /// Print the answers as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

const ALL: &str = "all";
const REPLAY: &str = "replay";
const SENT_AGAIN: &str = "sent-again";

fn kinds() -> Vec<&'static str> {
    let tampers = Tamper::ALL.iter().map(|tamper| tamper.name());
    [ALL, REPLAY, SENT_AGAIN].into_iter().chain(tampers).collect()
}

/// Runs the command. Exit code 1 for an answer that is not as expected, 5 for none at all.
pub(crate) async fn run(args: Args) -> anyhow::Result<Outcome> {
    let trigger = Trigger::new(&args)?;
    let mut rows = Vec::new();
    match args.tamper.as_deref() {
        None => rows.push(trigger.as_it_is().await.0),
        Some(SENT_AGAIN) => rows.extend(trigger.sent_again().await),
        Some(REPLAY) => rows.extend(trigger.replayed().await),
        Some(ALL) => {
            rows.extend(trigger.sent_again().await);
            // The first of these is the one above, already seen.
            rows.extend(trigger.replayed().await.into_iter().skip(1));
            for &tamper in Tamper::ALL {
                rows.push(trigger.tampered(tamper).await);
            }
        }
        Some(name) => rows.push(trigger.tampered(name.parse().map_err(usage)?).await),
    }
    let ok = rows.iter().all(|row| row.ok);
    show(&rows, ok, args.json)?;
    Ok(match rows.iter().any(|row| row.answered) {
        true => ok.into(),
        false => Outcome::Unreachable,
    })
}

/// One callback that was posted.
#[derive(Serialize)]
struct Row {
    callback: &'static str,
    expected: &'static str,
    got: String,
    ok: bool,
    #[serde(skip)]
    answered: bool,
}

/// What an answer must be.
#[derive(Clone, Copy)]
enum Expected<'a> {
    /// A decision that fits the method.
    Decision(&'a Method),
    /// Any success.
    Acknowledged,
    /// The same as this one.
    Same(&'a Response<Bytes>),
    /// Unauthorized.
    Refused,
}

struct Trigger {
    signer: CallbackSigner,
    transport: ReqwestTransport,
    to: Uri,
    event: Event,
}

/// How long a receiver may take: longer than the service would wait.
const PATIENCE: Duration = Duration::from_secs(30);

impl Trigger {
    fn new(args: &Args) -> anyhow::Result<Self> {
        if !args.to.is_loopback() && !args.live {
            return Err(usage(format!(
                "--to: {} is not this machine; add --live if that is meant",
                args.to.host()
            )));
        }
        let (key, secret) = match (&args.key, &args.secret) {
            (Some(key), Some(secret)) => {
                let secret = ApplicationSecret::new(secret);
                (
                    key.clone(),
                    secret.map_err(|error| usage(format!("--secret: {error}")))?,
                )
            }
            (None, None) => env::application(&args.to).map_err(usage)?,
            _ => {
                return Err(usage(
                    "--key or --secret is missing; give both, or SINCH_APPLICATION_KEY and SINCH_APPLICATION_SECRET, or neither for the development key and secret",
                ));
            }
        };
        Ok(Self {
            signer: CallbackSigner::new(key, &secret),
            transport: transport_to(&args.to, PATIENCE)?,
            to: args.to.clone().into(),
            event: args.event.event()?,
        })
    }

    /// The callback, signed at `now`.
    fn callback(&self, now: SystemTime) -> Request<Bytes> {
        self.signer.post(self.to.clone(), self.event.body.clone(), now)
    }

    fn expected(&self) -> Expected<'_> {
        match self.event.kind {
            Kind::Request => Expected::Decision(&self.event.method),
            Kind::Result | Kind::SmsDelivered => Expected::Acknowledged,
        }
    }

    async fn as_it_is(&self) -> (Row, Option<Response<Bytes>>) {
        let request = self.callback(SystemTime::now());
        self.post("as it is", request, self.expected()).await
    }

    /// Twice, each with a timestamp of its own.
    async fn sent_again(&self) -> Vec<Row> {
        let now = SystemTime::now();
        let first = self.callback(now - Duration::from_secs(1));
        let (row, answer) = self.post("as it is", first, self.expected()).await;
        let expected = match &answer {
            Some(answer) if row.ok => Expected::Same(answer),
            _ => self.expected(),
        };
        let (again, _) = self.post(SENT_AGAIN, self.callback(now), expected).await;
        vec![row, again]
    }

    /// Twice, byte for byte.
    async fn replayed(&self) -> Vec<Row> {
        // A moment that no other callback of this run has.
        let request = self.callback(SystemTime::now() - Duration::from_secs(2));
        let (row, _) = self.post("as it is", request.clone(), self.expected()).await;
        let (replay, _) = self.post(REPLAY, request, Expected::Refused).await;
        vec![row, replay]
    }

    async fn tampered(&self, tamper: Tamper) -> Row {
        let now = SystemTime::now();
        let mut request = self.callback(now);
        tamper.apply(&self.signer, &mut request, now);
        self.post(tamper.name(), request, Expected::Refused).await.0
    }

    async fn post(
        &self,
        callback: &'static str,
        request: Request<Bytes>,
        expected: Expected<'_>,
    ) -> (Row, Option<Response<Bytes>>) {
        let answer = tokio::time::timeout(PATIENCE, self.transport.send(request)).await;
        let (got, ok, answer) = match answer {
            Ok(Ok(answer)) => match expected.check(&answer) {
                Ok(()) => (told(&answer), true, Some(answer)),
                Err(why) => {
                    let hint = expected.hint(&answer);
                    (format!("{}: {why}{hint}", told(&answer)), false, Some(answer))
                }
            },
            Ok(Err(error)) => (self.no_answer(&error), false, None),
            Err(_) => (format!("no answer in {PATIENCE:?}"), false, None),
        };
        let row = Row {
            callback,
            expected: expected.told(),
            got,
            ok,
            answered: answer.is_some(),
        };
        (row, answer)
    }
}

impl Trigger {
    /// Why there is no answer.
    fn no_answer(&self, error: &TransportError) -> String {
        let why = root_cause(error);
        let authority = self.to.authority().map_or("", |authority| authority.as_str());
        match error.kind() {
            TransportErrorKind::Connect | TransportErrorKind::ConnectTimeout => {
                format!("no answer: {why}; is the receiver running at {authority}?")
            }
            _ => format!("no answer from the receiver at {authority}: {error}: {why}"),
        }
    }
}

impl Expected<'_> {
    /// What the answer may come from.
    fn hint(self, answer: &Response<Bytes>) -> &'static str {
        match answer.status() {
            StatusCode::UNAUTHORIZED => "; does the receiver have this key and secret?",
            StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => "; is the path right?",
            _ => "",
        }
    }

    fn told(self) -> &'static str {
        match self {
            Self::Decision(_) => "200 and a decision",
            Self::Acknowledged => "200",
            Self::Same(_) => "the same answer",
            Self::Refused => "401",
        }
    }

    fn check(self, answer: &Response<Bytes>) -> Result<(), String> {
        match self {
            Self::Decision(method) => judge::decision(answer, method),
            Self::Acknowledged => judge::acknowledged(answer),
            Self::Same(first) if answer.status() == first.status() && answer.body() == first.body() => Ok(()),
            Self::Same(_) => Err("another answer than before".to_owned()),
            Self::Refused if answer.status() == StatusCode::UNAUTHORIZED => Ok(()),
            Self::Refused => Err("not refused".to_owned()),
        }
    }
}

/// The status and the body, cut to a line.
fn told(answer: &Response<Bytes>) -> String {
    let body = String::from_utf8_lossy(answer.body());
    let start: String = body.chars().take(80).collect();
    format!("{} {}", answer.status().as_u16(), escape(&start))
        .trim_end()
        .to_owned()
}

fn show(rows: &[Row], ok: bool, json: bool) -> anyhow::Result<()> {
    if json {
        let document = serde_json::json!({ "ok": ok, "rows": rows });
        say!("{}", serde_json::to_string_pretty(&document)?);
        return Ok(());
    }
    let mut table = Table::new(&[Value("callback"), Words("expected"), Words("got")]);
    for row in rows {
        table.add(vec![
            cell(row.callback),
            cell(row.expected),
            cell(&row.got).fg(if row.ok { Color::Green } else { Color::Red }),
        ]);
    }
    table.print();
    let good = rows.iter().filter(|row| row.ok).count();
    say!("{good} of {} answers as expected", rows.len());
    Ok(())
}
