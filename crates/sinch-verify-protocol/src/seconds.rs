//! Durations of the wire: whole seconds in a range, and `HH:MM:SS`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::wire::Part;

/// How long a flash call rings, or waits to be intercepted: 5 to 120 seconds.
///
/// ```
/// use sinch_verify_protocol::CallSeconds;
///
/// assert_eq!(CallSeconds::new(12)?.get(), 12);
/// assert!(CallSeconds::new(3).is_err());
/// # Ok::<(), sinch_verify_protocol::seconds::InvalidSeconds>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CallSeconds(u8);

impl CallSeconds {
    /// Takes `seconds`.
    ///
    /// # Errors
    ///
    /// When `seconds` is not from 5 to 120, the documented range.
    pub fn new(seconds: i64) -> Result<Self, InvalidSeconds> {
        match u8::try_from(seconds) {
            Ok(n @ 5..=120) => Ok(Self(n)),
            _ => Err(InvalidSeconds { given: seconds }),
        }
    }

    /// The seconds.
    #[must_use]
    pub fn get(self) -> u8 {
        self.0
    }

    /// The seconds as a duration.
    #[must_use]
    pub fn duration(self) -> Duration {
        Duration::from_secs(self.0.into())
    }
}

impl TryFrom<i64> for CallSeconds {
    type Error = InvalidSeconds;

    fn try_from(seconds: i64) -> Result<Self, InvalidSeconds> {
        Self::new(seconds)
    }
}

impl Serialize for CallSeconds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(self.0)
    }
}

impl<'de> Deserialize<'de> for CallSeconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let seconds = i64::deserialize(deserializer)?;
        Self::new(seconds).map_err(serde::de::Error::custom)
    }
}

impl Part for CallSeconds {
    #[cfg(feature = "server")]
    fn schema() -> serde_json::Value {
        serde_json::json!({"type": "integer", "minimum": 1})
    }
}

/// Seconds outside 5 to 120.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidSeconds {
    given: i64,
}

impl fmt::Display for InvalidSeconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} seconds given, must be from 5 to 120", self.given)
    }
}

impl std::error::Error for InvalidSeconds {}

/// How long a code is valid: `HH:MM:SS` on the wire, a duration and not a time
/// of day, up to 23:59:59 because two SDKs cannot express more.
///
/// ```
/// use std::time::Duration;
/// use sinch_verify_protocol::Expiry;
///
/// let expiry: Expiry = "00:05:00".parse()?;
/// assert_eq!(expiry.duration(), Duration::from_secs(300));
/// assert_eq!(Expiry::new(Duration::from_secs(90))?.to_string(), "00:01:30");
/// # Ok::<(), sinch_verify_protocol::seconds::InvalidExpiry>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Expiry(u32);

impl Expiry {
    /// Takes whole seconds from 1 s to 23:59:59; a fraction is cut off.
    ///
    /// # Errors
    ///
    /// When the duration is outside that range.
    pub fn new(duration: Duration) -> Result<Self, InvalidExpiry> {
        match u32::try_from(duration.as_secs()) {
            Ok(n @ 1..=86_399) => Ok(Self(n)),
            _ => Err(InvalidExpiry(())),
        }
    }

    /// The duration.
    #[must_use]
    pub fn duration(self) -> Duration {
        Duration::from_secs(self.0.into())
    }
}

impl FromStr for Expiry {
    type Err = InvalidExpiry;

    fn from_str(text: &str) -> Result<Self, InvalidExpiry> {
        let two = |part: Option<&str>, max: u32| -> Option<u32> {
            let part = part?;
            let digits = part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
            part.parse().ok().filter(|n| digits && *n <= max)
        };
        let mut parts = text.split(':');
        let mut read = || -> Option<u32> {
            let seconds =
                two(parts.next(), 23)? * 3600 + two(parts.next(), 59)? * 60 + two(parts.next(), 59)?;
            parts.next().is_none().then_some(seconds)
        };
        let seconds = read().ok_or(InvalidExpiry(()))?;
        Self::new(Duration::from_secs(seconds.into()))
    }
}

impl fmt::Display for Expiry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:02}:{:02}:{:02}",
            self.0 / 3600,
            self.0 / 60 % 60,
            self.0 % 60
        )
    }
}

impl Serialize for Expiry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Expiry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        crate::wire::read_text(deserializer, str::parse)
    }
}

impl Part for Expiry {}

/// A text or duration that is not an expiry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidExpiry(());

impl fmt::Display for InvalidExpiry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expiry is not a duration of the form HH:MM:SS from 00:00:01 to 23:59:59")
    }
}

impl std::error::Error for InvalidExpiry {}
