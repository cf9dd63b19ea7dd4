//! Two runs beside each other: what became slower.

use std::fmt;
use std::time::Duration;

use crate::report::{Column, Table, Tone};
use crate::runfile::RunFile;
use crate::verdict::{Exit, Metric, TooFew, Unit};

/// The metrics that are judged: how long flows took, how many were done, how many failed.
const JUDGED: [&str; 4] = ["e2e.p50", "e2e.p99", "throughput", "error-rate"];
/// The metrics that are shown too, because they tell where a difference comes from.
const SHOWN: [&str; 8] = [
    "e2e.p90",
    "e2e.max",
    "lag.p99",
    "start.p50",
    "start.p99",
    "report.p50",
    "report.p99",
    "result.p99",
];
/// An error rate that was not zero may rise by this much, whatever the relative tolerance: one flow more in a
/// thousand.
const ERROR_RATE: f64 = 0.001;

/// What two runs must have in common, and its value in a run.
type Property = (&'static str, fn(&RunFile) -> String);

/// How much worse a metric may become. Both bounds must be exceeded: a small relative difference is noise, and
/// so is a large one of a very short time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Tolerance {
    /// The relative bound, such as 0.1 for 10 %.
    pub(crate) part: f64,
    /// The absolute bound on times.
    pub(crate) time: Duration,
}

/// A run beside the one that it is compared with.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub(crate) struct Comparison {
    /// Metric by metric, the judged ones first.
    pub(crate) rows: Vec<Row>,
}

/// One metric in both runs.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub(crate) struct Row {
    /// The metric.
    pub(crate) metric: Metric,
    /// Its value in the first run; `None` where it was not measured.
    pub(crate) before: Option<f64>,
    /// Its value in the second.
    pub(crate) after: Option<f64>,
    /// The result; `None` where it is only shown.
    pub(crate) result: Option<Change>,
}

/// The result for a metric that is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// No worse than the tolerance.
    Kept,
    /// Worse than the tolerance.
    Worse,
    /// Not judged: a run has too few samples.
    TooFew(TooFew),
}

impl Comparison {
    /// Compares `after` with `before`.
    ///
    /// # Errors
    ///
    /// When the figures of one of them do not describe its target, or they were not set up alike.
    pub(crate) fn of(before: &RunFile, after: &RunFile, tolerance: Tolerance) -> Result<Self, NotComparable> {
        for (which, run) in [("first", before), ("second", after)] {
            let verdict = run.verdict.as_ref().map(|verdict| verdict.exit);
            if !matches!(verdict, Some(Exit::Pass | Exit::Failed)) {
                return Err(NotComparable::Unusable { which, verdict });
            }
        }
        let alike: [Property; 5] = [
            ("scenario", |run| run.setup.what()),
            ("setting", |run| run.setup.setting.to_string()),
            ("load", |run| run.setup.load.to_string()),
            ("use of callbacks", |run| run.setup.callbacks.to_string()),
            ("transport", |run| run.setup.transport.to_string()),
        ];
        for (what, of) in alike {
            let (before, after) = (of(before), of(after));
            if before != after {
                return Err(NotComparable::Unlike { what, before, after });
            }
        }
        let judged = JUDGED.iter().map(|name| (name, true));
        let shown = SHOWN.iter().map(|name| (name, false));
        let rows = judged.chain(shown).filter_map(|(name, is_judged)| {
            // The names above are metrics, which a test checks.
            let metric: Metric = name.parse().ok()?;
            let (one, other) = (metric.of(before), metric.of(after));
            if one.is_none() && other.is_none() {
                return None;
            }
            Some(Row {
                metric,
                before: one,
                after: other,
                result: is_judged.then(|| judge(metric, [before, after], [one, other], tolerance)),
            })
        });
        Ok(Self { rows: rows.collect() })
    }

    /// Whether a metric that is judged became worse than the tolerance.
    #[must_use]
    pub(crate) fn is_worse(&self) -> bool {
        self.rows.iter().any(|row| row.result == Some(Change::Worse))
    }

    /// A table for a terminal, ending in a line break.
    #[must_use]
    pub(crate) fn text(&self) -> String {
        let mut table = Table::new([
            Column::Text("metric"),
            Column::Number("before"),
            Column::Number("after"),
            Column::Number("ratio"),
            Column::Text("result"),
        ]);
        for row in &self.rows {
            let unit = row.metric.unit();
            let show = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| unit.show(value));
            let ratio = match (row.before, row.after) {
                (Some(before), Some(after)) if before > 0.0 => format!("{:.2}", after / before),
                _ => String::new(),
            };
            let result = match row.result {
                Some(Change::Worse) => "WORSE".to_owned(),
                Some(Change::Kept) => "kept".to_owned(),
                Some(Change::TooFew(too_few)) => format!("not judged: {too_few}"),
                None => String::new(),
            };
            let cells = [
                row.metric.to_string(),
                show(row.before),
                show(row.after),
                ratio,
                result,
            ];
            table.push(Tone::Plain, cells);
        }
        table.text()
    }
}

fn judge(metric: Metric, runs: [&RunFile; 2], values: [Option<f64>; 2], tolerance: Tolerance) -> Change {
    let (before, after) = match values {
        [Some(before), Some(after)] => (before, after),
        // No flow gets this far any more.
        [Some(_), None] => return Change::Worse,
        [None, _] => return Change::Kept,
    };
    if let Err(too_few) = runs.iter().try_for_each(|run| metric.check_samples(run)) {
        return Change::TooFew(too_few);
    }
    let worse_by = match metric.unit() {
        Unit::PerSecond => before - after,
        _ => after - before,
    };
    let least = match metric.unit() {
        Unit::Time => tolerance.time.as_secs_f64(),
        // Where no flow failed before, none may.
        Unit::Part if before > 0.0 => ERROR_RATE,
        _ => 0.0,
    };
    if worse_by > before * tolerance.part && worse_by > least {
        Change::Worse
    } else {
        Change::Kept
    }
}

/// Two runs that cannot be compared.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub(crate) enum NotComparable {
    /// The figures of a run do not describe its target, or it was not judged.
    Unusable {
        /// `first` or `second`.
        which: &'static str,
        /// Its verdict.
        verdict: Option<Exit>,
    },
    /// They were set up differently.
    Unlike {
        /// What differs.
        what: &'static str,
        /// In the first.
        before: String,
        /// In the second.
        after: String,
    },
}

impl fmt::Display for NotComparable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unusable {
                which,
                verdict: Some(verdict),
            } => write!(
                f,
                "the verdict on the {which} run is `{verdict}`, so its figures do not describe the target"
            ),
            Self::Unusable { which, verdict: None } => {
                write!(f, "the {which} file is a shard without a verdict")
            }
            Self::Unlike { what, before, after } => {
                write!(f, "the runs differ in their {what}: {before} and {after}")
            }
        }
    }
}

impl std::error::Error for NotComparable {}

impl NotComparable {
    /// What to do about it.
    #[must_use]
    pub(crate) fn hint(&self) -> &'static str {
        match self {
            Self::Unusable { verdict: Some(_), .. } => "repeat that run",
            Self::Unusable { verdict: None, .. } => {
                "merge all shards with `merge --json`, and compare what it writes"
            }
            Self::Unlike { .. } => "repeat one run with the options of the other",
        }
    }
}

#[cfg(test)]
mod tests;
