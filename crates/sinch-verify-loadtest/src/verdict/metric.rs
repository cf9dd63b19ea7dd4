use std::fmt;
use std::str::FromStr;

use super::samples::TooFew;
use crate::model::UnknownName;
use crate::model::{FailureKind, FlowTally, Latency, ScenarioName, StepName};
use crate::runfile::RunFile;

/// Something that a run measured, under the name that thresholds use: `e2e.p99`, `sms.start.p50`,
/// `error-rate`, `dropped`, `flashcall.errors.api.40003`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Metric {
    /// The flow it is about; `None` for all together.
    pub(crate) flow: Option<ScenarioName>,
    /// What is measured.
    pub(crate) what: What,
}

/// What a [`Metric`] measures.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum What {
    /// `STEP.p99`, `STEP.max`: a figure of a distribution of times.
    Time(StepName, Statistic),
    /// `errors.KIND`: flows that failed in this way.
    Errors(FailureKind),
    /// `failed`: flows that failed.
    Failed,
    /// `error-rate`: the failed part of the finished flows.
    ErrorRate,
    /// `throughput`: flows finished in a second.
    Throughput,
    /// `dropped`: flows that were due and not started. Of the whole run only.
    Dropped,
}

/// A figure of a distribution.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Statistic {
    /// The longest.
    Max,
    /// The time that this many per cent are not above, between 0 and 100.
    Percentile(f64),
}

/// The unit of a metric's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Seconds.
    Time,
    /// A whole number.
    Count,
    /// A part of 1.
    Part,
    /// Times in a second.
    PerSecond,
}

/// The metrics that have no further parts, by name.
const PLAIN: [(&str, What); 4] = [
    ("error-rate", What::ErrorRate),
    ("throughput", What::Throughput),
    ("failed", What::Failed),
    ("dropped", What::Dropped),
];

impl Metric {
    /// The unit of its values.
    #[must_use]
    pub(crate) fn unit(&self) -> Unit {
        match self.what {
            What::Time(..) => Unit::Time,
            What::Errors(_) | What::Failed | What::Dropped => Unit::Count,
            What::ErrorRate => Unit::Part,
            What::Throughput => Unit::PerSecond,
        }
    }

    /// Its value in `run`, in its [unit](Self::unit); `None` where nothing was measured.
    #[must_use]
    pub(crate) fn of(&self, run: &RunFile) -> Option<f64> {
        let tally = self.tally(run)?;
        match self.what {
            What::Time(step, statistic) => {
                let times = tally.time(step).filter(|times| times.count() > 0)?;
                Some(statistic.of(times))
            }
            What::Errors(kind) => Some(match self.flow {
                Some(_) => tally.failures.get(&kind).map_or(0, |failures| failures.count),
                None => run.errors().get(&kind).copied().unwrap_or(0),
            } as f64),
            What::Failed => Some(tally.failed as f64),
            What::ErrorRate => {
                let finished = tally.finished();
                (finished > 0).then(|| tally.failed as f64 / finished as f64)
            }
            What::Throughput => run.per_second(tally.finished()),
            What::Dropped => Some(run.counters.dropped as f64),
        }
    }

    /// Checks that a verdict may depend on its value in `run`.
    ///
    /// # Errors
    ///
    /// When it is a percentile with too few samples.
    pub(crate) fn check_samples(&self, run: &RunFile) -> Result<(), TooFew> {
        let What::Time(step, Statistic::Percentile(percent)) = self.what else {
            return Ok(());
        };
        let tally = self.tally(run);
        let times = tally.as_ref().and_then(|tally| tally.time(step));
        TooFew::check(times.map_or(0, Latency::count), percent)
    }

    fn tally(&self, run: &RunFile) -> Option<FlowTally> {
        match self.flow {
            Some(flow) => run.flows.flow(flow).cloned(),
            None => Some(run.flows.total()),
        }
    }
}

impl Statistic {
    fn of(self, times: &Latency) -> f64 {
        let time = match self {
            Self::Max => times.max(),
            Self::Percentile(percent) => times.percentile(percent),
        };
        time.as_secs_f64()
    }

    fn read(text: &str) -> Option<Self> {
        match text {
            "max" => Some(Self::Max),
            _ => text.strip_prefix('p').and_then(percent).map(Self::Percentile),
        }
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
    (plain && percent > 0.0 && percent < 100.0).then_some(percent)
}

impl FromStr for Metric {
    type Err = UnknownName;

