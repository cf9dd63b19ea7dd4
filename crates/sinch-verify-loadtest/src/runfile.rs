//! The file that a run leaves behind: `run.json`.
//!
//! It holds everything that was measured, with the histograms themselves, so that reports are made
//! from it and shards of a run are added up without loss. It holds no phone number, code or secret.

mod generator;
mod merge;

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::live::Stop;
use crate::model::FailureKind;

pub use crate::live::Spending;
pub use crate::model::{
    BadName, Check, CheckResult, Counters, Exit, FailureTally, FlowTally, Latency, Load, Measurements, Mix,
    MixError, NoRunId, Packed, PhoneChoice, Rate, RateError, RunId, ScenarioName, Second, Setting, Setup,
    Shard, ShardError, Shards, Step, StepName, TransportName, UnknownName, Verdict,
};
pub use generator::Generator;
pub use merge::{MergeError, Misfit};

/// A run, or a shard of one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct RunFile {
    /// The version of this form.
    pub schema: Schema,
    /// The version of the load tester.
    pub version: String,
    /// The name of the run; its shards share it.
    pub run: RunId,
    /// How it was set up.
    pub setup: Setup,
    /// When its schedule began, in RFC 3339.
    pub started_at: String,
    /// By how many seconds that missed the time it was asked for, where the load tester was not ready
    /// by then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub late_seconds: Option<f64>,
    /// For how long it went on, in seconds, from the beginning of its schedule.
    pub seconds: f64,
    /// Which parts of it are in here.
    pub shards: Shards,
    /// The machine it was made on, and how busy that was.
    pub generator: Generator,
    /// What counts: flows that were due after the warm-up.
    pub counters: Counters,
    /// What was counted before.
    pub warm_up: Counters,
    /// What was measured of the flows that count.
    pub flows: Measurements,
    /// How it went, second by second, warm-up included.
    pub series: Vec<Second>,
    /// Why it ended before its time, where it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped: Option<Stopped>,
    /// What a live run spent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spending: Option<Spending>,
    /// The judgement, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
}

impl RunFile {
    /// Reads a file's text.
    ///
    /// # Errors
    ///
    /// When it is no run file, one of another schema, or one that contradicts itself.
    pub fn from_json(text: &str) -> Result<Self, RunFileError> {
        #[derive(Deserialize)]
        struct Head {
            schema: u64,
        }
        let head: Head = serde_json::from_str(text).map_err(RunFileError::NoRunFile)?;
        if head.schema != Schema::VERSION {
            return Err(RunFileError::Schema(head.schema));
        }
        serde_json::from_str(text).map_err(RunFileError::Content)
    }

    /// The file's text, over several lines.
    ///
    /// # Errors
    ///
    /// None that can be told in advance: a run holds nothing that JSON cannot.
    pub fn to_json(&self) -> serde_json::Result<String> {
        let mut text = serde_json::to_string_pretty(self)?;
        text.push('\n');
        Ok(text)
    }

    /// How often something happened in a second that happened `count` times in the flows that count:
    /// as often for each finished flow as over all, at the pace at which flows finished while the
    /// schedule ran. What the last flows took after that does not make a run slower than it was.
    #[must_use]
    pub fn per_second(&self, count: u64) -> Option<f64> {
        let first = self.setup.warm_up_seconds.ceil() as u64;
        let end = self.setup.duration_seconds.min(self.seconds).floor() as u64;
        let whole = || {
            self.series
                .iter()
                .filter(|second| (first..end).contains(&second.at))
        };
        let finished: u64 = whole().map(|second| second.finished).sum();
        if finished > 0 && self.counters.finished > 0 {
            let pace = finished as f64 / whole().count() as f64;
            return Some(count as f64 / self.counters.finished as f64 * pace);
        }
        let seconds = self.seconds - self.setup.warm_up_seconds;
        (seconds > 0.0).then(|| count as f64 / seconds)
    }

    /// Everything that went wrong, by kind: failures of flows, and what the generator and the
    /// callback receiver counted.
    #[must_use]
    pub fn errors(&self) -> BTreeMap<FailureKind, u64> {
        let failures = self.flows.total().failures;
        let mut errors: BTreeMap<_, _> = failures
            .iter()
            .map(|(kind, tally)| (*kind, tally.count))
            .collect();
        for (kind, count) in [
            (FailureKind::Dropped, self.counters.dropped),
            (FailureKind::Late, self.counters.late),
            (FailureKind::Aborted, self.counters.aborted),
            (FailureKind::CallbackLate, self.counters.overdue),
            (FailureKind::CallbackDuplicate, self.counters.duplicates),
        ] {
            if count > 0 {
                *errors.entry(kind).or_default() += count;
            }
        }
        errors
    }
}

/// Why a run ended before its time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Stopped {
    /// The reason, in words.
    pub reason: String,
    /// Whether it was a limit that the run was given, rather than something gone wrong.
    pub planned: bool,
}

impl From<&Stop> for Stopped {
    fn from(stop: &Stop) -> Self {
        Self {
            reason: stop.to_string(),
            planned: stop.is_planned(),
        }
    }
}

/// The version of the form of a run file. It grows when a field changes its meaning or goes away.
///
/// It has no other value than ours: a file of another version cannot be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Schema;

impl Schema {
    /// Our version.
    pub const VERSION: u64 = 4;
}

impl Serialize for Schema {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(Self::VERSION)
    }
}

impl<'de> Deserialize<'de> for Schema {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match u64::deserialize(deserializer)? {
            Self::VERSION => Ok(Self),
            other => Err(de::Error::custom(RunFileError::Schema(other))),
        }
    }
}

/// Why a text is not a run file that can be read.
#[derive(Debug)]
#[non_exhaustive]
pub enum RunFileError {
    /// No JSON, or no run file.
    NoRunFile(serde_json::Error),
    /// A run file of this other schema.
    Schema(u64),
    /// A run file of our schema with something wrong in it.
    Content(serde_json::Error),
}

impl fmt::Display for RunFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRunFile(_) => f.write_str("read it as the file of a run"),
            Self::Schema(schema) => write!(
                f,
                "read a run file of schema {schema}; this version knows schema {}",
                Schema::VERSION
            ),
            Self::Content(_) => f.write_str("read all of the run file"),
        }
    }
}

impl std::error::Error for RunFileError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::NoRunFile(source) | Self::Content(source) => Some(source),
            Self::Schema(_) => None,
        }
    }
}

/// A run of 2 s at 50/s with nothing measured, for tests to fill.
#[cfg(test)]
pub(crate) fn sample_run() -> RunFile {
    let setup = crate::model::sample_setup();
    let started_at = "2026-11-24T06:00:00Z".to_owned();
    RunFile {
        schema: Schema,
        version: "0.1.0".to_owned(),
        run: RunId::of(&setup, 1, &started_at),
        setup,
        started_at,
        late_seconds: None,
        seconds: 2.0,
        shards: Shards::from(Shard::WHOLE),
        generator: Generator::here(2),
        counters: Counters::default(),
        warm_up: Counters::default(),
        flows: Measurements::default(),
        series: Vec::new(),
        stopped: None,
        spending: None,
        verdict: None,
    }
}

#[cfg(test)]
mod tests;
