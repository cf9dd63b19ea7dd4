mod mix;

use crate::chance::chance;
use crate::flows::Flow;
use crate::names::named;

pub use mix::{Mix, MixError};

named! {
    /// What a run does over and over.
    ///
    /// ```
    /// use sinch_verify_loadtest::Scenario;
    ///
    /// assert_eq!("sms".parse(), Ok(Scenario::Sms));
    /// ```
    pub enum Scenario as "scenario" {
        /// Verifications by SMS.
        Sms = "sms",
        /// Verifications by flash call.
        FlashCall = "flashcall",
        /// Verifications by callout.
        Callout = "callout",
        /// Data verifications.
        Seamless = "seamless",
        /// Verifications by WhatsApp.
        WhatsApp = "whatsapp",
        /// Several of these, by weights.
        Mixed = "mixed",
        /// Status queries.
        QueryOnly = "query-only",
        /// Wrong codes.
        WrongCode = "wrong-code",
        /// Many starts for one number.
        ResendStorm = "resend-storm",
        /// Verifications that nobody ends.
        Expire = "expire",
        /// Verifications that the callback denies.
        Deny = "deny",
        /// A callback receiver that misbehaves.
        BadCallback = "bad-callback",
        /// Callbacks that are sent again.
        Replay = "replay",
    }
}

/// Which of the several things left to chance in a slot its flow is.
const FLOW: u64 = 1;

impl Scenario {
    /// The one flow it consists of; `None` for a mix.
    #[must_use]
    pub fn only(self) -> Option<Flow> {
        Some(match self {
            Self::Sms => Flow::Sms,
            Self::FlashCall => Flow::FlashCall,
            Self::Callout => Flow::Callout,
            Self::Seamless => Flow::Seamless,
            Self::WhatsApp => Flow::WhatsApp,
            Self::QueryOnly => Flow::QueryOnly,
            Self::WrongCode => Flow::WrongCode,
            Self::ResendStorm => Flow::ResendStorm,
            Self::Expire => Flow::Expire,
            Self::Deny => Flow::Deny,
            Self::BadCallback => Flow::BadCallback,
            Self::Replay => Flow::Replay,
            Self::Mixed => return None,
        })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_back() {
        for scenario in Scenario::ALL {
            assert_eq!(scenario.as_str().parse(), Ok(*scenario));
        }
    }

    #[test]
    fn scenario_of_one_flow_has_its_name() {
        for scenario in Scenario::ALL {
            if let Some(flow) = scenario.only() {
                assert_eq!(flow.as_str(), scenario.as_str());
            }
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
        assert!((6_770..7_230).contains(&count(Flow::Sms)));
        assert!((390..610).contains(&count(Flow::Seamless)));
        assert!(flows().eq(flows()));
        assert!(!flows().eq((0..10_000).map(|slot| Scenario::Mixed.flow(&mix, 4, slot))));
    }
}
