//! Two runs beside each other: what became slower.

use std::fmt::{self, Write as _};

use crate::runfile::RunFile;
use crate::verdict::{Exit, Metric};

/// What a run is judged by beside another one: how long it all took, how much was done, how much went
/// wrong.
const JUDGED: [&str; 4] = ["e2e.p50", "e2e.p99", "throughput", "error-rate"];
/// What is shown beside, to tell where a difference comes from.
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
/// Metrics of which more is better.
const MORE: [&str; 1] = ["throughput"];

/// A run beside the one that it is measured by.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Comparison {
    /// Metric by metric, the judged ones first.
    pub rows: Vec<Row>,
}

/// One metric in both runs.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Row {
    /// Which.
    pub metric: Metric,
    /// In the first run; `None` where it was not measured.
    pub before: Option<f64>,
    /// In the second.
    pub after: Option<f64>,
    /// Whether it is judged, and how.
    pub judged: Option<Judged>,
}

/// What became of a metric that is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judged {
    /// No worse than it may be.
    Kept,
    /// Worse than that.
    Worse,
}

impl Comparison {
    /// Compares `after` with `before`; a metric may become worse by the part `margin`, such as 0.1.
    ///
    /// # Errors
    ///
    /// When one of them says nothing about its target, or they were not set up alike.
    pub fn of(before: &RunFile, after: &RunFile, margin: f64) -> Result<Self, NotComparable> {
        for (which, run) in [("first", before), ("second", after)] {
            let verdict = run.verdict.as_ref().map(|verdict| verdict.exit);
            if !matches!(verdict, Some(Exit::Pass | Exit::Failed)) {
                return Err(NotComparable::Unusable { which, verdict });
            }
        }
        let alike: [(&'static str, [String; 2]); 5] = [
            ("scenario", [before, after].map(|run| run.setup.what())),
            (
                "setting",
                [before, after].map(|run| run.setup.setting.to_string()),
            ),
            ("load", [before, after].map(|run| run.setup.load.to_string())),
            (
                "use of callbacks",
                [before, after].map(|run| run.setup.callbacks.to_string()),
            ),
            (
                "transport",
                [before, after].map(|run| run.setup.transport.to_string()),
            ),
        ];
        if let Some((what, [before, after])) = alike.into_iter().find(|(_, [one, other])| one != other) {
            return Err(NotComparable::Unlike { what, before, after });
        }
        let row = |name: &&'static str, judged: bool| {
            // The names above are metrics, which a test checks.
            let metric: Metric = name.parse().ok()?;
            let (one, other) = (metric.of(before), metric.of(after));
            if one.is_none() && other.is_none() {
                return None;
            }
            let judged = judged.then(|| judge(one, other, MORE.contains(name), margin));
            Some(Row {
                metric,
                before: one,
                after: other,
                judged,
            })
        };
        let judged = JUDGED.iter().filter_map(|name| row(name, true));
        let shown = SHOWN.iter().filter_map(|name| row(name, false));
        Ok(Self {
            rows: judged.chain(shown).collect(),
        })
    }

    /// Whether anything that is judged became worse than it may.
    #[must_use]
    pub fn is_worse(&self) -> bool {
        self.rows.iter().any(|row| row.judged == Some(Judged::Worse))
    }

    /// A table for a terminal, ending in a line break.
    #[must_use]
    pub fn table(&self) -> String {
        let mut out = String::new();
        let _ = writeln!(
            out,
            " {:<12} {:>14} {:>14} {:>8}",
            "metric", "before", "after", "ratio"
        );
        for row in &self.rows {
            let unit = row.metric.unit();
            let show =
                |value: Option<f64>| value.map_or_else(|| "nothing".to_owned(), |value| unit.show(value));
            let ratio = match (row.before, row.after) {
                (Some(before), Some(after)) if before > 0.0 => format!("{:.2}", after / before),
                _ => String::new(),
            };
            let judged = match row.judged {
                Some(Judged::Worse) => "WORSE",
                Some(Judged::Kept) => "kept",
                None => "",
            };
            let line = format!(
                " {:<12} {:>14} {:>14} {ratio:>8}  {judged}",
                row.metric.to_string(),
                show(row.before),
                show(row.after),
            );
            let _ = writeln!(out, "{}", line.trim_end());
        }
        out
    }
}

/// What was measured before and is not any more, because nothing got that far, is worse, too.
fn judge(before: Option<f64>, after: Option<f64>, more_is_better: bool, margin: f64) -> Judged {
    let kept = match (before, after) {
        (Some(before), Some(after)) if more_is_better => after >= before * (1.0 - margin),
        (Some(before), Some(after)) => after <= before * (1.0 + margin),
        (Some(_), None) => false,
        (None, _) => true,
    };
    if kept { Judged::Kept } else { Judged::Worse }
}

