use std::fmt;
use std::str::FromStr;

use crate::flows::Flow;

/// What a run does over and over.
///
/// ```
/// use sinch_verify_loadtest::Scenario;
///
/// assert_eq!("sms".parse(), Ok(Scenario::Sms));
/// let error = "flaschall".parse::<Scenario>().unwrap_err();
/// assert_eq!(error.nearest, Scenario::FlashCall);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Scenario {
    /// Verifications by SMS.
    Sms,
    /// Verifications by flash call.
    FlashCall,
    /// Verifications by callout.
    Callout,
}

impl Scenario {
    /// All of them.
    pub const ALL: &'static [Self] = &[Self::Sms, Self::FlashCall, Self::Callout];

    /// Its name on the command line and in reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sms => "sms",
            Self::FlashCall => "flashcall",
            Self::Callout => "callout",
        }
    }

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

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Scenario {
    type Err = UnknownScenario;

    fn from_str(text: &str) -> Result<Self, UnknownScenario> {
        let lower = text.to_ascii_lowercase();
        let unlike = |scenario: &Self| 1.0 - strsim::jaro_winkler(&lower, scenario.as_str());
        let by_likeness = |a: &Self, b: &Self| unlike(a).total_cmp(&unlike(b));
        let nearest = Self::ALL.iter().copied().min_by(by_likeness).unwrap_or(Self::Sms);
        if nearest.as_str() == text {
            return Ok(nearest);
        }
        Err(UnknownScenario { nearest })
    }
}

/// No scenario has the name given.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnknownScenario {
    /// The one whose name is nearest.
    pub nearest: Scenario,
}

impl fmt::Display for UnknownScenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "no such scenario, the nearest is `{}`; there are",
            self.nearest
        )?;
        for (index, scenario) in Scenario::ALL.iter().enumerate() {
            write!(f, "{} {scenario}", if index == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

impl std::error::Error for UnknownScenario {}

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
            ("smss", Scenario::Sms),
            ("SMS", Scenario::Sms),
            ("", Scenario::Sms),
            ("call-out", Scenario::Callout),
            ("flash", Scenario::FlashCall),
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
