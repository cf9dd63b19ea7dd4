use crate::flows::Flow;
use crate::names::named;

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
    }
}

impl Scenario {
    /// The next flow to run.
    #[must_use]
    pub fn flow(self) -> Flow {
        match self {
            Self::Sms => Flow::Sms,
            Self::FlashCall => Flow::FlashCall,
            Self::Callout => Flow::Callout,
        }
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
    fn nearest_name_is_told() {
        for (text, nearest) in [
            ("smss", "sms"),
            ("SMS", "sms"),
            ("", "sms"),
            ("call-out", "callout"),
            ("flash", "flashcall"),
        ] {
            assert_eq!(text.parse::<Scenario>().unwrap_err().nearest, nearest, "{text}");
        }
        let message = "smss".parse::<Scenario>().unwrap_err().to_string();
        assert_eq!(
            message,
            "no such scenario, the nearest is `sms`; there are sms, flashcall, callout"
        );
    }
}
