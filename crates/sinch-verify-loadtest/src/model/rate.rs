use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sinch_verify_protocol::duration;

/// How many flows are to be started, and how evenly.
///
/// ```
/// use sinch_verify_loadtest::runfile::Rate;
///
/// assert_eq!("300/s".parse(), Ok(Rate::Constant { per_second: 300.0 }));
/// assert_eq!("10/s..90/s".parse(), Ok(Rate::Ramp { from: 10.0, to: 90.0 }));
/// assert!("poisson:600/m".parse::<Rate>().is_ok());
/// assert!("50/s:10s,100/s:10s".parse::<Rate>().is_ok());
/// assert!("0/s".parse::<Rate>().is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "camelCase")]
#[non_exhaustive]
pub enum Rate {
    /// `300/s`: evenly.
    Constant {
        /// Flows in a second.
        per_second: f64,
    },
    /// `poisson:300/s`: as by users who know nothing of each other, so in bursts.
    Poisson {
        /// Flows in a second, on average.
        per_second: f64,
    },
    /// `10/s..300/s`: from one rate to another, evenly over the whole run.
    Ramp {
        /// At the beginning.
        from: f64,
        /// At the end.
        to: f64,
    },
    /// `50/s:10s,100/s:10s`: one rate after the other; the last goes on until the end.
    Steps {
        /// The steps, in order; at least one.
        steps: Vec<Step>,
    },
}

/// One step of a rate in steps.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    /// Flows in a second.
    pub per_second: f64,
    /// For how long, in seconds.
    pub seconds: f64,
}

/// A rate that no machine keeps; beyond it, times in whole nanoseconds lose their meaning.
const MOST: f64 = 1_000_000.0;
/// One flow in eleven days.
const LEAST: f64 = 1e-6;

impl Rate {
    /// What is used when nothing is said: 50 in a second.
    pub const DEFAULT: Self = Self::Constant { per_second: 50.0 };

    /// The rate that is wanted `at` after the beginning of a run over `whole`.
    #[must_use]
    pub fn at(&self, at: Duration, whole: Duration) -> f64 {
        match self {
            Self::Constant { per_second } | Self::Poisson { per_second } => *per_second,
            Self::Ramp { from, to } => {
                let part = at.as_secs_f64() / whole.as_secs_f64().max(f64::MIN_POSITIVE);
                from + (to - from) * part.min(1.0)
            }
            Self::Steps { steps } => {
                let mut left = at.as_secs_f64();
                for step in steps {
                    if left < step.seconds {
                        return step.per_second;
                    }
                    left -= step.seconds;
                }
                steps.last().map_or(0.0, |step| step.per_second)
            }
        }
    }

    /// The highest rate there is in a run.
    #[must_use]
    pub fn peak(&self) -> f64 {
        match self {
            Self::Constant { per_second } | Self::Poisson { per_second } => *per_second,
            Self::Ramp { from, to } => from.max(*to),
            Self::Steps { steps } => steps.iter().map(|step| step.per_second).fold(0.0, f64::max),
        }
    }
}

impl Default for Rate {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Constant { per_second } => write!(f, "{per_second}/s"),
            Self::Poisson { per_second } => write!(f, "poisson:{per_second}/s"),
            Self::Ramp { from, to } => write!(f, "{from}/s..{to}/s"),
            Self::Steps { steps } => {
                for (index, step) in steps.iter().enumerate() {
                    let comma = if index == 0 { "" } else { "," };
                    write!(f, "{comma}{}/s:{}s", step.per_second, step.seconds)?;
                }
                Ok(())
            }
        }
    }
}

impl FromStr for Rate {
    type Err = RateError;

