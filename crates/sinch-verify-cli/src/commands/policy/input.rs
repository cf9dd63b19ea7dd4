//! Reading the past: a line at a time, each with its number.

use std::fs::File;
use std::io::{BufRead, BufReader, Read as _};
use std::path::Path;
use std::time::SystemTime;

use serde::Deserialize;
use sinch_verify_protocol::callback::{Event, RequestEvent, ResultEvent};
use sinch_verify_protocol::cdr::{CallDetailRecord, CdrError, CdrReader};
use sinch_verify_protocol::error::JsonError;
use sinch_verify_protocol::identity::Identity;
use sinch_verify_protocol::price::Money;
use sinch_verify_protocol::{ApplicationKey, PhoneNumber, Status, timestamp};

use crate::exit::usage;

/// The longest line that is read, in bytes.
const MAX_LINE: u64 = 64 * 1024;

/// Something that happened to a verification.
pub(super) struct Step {
    pub(super) at: SystemTime,
    /// The application, where the record names it.
    pub(super) application: Option<ApplicationKey>,
    pub(super) what: What,
}

pub(super) enum What {
    Start(Box<RequestEvent>),
    End(Box<ResultEvent>),
}

/// A file of the past, read in pieces.
pub(super) struct Input {
    name: String,
    lines: Box<dyn BufRead + Send>,
    line: u64,
    format: Format,
}

enum Format {
    /// `None` once the end of the file was read.
    Cdr(Option<Box<CdrReader>>),
    Events,
}

impl Input {
    pub(super) fn cdr(file: &Path) -> anyhow::Result<Self> {
        Self::open(file, Format::Cdr(Some(Box::default())))
    }

    pub(super) fn events(file: &Path) -> anyhow::Result<Self> {
        Self::open(file, Format::Events)
    }

    fn open(file: &Path, format: Format) -> anyhow::Result<Self> {
        let is_standard = file.as_os_str() == "-";
        let name = if is_standard {
            "standard input".to_owned()
        } else {
            file.display().to_string()
        };
        let lines: Box<dyn BufRead + Send> = if is_standard {
            Box::new(BufReader::new(std::io::stdin()))
        } else {
            let open = File::open(file);
            Box::new(BufReader::new(
                open.map_err(|error| usage(format!("failed to read {name}: {error}")))?,
            ))
        };
        Ok(Self {
            name,
            lines,
            line: 0,
            format,
        })
    }

    /// The steps of the next line; `None` at the end.
    pub(super) fn next(&mut self) -> anyhow::Result<Option<Vec<Step>>> {
        let mut line = Vec::new();
        let read = self
            .lines
            .by_ref()
            .take(MAX_LINE + 1)
            .read_until(b'\n', &mut line);
        read.map_err(|error| usage(format!("failed to read {}: {error}", self.name)))?;
        self.line += u64::from(!line.is_empty());
        if line.len() as u64 > MAX_LINE {
            return Err(self.at_line(&format!("it is longer than {MAX_LINE} bytes")));
        }
        let is_end = line.is_empty();
        let steps = match &mut self.format {
            Format::Events if is_end => return Ok(None),
            Format::Events => of_event(&line),
            Format::Cdr(reader) if is_end => match reader.take() {
                None => return Ok(None),
                Some(reader) => of_records(|give| reader.finish(give)),
            },
            Format::Cdr(Some(reader)) => of_records(|give| reader.read(&line, give)),
            Format::Cdr(None) => return Ok(None),
        };
        steps.map(Some).map_err(|error| self.at_line(&error))
    }

    /// An error about the line that was read last.
    pub(super) fn at_line(&self, error: &dyn std::fmt::Display) -> anyhow::Error {
        usage(format!("{}: line {}: {error}", self.name, self.line))
    }
}

fn of_records(
    read: impl FnOnce(&mut dyn FnMut(Result<CallDetailRecord, CdrError>)),
) -> Result<Vec<Step>, String> {
    let mut steps = Ok(Vec::new());
    read(&mut |record| {
        let record = record.map_err(|error| error.kind.to_string()).and_then(of_record);
        match (&mut steps, record) {
            (Ok(steps), Ok(more)) => steps.extend(more),
            (Ok(_), Err(error)) => steps = Err(error),
            (Err(_), _) => {}
        }
    });
    steps
}

/// The start of a record's verification, and its end.
fn of_record(record: CallDetailRecord) -> Result<Vec<Step>, String> {
    let start = record.start.ok_or("StartTimestamp: is empty")?.time();
    let endpoint = record.identity_endpoint.ok_or("IdentityEndpoint: is empty")?;
    let number: PhoneNumber = endpoint
        .as_str()
        .parse()
        .map_err(|error| format!("IdentityEndpoint: {error}"))?;
    let application = record.application_key.as_deref().map(ApplicationKey::new);
    let application = application
        .transpose()
        .map_err(|error| format!("ApplicationKey: {error}"))?;
    let identity = Identity::number(number);
    let mut request = RequestEvent::new(record.id.clone(), record.method.clone(), identity.clone());
    request.reference = record.reference;
    request.custom = record.custom;
    request.price = record
        .amount
        .zip(record.currency)
        .map(|(amount, currency)| Money::new(&currency, amount));
    let mut result = ResultEvent::new(record.id, record.method, identity, record.result);
    result.reference.clone_from(&request.reference);
    result.custom.clone_from(&request.custom);
    let mut steps = vec![Step {
        at: start,
        application: application.clone(),
        what: What::Start(Box::new(request)),
    }];
    if result.status != Status::Pending {
        steps.push(Step {
            at: record.end.map_or(start, |end| end.time()),
            application,
            what: What::End(Box::new(result)),
        });
    }
    Ok(steps)
}

/// The step of an event; none for a blank line, and for events that are of no use to a policy.
fn of_event(line: &[u8]) -> Result<Vec<Step>, String> {
    #[derive(Deserialize)]
    struct Arrival {
        at: Option<String>,
    }
    if line.trim_ascii().is_empty() {
        return Ok(Vec::new());
    }
    let arrival: Arrival = serde_json::from_slice(line)
        .map_err(|_| "it is no event; write the body of each event, a JSON object, on a line of its own")?;
    let at = arrival
        .at
        .ok_or("at: missing; add the time when the event came, such as \"at\":\"2026-01-02T03:04:05Z\"")?;
    let at = timestamp::parse(&at).map_err(|error| format!("at: {error}"))?;
    let what = match Event::decode(line).map_err(|error: JsonError| error.to_string())? {
        Event::Request(event) => What::Start(event),
        Event::Result(event) => What::End(event),
        _ => return Ok(Vec::new()),
    };
    Ok(vec![Step {
        at,
        application: None,
        what,
    }])
}
