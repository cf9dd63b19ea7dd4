//! The lines that `listen` prints: a pair for each callback, or one of JSON.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use anstyle::{AnsiColor, Style};
use http::StatusCode;
use serde::Serialize;
use sinch_verify_callback::policy::Denial;
use sinch_verify_protocol::callback::Event;
use sinch_verify_protocol::timestamp::XTimestamp;
use sinch_verify_protocol::untrusted::escape;

use crate::print::{note, say};

use super::answer::Answer;
use super::summary::Summary;

/// Prints.
pub(super) struct Printer {
    json: bool,
    reveal: bool,
    /// How many lines were printed.
    lines: Mutex<u64>,
}

/// A line about an arrival.
#[derive(Clone, Copy)]
pub(super) struct Line {
    number: u64,
    at: SystemTime,
}

/// Why a callback is refused.
pub(super) struct Refusal {
    /// A word for it.
    pub(super) reason: String,
    pub(super) why: String,
    /// For a wrong signature: the mistake that leads to it.
    pub(super) mistake: Option<String>,
}

/// What scripts get of a callback.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Record<'a> {
    at: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    verification_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    number: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome_reason: Option<&'a str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    anomalies: &'a [String],
    verified: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mistake: Option<&'a str>,
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    decision: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cli: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<&'a str>,
    /// What a policy denies.
    #[serde(skip_serializing_if = "Option::is_none")]
    denial: Option<Denied<'a>>,
    /// What rules would deny that only observe.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    observed: Vec<Denied<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<&'a str>,
    ms: u128,
    #[serde(skip_serializing_if = "Option::is_none")]
    forwarded: Option<Ahead>,
}

/// What a rule of a policy denies. The key is masked.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Denied<'a> {
    rule: &'a str,
    key: &'a str,
    limit: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_at: Option<String>,
}

impl<'a> From<&'a Denial> for Denied<'a> {
    fn from(denial: &'a Denial) -> Self {
        Self {
            rule: &denial.rule,
            key: &denial.key,
            limit: &denial.limit,
            retry_at: denial.retry_at.map(|at| XTimestamp::new(at).as_str().to_owned()),
        }
    }
}

#[derive(Serialize)]
struct Ahead {
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    ms: u128,
}

/// What stands for a code or a caller id that is not shown.
const SET: &str = "[set]";

impl Printer {
    pub(super) fn new(json: bool, reveal: bool) -> Self {
        Self {
            json,
            reveal,
            lines: Mutex::new(0),
        }
    }

    /// Whether numbers, codes and caller ids are shown.
    pub(super) fn reveals(&self) -> bool {
        self.reveal
    }

    /// A callback came and is authentic.
    pub(super) fn arrived(&self, at: SystemTime, summary: &Summary) -> Line {
        let mut words = vec![summary.event];
        let outcome = summary
            .outcome
            .as_ref()
            .map(|outcome| match &summary.outcome_reason {
                Some(reason) => format!("{outcome} ({reason})"),
                None => outcome.clone(),
            });
        let more = [&summary.method, &summary.number, &summary.id, &outcome];
        words.extend(more.into_iter().flatten().map(String::as_str));
        let anomalies = summary.anomalies.join("; ");
        if !anomalies.is_empty() {
            words.extend(["anomaly:", &anomalies]);
        }
        self.line(at, "-->", &escape(&words.join("  ")))
    }

