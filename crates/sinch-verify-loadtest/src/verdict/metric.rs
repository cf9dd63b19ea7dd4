use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::model::{Counter, FailureKind, FlowTally, Latency, ScenarioName, StepName};
use crate::names::{UnknownName, named};
use crate::runfile::RunFile;

/// Something that a run measured, under the name that thresholds use: `e2e.p99`, `sms.start.p50`,
/// `error-rate`, `dropped`, `flashcall.errors.api.40003`.
///
/// ```
/// use sinch_verify_loadtest::verdict::Metric;
///
/// let metric: Metric = "sms.e2e.p999".parse()?;
/// assert_eq!(metric.to_string(), "sms.e2e.p99.9");
/// assert_eq!("eror-rate".parse::<Metric>().unwrap_err().nearest, "error-rate");
/// # Ok::<(), sinch_verify_loadtest::UnknownName>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Metric {
    /// The flow it is about; `None` for all together.
    pub flow: Option<ScenarioName>,
    /// What about it.
    pub what: What,
}

/// What a [`Metric`] is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum What {
    /// A figure of a distribution of times.
    Time(StepName, Statistic),
    /// A count.
    Count(Counter),
    /// A ratio, or a count in a second.
    Rate(Ratio),
    /// How many flows failed in this way.
    Errors(FailureKind),
}

/// A figure of a distribution.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Statistic {
    /// How many times were counted.
    Count,
    /// The shortest.
    Min,
    /// The mean.
    Mean,
    /// The longest.
    Max,
    /// The time that this many per cent are not above.
    Percentile(f64),
}

named! {
    /// A ratio, or a count in a second, in thresholds.
    pub enum Ratio as "rate" {
        /// The failed of the finished flows.
        Errors = "error-rate",
        /// The dropped of the scheduled flows. Of the whole run only.
        Dropped = "dropped-rate",
        /// The late of the started flows. Of the whole run only.
        Late = "late-rate",
        /// Flows finished in a second.
        Throughput = "throughput",
        /// Requests sent in a second.
        Requests = "request-rate",
    }
}

impl Ratio {
    /// Whether it is known for the run as a whole only.
    fn is_of_run(self) -> bool {
        matches!(self, Self::Dropped | Self::Late)
    }
}

/// What the values of a metric are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Seconds.
    Time,
    /// A whole number.
    Count,
    /// A part of 1.
    Part,
    /// Times in a second.
    PerSecond,
}

impl Metric {
    /// What its values are.
    #[must_use]
    pub fn unit(&self) -> Unit {
        match self.what {
            What::Time(_, Statistic::Count) | What::Count(_) | What::Errors(_) => Unit::Count,
            What::Time(..) => Unit::Time,
            What::Rate(Ratio::Errors | Ratio::Dropped | Ratio::Late) => Unit::Part,
            What::Rate(Ratio::Throughput | Ratio::Requests) => Unit::PerSecond,
        }
    }

    /// Its value in `run`, in its [unit](Self::unit); `None` where nothing was measured.
    #[must_use]
    pub fn of(&self, run: &RunFile) -> Option<f64> {
        let total;
        let tally = match self.flow {
            Some(flow) => run.flows.flow(flow)?,
            None => {
                total = run.flows.total();
                &total
            }
        };
        match self.what {
            What::Time(interval, statistic) => statistic.of(tally.time(interval)),
            What::Count(counter) => {
                let count = tally.get(counter).or_else(|| run.counters.get(counter))?;
                Some(count as f64)
            }
            What::Errors(kind) => {
                let count = match self.flow {
                    Some(_) => tally.failures.get(&kind).map(|failures| failures.count),
                    None => run.errors().get(&kind).copied(),
                };
                Some(count.unwrap_or(0) as f64)
            }
            What::Rate(ratio) => rate(run, tally, ratio),
        }
    }
}

