use std::fmt;
use std::str::FromStr;

use super::name::{BadName, ScenarioName};

/// How often each scenario of a mixed run comes.
///
/// ```
/// use sinch_verify_loadtest::runfile::Mix;
///
/// let mix: Mix = "sms=2,callout=1".parse()?;
/// assert_eq!(mix.to_string(), "sms=2,callout=1");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mix {
    /// No scenario twice, no weight of zero, at least one.
    weights: Vec<(ScenarioName, u32)>,
}

/// The mix of a run that names none.
impl Default for Mix {
    fn default() -> Self {
        let weights = [("sms", 70), ("flashcall", 15), ("callout", 10), ("seamless", 5)];
        let named = |(name, weight)| (ScenarioName::unchecked(name), weight);
        Self {
            weights: weights.map(named).to_vec(),
        }
    }
}

impl Mix {
    /// The place of the scenario for `chance`, from 0 to 1, among [those](Self::scenarios) in it.
    pub(crate) fn pick(&self, chance: f64) -> usize {
        let all: u64 = self.weights.iter().map(|(_, weight)| u64::from(*weight)).sum();
        let mut left = chance * all as f64;
        let picked = self.weights.iter().position(|(_, weight)| {
            left -= f64::from(*weight);
            left < 0.0
        });
        // Only rounding gets past the last.
        picked.unwrap_or(self.weights.len() - 1)
    }

    /// The scenarios in it.
    pub fn scenarios(&self) -> impl Iterator<Item = ScenarioName> {
        self.weights.iter().map(|(scenario, _)| *scenario)
    }
}

impl fmt::Display for Mix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (scenario, weight)) in self.weights.iter().enumerate() {
            write!(f, "{}{scenario}={weight}", if index == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

impl FromStr for Mix {
    type Err = MixError;

    fn from_str(text: &str) -> Result<Self, MixError> {
        let mut weights: Vec<(ScenarioName, u32)> = Vec::new();
        for part in text.split(',') {
            let (name, weight) = part.split_once('=').ok_or(MixError::Syntax)?;
            let scenario: ScenarioName = name.trim().parse().map_err(MixError::Name)?;
            let weight: u32 = weight.trim().parse().map_err(|_| MixError::Syntax)?;
            if weight == 0 {
                return Err(MixError::Zero);
            }
            if weights.iter().any(|(known, _)| *known == scenario) {
                return Err(MixError::Twice(scenario));
            }
            weights.push((scenario, weight));
        }
        Ok(Self { weights })
    }
}

serde_as_text!(Mix);

/// Why a text is no mix.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MixError {
    /// Not written as one.
    Syntax,
    /// Not the name of a scenario.
    Name(BadName),
    /// A weight of zero.
    Zero,
    /// This scenario is in it twice.
    Twice(ScenarioName),
}

impl fmt::Display for MixError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax => f.write_str("a mix is written as sms=70,flashcall=30"),
            Self::Name(error) => error.fmt(f),
            Self::Zero => f.write_str("a weight of zero: leave the scenario out"),
            Self::Twice(scenario) => write!(f, "{scenario} is in the mix twice"),
        }
    }
}

impl std::error::Error for MixError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_mix_is_refused() {
        for text in ["", "sms", "sms=", "sms=x", "sms=-1", "sms=1,", "SMS=1"] {
            assert!(text.parse::<Mix>().is_err(), "{text}");
        }
        assert_eq!("sms=0".parse::<Mix>(), Err(MixError::Zero));
        let sms = ScenarioName::new("sms").unwrap();
        assert_eq!("sms=1,sms=2".parse::<Mix>(), Err(MixError::Twice(sms)));
        let written = Mix::default().to_string();
        assert_eq!(written, "sms=70,flashcall=15,callout=10,seamless=5");
        assert_eq!(written.parse(), Ok(Mix::default()));
    }

    #[test]
    fn weights_divide_chance() {
        let mix: Mix = "sms=1,callout=3".parse().unwrap();
        for (chance, place) in [(0.0, 0), (0.2499, 0), (0.2501, 1), (1.0, 1)] {
            assert_eq!(mix.pick(chance), place, "{chance}");
        }
    }
}
