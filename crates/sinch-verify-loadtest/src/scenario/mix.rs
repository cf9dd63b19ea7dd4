use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use sinch_verify_protocol::method::{Callout, FlashCall, Seamless};

use crate::flows::Flow;
use crate::names::UnknownName;

/// How often each flow of a mixed scenario comes.
///
/// ```
/// use sinch_verify_loadtest::Mix;
///
/// let mix: Mix = "sms=2,callout=1".parse()?;
/// assert_eq!(mix.to_string(), "sms=2,callout=1");
/// assert_eq!(Mix::default().to_string(), "sms=70,flashcall=15,callout=10,seamless=5");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mix {
    /// No flow twice, no weight of zero, at least one.
    weights: Vec<(Flow, u32)>,
}

impl Default for Mix {
    fn default() -> Self {
        Self {
            weights: vec![
                (Flow::SMS, 70),
                (Flow::Verify(&FlashCall::INFO), 15),
                (Flow::Verify(&Callout::INFO), 10),
                (Flow::Verify(&Seamless::INFO), 5),
            ],
        }
    }
}

impl Mix {
    /// The flow for `chance`, from 0 to 1.
    pub(super) fn pick(&self, chance: f64) -> Flow {
        let all: u64 = self.weights.iter().map(|(_, weight)| u64::from(*weight)).sum();
        let mut left = chance * all as f64;
        for (flow, weight) in &self.weights {
            left -= f64::from(*weight);
            if left < 0.0 {
                return *flow;
            }
        }
        // Only rounding gets here.
        self.weights.last().map_or(Flow::SMS, |(flow, _)| *flow)
    }

    /// The flows in it.
    pub fn flows(&self) -> impl Iterator<Item = Flow> {
        self.weights.iter().map(|(flow, _)| *flow)
    }
}

impl fmt::Display for Mix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (flow, weight)) in self.weights.iter().enumerate() {
            write!(f, "{}{flow}={weight}", if index == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

impl FromStr for Mix {
    type Err = MixError;

    fn from_str(text: &str) -> Result<Self, MixError> {
        let mut weights: Vec<(Flow, u32)> = Vec::new();
        for part in text.split(',') {
            let (name, weight) = part.split_once('=').ok_or(MixError::Syntax)?;
            let flow: Flow = name.trim().parse().map_err(MixError::Flow)?;
            let weight: u32 = weight.trim().parse().map_err(|_| MixError::Syntax)?;
            if weight == 0 {
                return Err(MixError::Zero);
            }
            if weights.iter().any(|(known, _)| *known == flow) {
                return Err(MixError::Twice(flow));
            }
            weights.push((flow, weight));
        }
        Ok(Self { weights })
    }
}

impl Serialize for Mix {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Mix {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'_, str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// Why a text is no mix.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MixError {
    /// Not written as one.
    Syntax,
    /// No flow has this name.
    Flow(UnknownName),
    /// A weight of zero.
    Zero,
    /// This flow is in it twice.
    Twice(Flow),
}

impl fmt::Display for MixError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax => f.write_str("a mix is written as sms=70,flashcall=30"),
            Self::Flow(error) => error.fmt(f),
            Self::Zero => f.write_str("a weight of zero: leave the flow out"),
            Self::Twice(flow) => write!(f, "{flow} is in the mix twice"),
        }
    }
}

impl std::error::Error for MixError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_mix_is_refused() {
        for text in ["", "sms", "sms=", "sms=x", "sms=-1", "sms=1,"] {
            assert!(text.parse::<Mix>().is_err(), "{text}");
        }
        assert_eq!("sms=0".parse::<Mix>(), Err(MixError::Zero));
        assert_eq!("sms=1,sms=2".parse::<Mix>(), Err(MixError::Twice(Flow::SMS)));
        let error = "smss=1".parse::<Mix>().unwrap_err();
        assert!(error.to_string().contains("the nearest is `sms`"), "{error}");
    }

    #[test]
    fn weights_divide_chance() {
        let mix: Mix = "sms=1,callout=3".parse().unwrap();
        for (chance, flow) in [
            (0.0, Flow::SMS),
            (0.2499, Flow::SMS),
            (0.2501, Flow::Verify(&Callout::INFO)),
            (1.0, Flow::Verify(&Callout::INFO)),
        ] {
            assert_eq!(mix.pick(chance), flow, "{chance}");
        }
    }
}