fn rate(run: &RunFile, tally: &FlowTally, ratio: Ratio) -> Option<f64> {
    let (part, whole) = match ratio {
        Ratio::Errors => (tally.failed, tally.finished()),
        Ratio::Dropped => (run.counters.dropped, run.counters.scheduled),
        Ratio::Late => (run.counters.late, run.counters.started),
        Ratio::Throughput => return run.per_second(tally.finished()),
        Ratio::Requests => return run.per_second(tally.requests),
    };
    (whole > 0).then(|| part as f64 / whole as f64)
}

impl Statistic {
    fn of(self, times: Option<&Latency>) -> Option<f64> {
        let Self::Count = self else {
            return self.time(times.filter(|times| times.count() > 0)?);
        };
        Some(times.map_or(0, Latency::count) as f64)
    }

    fn time(self, times: &Latency) -> Option<f64> {
        let time = match self {
            Self::Count => return None,
            Self::Min => times.min(),
            Self::Mean => times.mean(),
            Self::Max => times.max(),
            Self::Percentile(percent) => times.percentile(percent),
        };
        Some(Duration::as_secs_f64(&time))
    }

    fn read(text: &str) -> Option<Self> {
        match text {
            "count" => Some(Self::Count),
            "min" => Some(Self::Min),
            "mean" => Some(Self::Mean),
            "max" => Some(Self::Max),
            _ => text.strip_prefix('p').and_then(percent).map(Self::Percentile),
        }
    }

    /// Splits a text into what is in front of the statistic at its end, and that.
    fn split(text: &str) -> Option<(&str, Self)> {
        // A percentile may have a point in it.
        let mut splits = text
            .match_indices('.')
            .map(|(at, _)| (&text[..at], &text[at + 1..]));
        splits.find_map(|(name, statistic)| Some((name, Self::read(statistic)?)))
    }
}

/// `99`, `99.9`, or `999` as people write it where a point is in the way.
fn percent(text: &str) -> Option<f64> {
    let digits = text.len() > 2 && text.bytes().all(|byte| byte.is_ascii_digit()) && text != "100";
    let point = if digits {
        format!("{}.{}", text.get(..2)?, text.get(2..)?)
    } else {
        text.to_owned()
    };
    let plain = point.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let percent: f64 = point.parse().ok()?;
    (plain && percent > 0.0 && percent <= 100.0).then_some(percent)
}

impl FromStr for Metric {
    type Err = UnknownName;

    /// Reads the form of the name. Whether a run has the scenario and the step in it is known when the
    /// run is.
    fn from_str(text: &str) -> Result<Self, UnknownName> {
        let text = text.trim();
        let (flow, rest) = match text.split_once('.') {
            Some((first, rest)) if first != "errors" && is_of_flow(rest) => {
                let scenario = first.parse().map_err(|_| unknown(first, true))?;
                (Some(scenario), rest)
            }
            _ => (None, text),
        };
        let what = what(rest, flow.is_none())?;
        let of_run = match what {
            What::Count(counter) => !is_counted_by_flow(counter),
            What::Rate(ratio) => ratio.is_of_run(),
            What::Time(..) | What::Errors(_) => false,
        };
        if flow.is_some() && of_run {
            return Err(UnknownName::new("metric of a flow", rest, names(false)));
        }
        Ok(Self { flow, what })
    }
}

/// Whether what stands behind the first point of a metric is a metric by itself, so that a scenario is
/// in front of it.
fn is_of_flow(rest: &str) -> bool {
    match Statistic::split(rest) {
        // `e2e.p99.9` is no step `p99`.
        Some((step, _)) => Statistic::read(step).is_none(),
        None => {
            rest.starts_with("errors.") || rest.parse::<Counter>().is_ok() || rest.parse::<Ratio>().is_ok()
        }
    }
}

