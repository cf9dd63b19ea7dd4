//! What all other modules speak of: names, loads, arrivals, failures, and what was measured.
//!
//! Nothing here knows a scenario, a transport or a run.

/// Implements serde for a type whose JSON form is its text, by `Display` and `FromStr`.
macro_rules! serde_as_text {
    ($type:ty) => {
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'_, str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

mod arrival;
mod chance;
mod clock;
mod counters;
mod delivered;
mod failure;
mod latency;
mod measurements;
mod mix;
mod name;
mod numbers;
mod packed;
mod rate;
mod record;
mod run_id;
mod second;
mod setup;
mod shard;
mod step;
mod tally;
mod unknown_name;
mod verdict;

pub(crate) use arrival::Arrival;
pub(crate) use chance::{chance, random_seed};
pub(crate) use clock::{Clock, SystemClock};
pub use counters::Counters;
pub(crate) use counters::LATE;
pub use delivered::Delivered;
pub use failure::{Failure, FailureKind};
pub use latency::Latency;
pub use measurements::Measurements;
pub use mix::{Mix, MixError};
pub use name::{BadName, ScenarioName};
pub(crate) use numbers::Numbers;
pub(crate) use packed::BadHistogram;
pub use packed::Packed;
pub use rate::{Rate, RateError, Step};
pub(crate) use record::{FlowEnd, FlowRecord, StepKind, StepTime};
pub use run_id::{NoRunId, RunId};
pub use second::Second;
#[cfg(test)]
pub(crate) use setup::sample_setup;
pub use setup::{Load, PhoneChoice, Setting, Setup, TransportName};
pub use shard::{Shard, ShardError, Shards};
pub use step::StepName;
pub use tally::{FailureTally, FlowTally};
pub use unknown_name::UnknownName;
pub use verdict::{Check, CheckResult, Exit, Verdict};
