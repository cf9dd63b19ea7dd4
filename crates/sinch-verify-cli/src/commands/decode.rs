//! `decode`: read a body of the wire as what it should be.

use std::path::PathBuf;

use clap::ValueEnum as _;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use sinch_verify_protocol::body_kind::BodyKind;
use sinch_verify_protocol::call_outcome::OutcomeRequest;
use sinch_verify_protocol::callback::{DecisionBody, Event, RequestEvent, ResultEvent, SmsDeliveredEvent};
use sinch_verify_protocol::error::JsonError;
use sinch_verify_protocol::identity::{Identity, IdentityType};
use sinch_verify_protocol::report::ReportRequest;
use sinch_verify_protocol::start::{StartRequest, StartResponse};
use sinch_verify_protocol::untrusted::escape;
use sinch_verify_protocol::wire::{Anomaly, without_byte_order_mark};
use sinch_verify_protocol::{ApiError, Verification, WireObject};

use crate::exit::{Outcome, failed};
use crate::input;
use crate::print::{note, say};

/// Arguments of `decode`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// What the body is; recognised by its fields if you leave it out.
    #[arg(long = "as", value_name = "KIND", value_enum)]
    kind: Option<Kind>,
    /// Print only the body, as this version writes it; anomalies go to stderr.
    #[arg(long)]
    pub(crate) json: bool,
    /// Exit with 1 if there is an anomaly.
    #[arg(long)]
    strict: bool,
    /// Print the kinds.
    #[arg(long)]
    list: bool,
    /// The file that holds the body; standard input by default.
    #[arg(default_value = "-")]
    file: PathBuf,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Kind {
    StartRequest,
    StartResponse,
    ReportRequest,
    ReportResponse,
    StatusResponse,
    CallbackEvent,
    CallbackDecision,
    CallOutcome,
    ApiError,
}

impl Kind {
    /// The kind that a body's fields tell; an answer to a report is one to a status query.
    fn recognise(body: &[u8]) -> Result<Self, String> {
        let recognised = BodyKind::of(body).map_err(|error| error.to_string())?;
        Ok(match recognised {
            Some(BodyKind::Event) => Self::CallbackEvent,
            Some(BodyKind::Decision) => Self::CallbackDecision,
            Some(BodyKind::ApiError) => Self::ApiError,
            Some(BodyKind::Verification) => Self::StatusResponse,
            Some(BodyKind::StartRequest) => Self::StartRequest,
            Some(BodyKind::StartResponse) => Self::StartResponse,
            Some(BodyKind::CallOutcome) => Self::CallOutcome,
            Some(BodyKind::ReportRequest) => Self::ReportRequest,
            _ => {
                let kinds: Vec<_> = Self::value_variants().iter().map(|kind| kind.name()).collect();
                return Err(format!(
                    "its fields do not tell what it is; name it with --as: {}",
                    kinds.join(", ")
                ));
            }
        })
    }

    /// Its value of `--as`.
    fn name(self) -> String {
        self.to_possible_value()
            .map(|value| value.get_name().to_owned())
            .unwrap_or_default()
    }
}

/// A body that was read.
struct Reading {
    /// For people.
    typed: String,
    /// As this version writes it.
    json: String,
    anomalies: Vec<Anomaly>,
}

/// Runs the command. Exit code 1, with the JSON path, for a body that is not
/// what it should be.
pub(crate) fn run(args: &Args) -> anyhow::Result<Outcome> {
    if args.list {
        Kind::value_variants()
            .iter()
            .for_each(|kind| say!("{}", kind.name()));
        return Ok(Outcome::Yes);
    }
    let body = input::read(&args.file)?;
    let unreadable = |why: &str| match args.file.to_str() {
        Some("-") => failed(format!("failed to read standard input: {why}")),
        _ => failed(format!("failed to read {}: {why}", args.file.display())),
    };
    let kind = match args.kind {
        Some(kind) => kind,
        None => {
            let kind = Kind::recognise(&body).map_err(|why| unreadable(&why))?;
            note!("read as {}", kind.name());
            kind
        }
    };
    let reading = decode(kind, &body).map_err(|error| unreadable(&error.to_string()))?;
    say!("{}", if args.json { &reading.json } else { &reading.typed });
    for anomaly in &reading.anomalies {
        if args.json {
            note!("anomaly: {anomaly}");
        } else {
            say!("anomaly: {anomaly}");
        }
    }
    let is_fine = reading.anomalies.is_empty() || !args.strict;
    Ok(is_fine.into())
}