/// Reads what stands behind the scenario; for the run as a whole where `of_run` says so.
fn what(text: &str, of_run: bool) -> Result<What, UnknownName> {
    if let Some(kind) = text.strip_prefix("errors.") {
        return kind.parse().map(What::Errors);
    }
    if let Some((step, statistic)) = Statistic::split(text) {
        let step = step.parse().map_err(|_| unknown(step, of_run))?;
        return Ok(What::Time(step, statistic));
    }
    let counter = text.parse().map(What::Count).ok();
    let whole = counter.or_else(|| text.parse().map(What::Rate).ok());
    whole.ok_or_else(|| match text.rsplit_once('.') {
        Some((_, statistic)) => {
            let all = ["p50", "p90", "p95", "p99", "p99.9", "min", "mean", "max", "count"];
            UnknownName::new("statistic", statistic, all.into())
        }
        None => unknown(text, of_run),
    })
}

fn unknown(name: &str, of_run: bool) -> UnknownName {
    UnknownName::new("metric", name, names(of_run))
}

/// Whether it is counted by flow, and not for the run as a whole only.
fn is_counted_by_flow(counter: Counter) -> bool {
    FlowTally::default().get(counter).is_some()
}

/// The first words of metrics; those of the run as a whole only where `of_run` says so.
fn names(of_run: bool) -> Vec<&'static str> {
    let steps = StepName::standard().map(StepName::as_str);
    let counters = Counter::all()
        .filter(|counter| of_run || is_counted_by_flow(*counter))
        .map(Counter::as_str);
    let ratios = Ratio::all()
        .filter(|ratio| of_run || !ratio.is_of_run())
        .map(Ratio::as_str);
    steps.chain(counters).chain(ratios).chain(["errors"]).collect()
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(flow) = self.flow {
            write!(f, "{flow}.")?;
        }
        match self.what {
            What::Time(interval, statistic) => write!(f, "{interval}.{statistic}"),
            What::Count(counter) => counter.fmt(f),
            What::Rate(ratio) => ratio.fmt(f),
            What::Errors(kind) => write!(f, "errors.{kind}"),
        }
    }
}

impl fmt::Display for Statistic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count => f.write_str("count"),
            Self::Min => f.write_str("min"),
            Self::Mean => f.write_str("mean"),
            Self::Max => f.write_str("max"),
            Self::Percentile(percent) => write!(f, "p{percent}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back() {
        for name in [
            "e2e.p99",
            "sms.e2e.p99.9",
            "flashcall.start.mean",
            "lag.max",
            "cb-in.count",
            "callout.cb-srv.min",
            "error-rate",
            "sms.error-rate",
            "dropped-rate",
            "late-rate",
            "throughput",
            "request-rate",
            "sms.throughput",
            "scheduled",
            "sms.failed",
            "overdue",
            "orphans",
            "errors.callback.late",
            "errors.api.40003",
            "sms.errors.http.5xx.503",
            "errors.generator.dropped",
            "errors.aborted",
            "signup.p99",
            "signup.confirm.p99.9",
            "signup.errors.http.4xx.409",
        ] {
            assert_eq!(name.parse::<Metric>().unwrap().to_string(), name);
        }
        for (text, name) in [
            ("e2e.p999", "e2e.p99.9"),
            (" e2e.p9999 ", "e2e.p99.99"),
            ("e2e.p100", "e2e.p100"),
        ] {
            assert_eq!(text.parse::<Metric>().unwrap().to_string(), name);
        }
    }

    #[test]
    fn nearest_name_is_suggested() {
        for (text, what, nearest) in [
            ("e2e.p9x", "statistic", "p90"),
            ("e2e.p0", "statistic", "p50"),
            ("e2e", "metric", "e2e"),
            ("errorrate", "metric", "error-rate"),
            ("error_rate", "metric", "error-rate"),
            ("droped", "metric", "dropped"),
            ("E2E.p99", "metric", "e2e"),
            ("errors.conect", "kind of failure", "connect"),
            ("errors.", "kind of failure", "dns"),
            ("sms.dropped", "metric of a flow", "aborted"),
            ("", "metric", "e2e"),
        ] {
            let error = text.parse::<Metric>().unwrap_err();
            assert_eq!((error.what, error.nearest), (what, nearest), "{text}");
        }
    }
}
