mod mix;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::chance::chance;
use crate::flows::Flow;
use crate::names::UnknownName;

pub use mix::{Mix, MixError};

/// What a run does over and over. Its name is that of its flow, or `mixed`.
///
/// ```
/// use sinch_verify_loadtest::Scenario;
/// use sinch_verify_loadtest::flows::Flow;
///
/// assert_eq!("sms".parse(), Ok(Scenario::Only(Flow::SMS)));
/// assert_eq!("mixed".parse(), Ok(Scenario::Mixed));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Scenario {
    /// This flow.
    Only(Flow),
    /// Several of them, by weights.
    Mixed,
}

/// Which of the several things left to chance in a slot its flow is.
const FLOW: u64 = 1;

impl Scenario {
    /// The name of a mix.
    const MIXED: &'static str = "mixed";

    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        Flow::all().map(Self::Only).chain([Self::Mixed])
    }

    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.only().map_or(Self::MIXED, Flow::as_str)
    }

    /// The one flow it consists of; `None` for a mix.
    #[must_use]
    pub fn only(self) -> Option<Flow> {
        match self {
            Self::Only(flow) => Some(flow),
            Self::Mixed => None,
        }
    }

    /// The flows it consists of, mixed like this where it is a mix.
    #[must_use]
    pub fn flows(self, mix: Option<&Mix>) -> Vec<Flow> {
        let mixed = || mix.into_iter().flat_map(Mix::flows).collect();
        self.only().map_or_else(mixed, |flow| vec![flow])
    }

    /// The flow of a slot. The same seed gives the same flows, in every shard.
    #[must_use]
    pub fn flow(self, mix: &Mix, seed: u64, slot: u64) -> Flow {
        self.only().unwrap_or_else(|| mix.pick(chance(seed, slot, FLOW)))
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Scenario {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        if text == Self::MIXED {
            return Ok(Self::Mixed);
        }
        let names = || Self::all().map(Self::as_str).collect();
        let flow = text.parse().map(Self::Only);
        flow.map_err(|_: UnknownName| UnknownName::new("scenario", text, names()))
    }
}

impl Serialize for Scenario {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Scenario {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'_, str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use sinch_verify_protocol::method::Seamless;

    use super::*;

    #[test]
    fn every_name_reads_back() {
        for scenario in Scenario::all() {
            assert_eq!(scenario.as_str().parse(), Ok(scenario));
            let json = serde_json::to_string(&scenario).unwrap();
            assert_eq!(json, format!("\"{scenario}\""));
            assert_eq!(serde_json::from_str::<Scenario>(&json).unwrap(), scenario);
        }
    }

    #[test]
    fn nearest_name_is_told() {
        for (text, nearest) in [
            ("smss", "sms"),
            ("SMS", "sms"),
            ("call-out", "callout"),
            ("flash", "flashcall"),
            ("badcallback", "bad-callback"),
            ("query", "query-only"),
            ("mix", "mixed"),
        ] {
            assert_eq!(text.parse::<Scenario>().unwrap_err().nearest, nearest, "{text}");
        }
    }

    #[test]
    fn mixed_flows_have_their_weights_and_repeat() {
        let mix = Mix::default();
        let flows = || (0..10_000).map(|slot| Scenario::Mixed.flow(&mix, 3, slot));
        let count = |flow| flows().filter(|picked| *picked == flow).count();
        // Five standard deviations.
        assert!((6_770..7_230).contains(&count(Flow::SMS)));
        assert!((390..610).contains(&count(Flow::Verify(&Seamless::INFO))));
        assert!(flows().eq(flows()));
        assert!(!flows().eq((0..10_000).map(|slot| Scenario::Mixed.flow(&mix, 4, slot))));
    }
}