fn decode(kind: Kind, body: &[u8]) -> Result<Reading, JsonError> {
    match kind {
        Kind::StartRequest => {
            check_identity(&StartRequest::decode(body)?.identity)?;
            read::<StartRequest>(body)
        }
        Kind::StartResponse => read::<StartResponse>(body),
        Kind::ReportRequest => {
            ReportRequest::decode(body)?.require_proof()?;
            read::<ReportRequest>(body)
        }
        Kind::ReportResponse | Kind::StatusResponse => read::<Verification>(body),
        Kind::CallbackEvent => read_event(body),
        Kind::CallbackDecision => read::<DecisionBody>(body),
        Kind::CallOutcome => read::<OutcomeRequest>(body),
        Kind::ApiError => read::<ApiError>(body),
    }
}

/// Text until here, so that a service can say which parameter it refuses.
fn check_identity(identity: &Identity) -> Result<(), JsonError> {
    let wrong = |path: &str, message: String| JsonError {
        path: path.to_owned(),
        message,
        sample: String::new(),
    };
    if identity.kind != IdentityType::Number {
        return Err(wrong("identity.type", "must be number".to_owned()));
    }
    let number = identity.phone_number();
    number.map_err(|problem| wrong("identity.endpoint", problem.to_string()))?;
    Ok(())
}

fn read<T: WireObject>(body: &[u8]) -> Result<Reading, JsonError> {
    let received = T::receive(body)?;
    let json = received.value.to_json();
    Ok(Reading {
        typed: lines(&json),
        json,
        anomalies: received.anomalies,
    })
}

/// One line a value, named by its path, as this version understands it.
fn lines(json: &str) -> String {
    let mut lines = Vec::new();
    collect("", json, &mut lines);
    let width = lines.iter().map(|(path, _)| path.len()).max().unwrap_or(0);
    lines
        .iter()
        .map(|(path, value)| format!("{path:width$}  {value}"))
        .collect::<Vec<_>>()
        .join("\n")
}

fn collect(path: &str, json: &str, lines: &mut Vec<(String, String)>) {
    if let Ok(Fields(fields)) = serde_json::from_str(json) {
        for (name, value) in fields {
            let below = if path.is_empty() {
                escape(&name).into_owned()
            } else {
                format!("{path}.{}", escape(&name))
            };
            collect(&below, value.get(), lines);
        }
    } else if let Ok(items) = serde_json::from_str::<Vec<Box<RawValue>>>(json) {
        for (i, item) in items.iter().enumerate() {
            collect(&format!("{path}[{i}]"), item.get(), lines);
        }
    } else {
        lines.push((path.to_owned(), json.to_owned()));
    }
}

/// The fields of an object in their order, each with the text it has.
struct Fields(Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Fields;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

fn read_event(body: &[u8]) -> Result<Reading, JsonError> {
    // Which event it is; what is odd about it is found by the reading below.
    match Event::decode(body)? {
        Event::Request(_) => read::<RequestEvent>(body),
        Event::Result(_) => read::<ResultEvent>(body),
        Event::SmsDelivered(_) => read::<SmsDeliveredEvent>(body),
        unknown => Ok(Reading {
            typed: format!(
                "an event that this version does not know: {}",
                escape(unknown.name())
            ),
            json: String::from_utf8_lossy(without_byte_order_mark(body))
                .trim()
                .to_owned(),
            anomalies: Vec::new(),
        }),
    }
}