    /// It was answered.
    pub(super) fn answered(
        &self,
        line: Line,
        summary: &Summary,
        event: &Event,
        answer: &Answer,
        took: Duration,
    ) {
        let decided = answer.decided(event);
        let code = decided.as_ref().and_then(|decided| decided.code.as_ref());
        let code = code.map(|code| if self.reveal { code.expose() } else { SET });
        let cli = decided.as_ref().and_then(|decided| decided.cli.as_ref());
        let cli = cli.map(|cli| if self.reveal { cli.as_str() } else { SET });
        let action = decided.as_ref().map(|decided| decided.action.as_str());
        let status = answer.response.status();
        if self.json {
            self.record(&Record {
                at: XTimestamp::new(line.at).as_str(),
                event: Some(summary.event),
                verification_id: summary.id.as_deref(),
                method: summary.method.as_deref(),
                number: summary.number.as_deref(),
                outcome: summary.outcome.as_deref(),
                outcome_reason: summary.outcome_reason.as_deref(),
                anomalies: &summary.anomalies,
                verified: true,
                status: status.as_u16(),
                decision: action,
                code,
                cli,
                by: Some(answer.by.name()),
                denial: answer.verdict.denial.as_ref().map(Denied::from),
                observed: answer.verdict.observed.iter().map(Denied::from).collect(),
                problem: answer.problem.as_deref(),
                ms: took.as_millis(),
                forwarded: answer.forwarded.map(|(status, ms)| Ahead {
                    status: status.map(|status| status.as_u16()),
                    ms,
                }),
                ..Record::default()
            });
            return;
        }
        let mut words = status.as_u16().to_string();
        for (name, value) in [("", action), ("code ", code), ("cli ", cli)] {
            if let Some(value) = value {
                words.push_str(&format!(" {name}{value}"));
            }
        }
        words.push_str(&format!("  {} ms", took.as_millis()));
        if let Some(id) = &summary.id
            && self.is_past(line)
        {
            words.push_str(&format!("  {id}"));
        }
        if let Some(denial) = &answer.verdict.denial {
            words.push_str(&format!("  {denial}"));
        }
        for denial in &answer.verdict.observed {
            words.push_str(&format!("  would deny: {denial}"));
        }
        let style = Style::new().fg_color(Some(match answer.problem {
            None => AnsiColor::Green.into(),
            Some(_) => AnsiColor::Red.into(),
        }));
        if let Some(problem) = &answer.problem {
            words.push_str(&format!("  {problem}"));
        }
        let words = escape(&words);
        self.line(line.at + took, "<--", &format!("{style}{words}{style:#}"));
    }

    /// A callback came and was refused.
    pub(super) fn refused(&self, at: SystemTime, refusal: &Refusal, status: StatusCode, took: Duration) {
        let Refusal { reason, why, mistake } = refusal;
        if self.json {
            self.record(&Record {
                at: XTimestamp::new(at).as_str(),
                reason: Some(reason),
                mistake: mistake.as_deref(),
                problem: Some(why),
                status: status.as_u16(),
                ms: took.as_millis(),
                ..Record::default()
            });
            return;
        }
        let red = Style::new().fg_color(Some(AnsiColor::Red.into()));
        let why = escape(mistake.as_ref().unwrap_or(why));
        self.line(at, "-->", &format!("{red}refused{red:#}  {reason}: {why}"));
        self.line(at + took, "<--", &format!("{red}{}{red:#}", status.as_u16()));
    }

    /// Whether other lines were printed after this one.
    fn is_past(&self, line: Line) -> bool {
        *self.lines.lock().unwrap_or_else(PoisonError::into_inner) != line.number
    }

    fn line(&self, at: SystemTime, arrow: &str, words: &str) -> Line {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        *lines += 1;
        if !self.json {
            let dim = Style::new().dimmed();
            say!("{dim}{}{dim:#} {arrow} {words}", time_of_day(at));
        }
        Line { number: *lines, at }
    }

    fn record(&self, record: &Record<'_>) {
        let _one_at_a_time = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        match serde_json::to_string(record) {
            Ok(line) => say!("{line}"),
            Err(error) => note!("failed to write a callback as JSON: {error}"),
        }
    }
}

/// The time of day in UTC, as in timestamps of callbacks.
fn time_of_day(at: SystemTime) -> String {
    let stamp = XTimestamp::new(at);
    let time = stamp.as_str().split_once('T').map_or("", |(_, time)| time);
    time.trim_end_matches('Z').to_owned()
}