    /// Reads the form of the name. [`Thresholds::fit`](super::Thresholds::fit) checks that a run has the
    /// scenario and the step.
    fn from_str(text: &str) -> Result<Self, UnknownName> {
        let text = text.trim();
        if let Some(kind) = text.strip_prefix("errors.") {
            let what = What::Errors(kind.parse()?);
            return Ok(Self { flow: None, what });
        }
        if let Some((flow, kind)) = text.split_once(".errors.") {
            let (flow, what) = (Some(scenario(flow)?), What::Errors(kind.parse()?));
            return Ok(Self { flow, what });
        }
        let (of, last) = text
            .rsplit_once('.')
            .map_or((None, text), |(of, last)| (Some(of), last));
        let Some((_, what)) = PLAIN.into_iter().find(|(name, _)| *name == last) else {
            return time(text);
        };
        if what == What::Dropped && of.is_some() {
            let of_flow = PLAIN.into_iter().filter(|(_, what)| *what != What::Dropped);
            let names = of_flow.map(|(name, _)| name).chain(["errors"]).collect();
            return Err(UnknownName::new("metric of a flow", last, names));
        }
        let flow = of.map(scenario).transpose()?;
        Ok(Self { flow, what })
    }
}

/// Reads `STEP.STATISTIC`, with a scenario in front of it or without.
fn time(text: &str) -> Result<Metric, UnknownName> {
    // A percentile may have a point in it.
    let mut dots = text.match_indices('.').map(|(at, _)| at);
    let split = dots.find_map(|at| Some((&text[..at], Statistic::read(&text[at + 1..])?)));
    let Some((name, statistic)) = split else {
        let is_step = StepName::standard().any(|step| step.as_str() == text);
        let last = text.rsplit_once('.').map(|(_, last)| last);
        return match last.or_else(|| is_step.then_some("")) {
            Some(last) => Err(UnknownName::new(
                "statistic",
                last,
                vec!["p50", "p90", "p95", "p99", "p99.9", "max"],
            )),
            None => Err(unknown(text)),
        };
    };
    let (flow, step) = name
        .split_once('.')
        .map_or((None, name), |(flow, step)| (Some(flow), step));
    let flow = flow.map(scenario).transpose()?;
    let step = step.parse().map_err(|_| unknown(step))?;
    let what = What::Time(step, statistic);
    Ok(Metric { flow, what })
}

fn scenario(name: &str) -> Result<ScenarioName, UnknownName> {
    name.parse().map_err(|_| unknown(name))
}

fn unknown(name: &str) -> UnknownName {
    let plain = PLAIN.into_iter().map(|(name, _)| name);
    let steps = StepName::standard().map(StepName::as_str);
    UnknownName::new("metric", name, steps.chain(plain).chain(["errors"]).collect())
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(flow) = self.flow {
            write!(f, "{flow}.")?;
        }
        match self.what {
            What::Time(step, statistic) => write!(f, "{step}.{statistic}"),
            What::Errors(kind) => write!(f, "errors.{kind}"),
            plain => {
                let name = PLAIN.into_iter().find(|(_, what)| *what == plain);
                f.write_str(name.map_or("", |(name, _)| name))
            }
        }
    }
}

impl fmt::Display for Statistic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
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
            "flashcall.start.max",
            "lag.max",
            "callout.cb-srv.p50",
            "signup.p99",
            "signup.confirm.p99.9",
            "error-rate",
            "sms.error-rate",
            "throughput",
            "sms.throughput",
            "failed",
            "sms.failed",
            "dropped",
            "errors.callback.late",
            "errors.api.40003",
            "sms.errors.http.5xx.503",
            "errors.generator.dropped",
        ] {
            assert_eq!(name.parse::<Metric>().unwrap().to_string(), name);
        }
        for (text, name) in [("e2e.p999", "e2e.p99.9"), (" e2e.p9999 ", "e2e.p99.99")] {
            assert_eq!(text.parse::<Metric>().unwrap().to_string(), name);
        }
    }

    #[test]
    fn error_names_the_nearest_metric() {
        for (text, what, nearest) in [
            ("E2E.p99", "metric", "e2e"),
            ("sms.E2E.p99", "metric", "e2e"),
            ("e2e.p9x", "statistic", "p90"),
            ("e2e.p0", "statistic", "p50"),
            ("e2e.p100", "statistic", "p50"),
            ("e2e.mx", "statistic", "max"),
            ("e2e", "statistic", "p50"),
            ("errorrate", "metric", "error-rate"),
            ("error_rate", "metric", "error-rate"),
            ("droped", "metric", "dropped"),
            ("errors.conect", "kind of failure", "connect"),
            ("errors.", "kind of failure", "dns"),
            ("sms.dropped", "metric of a flow", "error-rate"),
            ("", "metric", "e2e"),
        ] {
            let error = text.parse::<Metric>().unwrap_err();
            assert_eq!((error.what, error.nearest), (what, nearest), "{text}");
        }
    }
}
