use std::fmt;
use std::str::FromStr;

use sinch_verify_protocol::duration;

use super::metric::{Metric, Unit, What};
use super::{Check, CheckResult};
use crate::model::UnknownName;
use crate::model::{FailureKind, ScenarioName};
use crate::runfile::RunFile;

/// A limit on a metric: `sms.e2e.p99 < 200ms`, `error-rate <= 0.1%`, `throughput >= 95/s`, `dropped = 0`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Threshold {
    metric: Metric,
    limit: Limit,
}

/// The values that pass.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Limit {
    comparison: Comparison,
    /// In the metric's unit.
    value: f64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Comparison {
    Below,
    AtMost,
    Above,
    AtLeast,
    Equal,
}

impl Threshold {
    /// Reads a threshold from the name of its metric and the text of its limit.
    ///
    /// # Errors
    ///
    /// When there is no such metric, or the limit does not fit it.
    pub(crate) fn new(metric: &str, limit: &str) -> Result<Self, ThresholdError> {
        let metric: Metric = metric.parse().map_err(ThresholdError::Metric)?;
        let limit = Limit::read(limit.trim(), metric.unit())?;
        Ok(Self { metric, limit })
    }

    /// The metric that it limits.
    #[must_use]
    pub(crate) fn metric(&self) -> Metric {
        self.metric
    }

    /// Whether it is an upper limit on failures of `flow` by `kind`: on all failures, on those of the flow
    /// or on those of the kind.
    #[must_use]
    pub(crate) fn limits_failures(&self, flow: ScenarioName, kind: FailureKind) -> bool {
        let of_flow = self.metric.flow.is_none_or(|own| own == flow);
        let of_kind = match self.metric.what {
            What::ErrorRate | What::Failed => true,
            What::Errors(own) => own == kind,
            _ => false,
        };
        let upper = matches!(
            self.limit.comparison,
            Comparison::Below | Comparison::AtMost | Comparison::Equal
        );
        of_flow && of_kind && upper
    }

    /// Compares the limit with what `run` measured.
    #[must_use]
    pub(crate) fn check(&self, run: &RunFile) -> Check {
        let value = self.metric.of(run);
        let (measured, result) = match (value, self.metric.check_samples(run)) {
            (None, _) => ("not measured".to_owned(), CheckResult::NotMeasured),
            (Some(_), Err(too_few)) => (too_few.to_string(), CheckResult::NotJudged),
            (Some(value), Ok(())) => {
                let result = if self.limit.holds(value) {
                    CheckResult::Passed
                } else {
                    CheckResult::Failed
                };
                (self.metric.unit().show(value), result)
            }
        };
        Check {
            metric: self.metric.to_string(),
            limit: self.limit(),
            measured,
            result,
        }
    }

    /// The limit alone, such as `< 250 ms`.
    #[must_use]
    pub(crate) fn limit(&self) -> String {
        let sign = match self.limit.comparison {
            Comparison::Below => "<",
            Comparison::AtMost => "<=",
            Comparison::Above => ">",
            Comparison::AtLeast => ">=",
            Comparison::Equal => "=",
        };
        format!("{sign} {}", self.metric.unit().show(self.limit.value))
    }
}

impl FromStr for Threshold {
    type Err = ThresholdError;

    fn from_str(text: &str) -> Result<Self, ThresholdError> {
        let at = text.find(['<', '>', '=']).ok_or(ThresholdError::Syntax)?;
        let (metric, limit) = text.split_at(at);
        Self::new(metric, limit)
    }
}

impl fmt::Display for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.metric, self.limit())
    }
}

impl Limit {
    fn read(text: &str, unit: Unit) -> Result<Self, ThresholdError> {
        let signs = [
            ("<=", Comparison::AtMost),
            (">=", Comparison::AtLeast),
            ("==", Comparison::Equal),
            ("<", Comparison::Below),
            (">", Comparison::Above),
            ("=", Comparison::Equal),
        ];
        let (rest, comparison) = signs
            .into_iter()
            .find_map(|(sign, comparison)| Some((text.strip_prefix(sign)?, comparison)))
            .ok_or(ThresholdError::Syntax)?;
        let value = unit.read(rest.trim()).ok_or(ThresholdError::Value(unit))?;
        Ok(Self { comparison, value })
    }

    fn holds(&self, value: f64) -> bool {
        let limit = self.value;
        match self.comparison {
            Comparison::Below => value < limit,
            Comparison::AtMost => value <= limit,
            Comparison::Above => value > limit,
            Comparison::AtLeast => value >= limit,
            Comparison::Equal => (value - limit).abs() < f64::EPSILON,
        }
    }
}

