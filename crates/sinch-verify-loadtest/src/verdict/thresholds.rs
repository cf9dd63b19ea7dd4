//! The thresholds of a run, from a file and from flags.

use std::fmt;
use std::str::FromStr;

use super::metric::What;
use super::threshold::{Threshold, ThresholdError};
use crate::model::UnknownName;
use crate::model::{FailureKind, ScenarioName, StepName};

/// The limits on a run.
///
/// In TOML, a key is a metric, whose name may continue in a table; a value is a limit, or a list of
/// limits:
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Thresholds(Vec<Threshold>);

impl Thresholds {
    /// All of them, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Threshold> {
        self.0.iter()
    }

    /// Adds a threshold.
    pub(crate) fn push(&mut self, threshold: Threshold) {
        self.0.push(threshold);
    }

    /// Whether one of them limits failures of `flow` by `kind`. Without one, no flow may fail that way.
    #[must_use]
    pub(crate) fn limit_failures(&self, flow: ScenarioName, kind: FailureKind) -> bool {
        self.0
            .iter()
            .any(|threshold| threshold.limits_failures(flow, kind))
    }

    /// Checks that a run of `scenarios` measures what the thresholds are about. `own_steps` are the steps
    /// that the scenarios time beside the standard ones; `None` where that is not known before the run.
    ///
    /// # Errors
    ///
    /// The scenario or the step that the run does not have, with the nearest that it has.
    pub(crate) fn fit(
        &self,
        scenarios: &[ScenarioName],
        own_steps: Option<&[StepName]>,
    ) -> Result<(), UnknownName> {
        for metric in self.0.iter().map(Threshold::metric) {
            if let Some(scenario) = metric.flow
                && !scenarios.contains(&scenario)
            {
                let all = scenarios.iter().map(|scenario| scenario.as_str()).collect();
                return Err(UnknownName::new("scenario in this run", scenario.as_str(), all));
            }
            if let (What::Time(step, _), Some(own)) = (metric.what, own_steps) {
                let known = || StepName::standard().chain(own.iter().copied());
                if known().all(|known| known != step) {
                    let all = known().map(StepName::as_str).collect();
                    return Err(UnknownName::new("step in this run", step.as_str(), all));
                }
            }
        }
        Ok(())
    }
}

impl FromStr for Thresholds {
    type Err = ThresholdsError;

    fn from_str(text: &str) -> Result<Self, ThresholdsError> {
        let table: toml::Table = text.parse().map_err(ThresholdsError::Toml)?;
        let mut thresholds = Self::default();
        for (key, value) in &table {
            thresholds.read(key.clone(), value)?;
        }
        Ok(thresholds)
    }
}

impl Thresholds {
    fn read(&mut self, name: String, value: &toml::Value) -> Result<(), ThresholdsError> {
        match value {
            toml::Value::Table(table) => {
                for (key, value) in table {
                    self.read(format!("{name}.{key}"), value)?;
                }
            }
            toml::Value::Array(limits) => {
                for limit in limits {
                    self.read(name.clone(), limit)?;
                }
            }
            toml::Value::String(limit) => {
                let threshold = Threshold::new(&name, limit);
                self.push(threshold.map_err(|error| ThresholdsError::Entry { name, error })?);
            }
            _ => return Err(ThresholdsError::NotText { name }),
        }
        Ok(())
    }
}

/// Why a text cannot be read as thresholds.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub(crate) enum ThresholdsError {
    /// It is not TOML.
    Toml(toml::de::Error),
    /// A limit is not a string.
    NotText {
        /// Its metric.
        name: String,
    },
    /// A key is not a metric, or its value is not a limit on it.
    Entry {
        /// The key.
        name: String,
        /// Why.
        error: ThresholdError,
    },
}

impl fmt::Display for ThresholdsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Toml(error) => error.fmt(f),
            Self::NotText { name } => write!(f, "{name}: a limit is a string such as \"< 250ms\""),
            Self::Entry { name, error } => write!(f, "{name}: {error}"),
        }
    }
}

impl std::error::Error for ThresholdsError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_and_dotted_keys_are_the_same() {
        let read = |text: &str| {
            let thresholds: Thresholds = text.parse().unwrap();
            let mut names: Vec<_> = thresholds.iter().map(ToString::to_string).collect();
            names.sort();
            names
        };
        let dotted = read("sms.e2e.p99 = '< 1s'\nsms.e2e.p999 = '< 2s'\ndropped = '= 0'");
        assert_eq!(
            dotted,
            ["dropped = 0", "sms.e2e.p99 < 1000 ms", "sms.e2e.p99.9 < 2000 ms"]
        );
        let tables = read("dropped = '= 0'\n[sms]\n'e2e.p99.9' = '< 2s'\n[sms.e2e]\np99 = '< 1s'");
        assert_eq!(tables, dotted);
        assert_eq!(read(""), Vec::<String>::new());
    }

    #[test]
    fn errors_name_the_key() {
        let error = |text: &str| text.parse::<Thresholds>().unwrap_err().to_string();
        assert!(
            error("[sms]\ne2e.p9x = '< 1s'")
                .starts_with("sms.e2e.p9x: no such statistic, the nearest is `p90`")
        );
        assert!(error("e2e.p99 = 5").starts_with("e2e.p99: a limit is a string"));
        assert!(error("e2e.p99 = '< 5'").starts_with("e2e.p99: the limit of this metric is a time"));
        assert!(error("e2e.p99 = ").contains("line 1"));
    }

    #[test]
    fn threshold_on_what_the_run_does_not_measure_is_refused() {
        let [sms, callout] = ["sms", "callout"].map(|name| ScenarioName::new(name).unwrap());
        let signup = StepName::new("signup").unwrap();
        let thresholds: Thresholds = "callout.e2e.p99 = '< 1s'\ne2e.p99 = '< 1s'".parse().unwrap();
        assert_eq!(thresholds.fit(&[sms, callout], Some(&[])), Ok(()));
        assert_eq!(thresholds.fit(&[sms], Some(&[])).unwrap_err().nearest, "sms");
        let thresholds: Thresholds = "signupp.p99 = '< 1s'".parse().unwrap();
        assert_eq!(
            thresholds.fit(&[sms], Some(&[signup])).unwrap_err().nearest,
            "signup"
        );
        assert_eq!(thresholds.fit(&[sms], None), Ok(()), "known after the run only");
    }

    #[test]
    fn failures_are_forbidden_unless_limited() {
        use FailureKind::{Connect, Reset};
        let limited = |text: &str| {
            let thresholds: Thresholds = text.parse().unwrap();
            [
                (ScenarioName::new("sms").unwrap(), Reset),
                (ScenarioName::new("sms").unwrap(), Connect),
                (ScenarioName::new("callout").unwrap(), Reset),
            ]
            .map(|(flow, kind)| thresholds.limit_failures(flow, kind))
        };
        for (text, expected) in [
            ("error-rate = '< 1%'", [true, true, true]),
            ("failed = '<= 3'", [true, true, true]),
            // Of one flow, of one kind, or of both.
            ("sms.failed = '= 3'", [true, true, false]),
            ("errors.reset = '= 0'", [true, false, true]),
            ("sms.errors.reset = '< 9'", [true, false, false]),
            // About something else, or from the other side.
            ("errors.callback.late = '= 0'", [false; 3]),
            ("e2e.p99 = '< 1s'", [false; 3]),
            ("throughput = '>= 3/s'", [false; 3]),
            ("error-rate = '> 1%'", [false; 3]),
            ("failed = '>= 1'", [false; 3]),
        ] {
            assert_eq!(limited(text), expected, "{text}");
        }
    }
}