/// Two runs that cannot be compared.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotComparable {
    /// A run says nothing about its target, or was not judged.
    Unusable {
        /// `first` or `second`.
        which: &'static str,
        /// Its verdict.
        verdict: Option<Exit>,
    },
    /// They were set up otherwise.
    Unlike {
        /// In what.
        what: &'static str,
        /// The first.
        before: String,
        /// The second.
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
                "the {which} run is {verdict}, so its figures say nothing; run it again"
            ),
            Self::Unusable { which, verdict: None } => write!(
                f,
                "the {which} run was not judged: merge its shards first, and compare what that writes"
            ),
            Self::Unlike { what, before, after } => write!(
                f,
                "the runs have another {what}, {before} and {after}: what differs would say nothing about the target"
            ),
        }
    }
}

impl std::error::Error for NotComparable {}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::{Failure, FailureKind, FlowEnd, FlowRecord, Load, Second};
    use crate::runfile::sample_run;
    use crate::verdict::{Thresholds, Verdict};

    /// A hundred flows of 1 to 100 times `ms`, of which `failed` failed and the others are judged well.
    fn run(ms: u64, failed: u64) -> RunFile {
        let mut run = sample_run();
        for flow in 1..=100 {
            let started = Duration::from_secs(1);
            let end = if flow <= failed {
                FlowEnd::Failed(Failure::new(FailureKind::Decode, "why"))
            } else {
                FlowEnd::Succeeded
            };
            let ended = started + Duration::from_millis(flow * ms);
            run.flows
                .record(&FlowRecord::sample(started, started, ended, end));
        }
        run.counters.scheduled = 100;
        run.counters.started = 100;
        run.counters.finished = 100;
        run.counters.failed = failed;
        let mut seconds = [Second::default(), Second::default()];
        for (at, second) in seconds.iter_mut().enumerate() {
            second.at = at as u64;
            second.finished = 50;
        }
        run.series = seconds.to_vec();
        run.verdict = Some(Verdict::judge(&run, &Thresholds::default()));
        run
    }

    fn worse(before: &RunFile, after: &RunFile) -> Vec<String> {
        let comparison = Comparison::of(before, after, 0.1).unwrap();
        let worse = comparison
            .rows
            .iter()
            .filter(|row| row.judged == Some(Judged::Worse));
        let worse: Vec<_> = worse.map(|row| row.metric.to_string()).collect();
        assert_eq!(comparison.is_worse(), !worse.is_empty());
        worse
    }

    #[test]
    fn every_name_is_a_metric() {
        for name in JUDGED.iter().chain(&SHOWN).chain(&MORE) {
            assert_eq!(name.parse::<Metric>().unwrap().to_string(), **name);
        }
    }

    #[test]
    fn slower_and_failing_is_worse_and_faster_is_not() {
        let usual = run(100, 0);
        assert!(worse(&usual, &usual).is_empty());
        assert!(worse(&usual, &run(109, 0)).is_empty(), "within the margin");
        assert_eq!(worse(&usual, &run(112, 0)), ["e2e.p50", "e2e.p99"]);
        assert!(worse(&run(112, 0), &usual).is_empty());
        assert_eq!(
            worse(&usual, &run(100, 1)),
            ["error-rate"],
            "none failed, so none may"
        );
        assert_eq!(
            worse(&usual, &run(100, 100)),
            ["e2e.p50", "e2e.p99", "error-rate"]
        );
        let mut slow = run(100, 0);
        for second in &mut slow.series {
            second.finished = 40;
        }
        assert_eq!(worse(&usual, &slow), ["throughput"]);
    }

    #[test]
    fn table_shows_both_and_the_ratio() {
        let table = Comparison::of(&run(100, 0), &run(150, 0), 0.1).unwrap().table();
        let row = table.lines().find(|line| line.contains("e2e.p50")).unwrap();
        assert!(row.contains("1.50") && row.ends_with("WORSE"), "{table}");
        let other = table.lines().find(|line| line.contains("e2e.max")).unwrap();
        assert!(other.ends_with("1.50"), "shown and not judged: {table}");
    }

    #[test]
    fn what_cannot_be_compared_is_told() {
        let usual = run(100, 0);
        let mut closed = usual.clone();
        closed.setup.load = Load::closed(4);
        let mut doubtful = usual.clone();
        doubtful.generator.cpu = Some(0.99);
        doubtful.verdict = Some(Verdict::judge(&doubtful, &Thresholds::default()));
        let mut shard = usual.clone();
        shard.verdict = None;
        for (after, says) in [
            (closed, "another load, 50/s and 4 users"),
            (doubtful, "the second run is invalid"),
            (shard, "merge its shards first"),
        ] {
            let error = Comparison::of(&usual, &after, 0.1).unwrap_err();
            assert!(error.to_string().contains(says), "{error}");
        }
    }
}