impl Unit {
    fn read(self, text: &str) -> Option<f64> {
        let number = |text: &str| {
            let plain = text
                .trim()
                .bytes()
                .all(|byte| byte.is_ascii_digit() || byte == b'.');
            text.trim().parse::<f64>().ok().filter(|_| plain)
        };
        match self {
            Self::Time => duration::parse(text).ok().map(|time| time.as_secs_f64()),
            Self::Count => text.parse::<u32>().ok().map(f64::from),
            Self::Part => number(text.strip_suffix('%')?).map(|percent| percent / 100.0),
            Self::PerSecond => number(text.strip_suffix("/s")?),
        }
    }

    /// A value of this unit as text, such as `12.5 ms`.
    #[must_use]
    pub(crate) fn show(self, value: f64) -> String {
        match self {
            Self::Time => milliseconds(value),
            Self::Count => format!("{value}"),
            Self::Part => format!("{} %", short(value * 100.0)),
            Self::PerSecond => format!("{}/s", short(value)),
        }
    }

    fn example(self) -> &'static str {
        match self {
            Self::Time => "a time such as 250ms or 1.5s",
            Self::Count => "a whole number",
            Self::Part => "a part such as 0.1%",
            Self::PerSecond => "a rate such as 95/s",
        }
    }
}

/// Seconds as milliseconds.
fn milliseconds(seconds: f64) -> String {
    format!("{} ms", short(seconds * 1000.0))
}

/// Four digits or more, at most three decimals, no zeros at the end.
fn short(value: f64) -> String {
    let decimals = match value {
        v if v >= 100.0 => 1,
        v if v >= 10.0 => 2,
        _ => 3,
    };
    let text = format!("{value:.decimals$}");
    if !text.contains('.') {
        return text;
    }
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Why a text is not a threshold.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub(crate) enum ThresholdError {
    /// It has no comparison sign.
    Syntax,
    /// It names no metric.
    Metric(UnknownName),
    /// Its limit is not in the metric's unit, which is this one.
    Value(Unit),
}

impl fmt::Display for ThresholdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax => f.write_str("a threshold is a metric and a limit, such as e2e.p99 < 250ms"),
            Self::Metric(error) => error.fmt(f),
            Self::Value(unit) => write!(f, "the limit of this metric is {}", unit.example()),
        }
    }
}

impl std::error::Error for ThresholdError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_are_read_and_written() {
        for (text, written) in [
            ("e2e.p99<250ms", "e2e.p99 < 250 ms"),
            ("sms.e2e.p999 <= 1.5s", "sms.e2e.p99.9 <= 1500 ms"),
            ("lag.p50 < 300us", "lag.p50 < 0.3 ms"),
            ("error-rate<=0.1%", "error-rate <= 0.1 %"),
            ("throughput >= 95/s", "throughput >= 95/s"),
            ("dropped == 0", "dropped = 0"),
            ("errors.api.40003 < 3", "errors.api.40003 < 3"),
        ] {
            assert_eq!(text.parse::<Threshold>().unwrap().to_string(), written);
        }
    }

    #[test]
    fn limits_have_the_unit_of_their_metric() {
        for (text, error) in [
            ("e2e.p99", ThresholdError::Syntax),
            ("e2e.p99 250ms", ThresholdError::Syntax),
            ("e2e.p99 <", ThresholdError::Value(Unit::Time)),
            ("e2e.p99 < 250", ThresholdError::Value(Unit::Time)),
            ("e2e.p99 < -1s", ThresholdError::Value(Unit::Time)),
            ("error-rate < 0.1", ThresholdError::Value(Unit::Part)),
            ("error-rate < -1%", ThresholdError::Value(Unit::Part)),
            ("error-rate < NaN%", ThresholdError::Value(Unit::Part)),
            ("throughput > 95", ThresholdError::Value(Unit::PerSecond)),
            ("dropped < 1.5", ThresholdError::Value(Unit::Count)),
            ("dropped =< 1", ThresholdError::Value(Unit::Count)),
        ] {
            assert_eq!(text.parse::<Threshold>(), Err(error), "{text}");
        }
        let unknown = "eror-rate < 1%".parse::<Threshold>().unwrap_err().to_string();
        assert!(unknown.contains("the nearest is `error-rate`"), "{unknown}");
    }

    #[test]
    fn comparisons_hold_at_their_edges() {
        for (limit, below, at, above) in [
            ("<", true, false, false),
            ("<=", true, true, false),
            ("=", false, true, false),
            (">=", false, true, true),
            (">", false, false, true),
        ] {
            let threshold = Threshold::new("dropped", &format!("{limit} 5")).unwrap();
            let got = [4.0, 5.0, 6.0].map(|value| threshold.limit.holds(value));
            assert_eq!(got, [below, at, above], "{limit}");
        }
    }
}