    fn from_str(text: &str) -> Result<Self, RateError> {
        if let Some(rest) = text.strip_prefix("poisson:") {
            return Ok(Self::Poisson {
                per_second: one(rest)?,
            });
        }
        if let Some((from, to)) = text.split_once("..") {
            return Ok(Self::Ramp {
                from: one(from)?,
                to: one(to)?,
            });
        }
        if text.contains([':', ',']) {
            let step = |text: &str| {
                let (rate, time) = text.split_once(':').ok_or(RateError::Syntax)?;
                Ok(Step {
                    per_second: one(rate)?,
                    seconds: seconds(time)?,
                })
            };
            let steps = text.split(',').map(step).collect::<Result<_, _>>()?;
            return Ok(Self::Steps { steps });
        }
        Ok(Self::Constant {
            per_second: one(text)?,
        })
    }
}

/// `300/s`, `600/m` or `5/h`, as flows in a second.
fn one(text: &str) -> Result<f64, RateError> {
    let (count, unit) = text.trim().split_once('/').ok_or(RateError::Syntax)?;
    let seconds = match unit {
        "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        _ => return Err(RateError::Syntax),
    };
    let count: f64 = count.trim().parse().map_err(|_| RateError::Syntax)?;
    let rate = count / seconds;
    if rate == 0.0 {
        return Err(RateError::Zero);
    }
    if !(LEAST..=MOST).contains(&rate) {
        return Err(RateError::Range);
    }
    Ok(rate)
}

fn seconds(text: &str) -> Result<f64, RateError> {
    let time = duration::parse(text).map_err(|_| RateError::Syntax)?;
    let seconds = time.as_secs_f64();
    if seconds < 0.001 {
        return Err(RateError::Syntax);
    }
    Ok(seconds)
}

/// Why a text is no rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RateError {
    /// Not written as a rate.
    Syntax,
    /// Zero: nothing would ever be started.
    Zero,
    /// Negative, too small or too large.
    Range,
}

impl fmt::Display for RateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Syntax => {
                "not a rate such as 300/s, 600/m, poisson:300/s, 10/s..300/s or 50/s:10s,100/s:10s"
            }
            Self::Zero => "a rate of zero starts nothing; the default is 50/s",
            Self::Range => "a rate is from one in ten days to 1000000/s",
        })
    }
}

impl std::error::Error for RateError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_read_back() {
        for text in [
            "300/s",
            "0.5/s",
            "poisson:12/s",
            "10/s..300/s",
            "50/s:10s,100/s:2.5s",
        ] {
            assert_eq!(text.parse::<Rate>().unwrap().to_string(), text);
        }
        assert_eq!("600/m".parse(), Ok(Rate::Constant { per_second: 10.0 }));
    }

    #[test]
    fn what_is_no_rate_is_refused() {
        for (text, why) in [
            ("", RateError::Syntax),
            ("300", RateError::Syntax),
            ("300/d", RateError::Syntax),
            ("x/s", RateError::Syntax),
            ("10/s..", RateError::Syntax),
            ("50/s:", RateError::Syntax),
            ("50/s:0s", RateError::Syntax),
            ("50/s:-2s", RateError::Syntax),
            ("50/s,60/s", RateError::Syntax),
            ("0/s", RateError::Zero),
            ("0/s..10/s", RateError::Zero),
            ("poisson:0/s", RateError::Zero),
            ("-1/s", RateError::Range),
            ("nan/s", RateError::Range),
            ("inf/s", RateError::Range),
            ("2000000/s", RateError::Range),
        ] {
            assert_eq!(text.parse::<Rate>(), Err(why), "{text}");
        }
    }

    #[test]
    fn rate_is_known_at_every_time() {
        let whole = Duration::from_secs(10);
        let at = |text: &str, seconds| {
            text.parse::<Rate>()
                .unwrap()
                .at(Duration::from_secs(seconds), whole)
        };
        assert_eq!(at("10/s..30/s", 5), 20.0);
        assert_eq!(at("10/s..30/s", 20), 30.0);
        assert_eq!(at("5/s:2s,7/s:1s", 1), 5.0);
        assert_eq!(at("5/s:2s,7/s:1s", 2), 7.0);
        assert_eq!(at("5/s:2s,7/s:1s", 9), 7.0);
    }
}
