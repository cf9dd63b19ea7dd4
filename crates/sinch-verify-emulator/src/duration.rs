//! Reads and writes durations such as `250ms`, `90s`, `1.5h` and `2d`.

use std::fmt;
use std::time::Duration;

use jiff::{Span, SpanRelativeTo};
use serde::de::Error as _;
use serde::{Deserialize as _, Deserializer, Serializer};

/// Parses a duration such as `250ms`, `90s`, `1h30m`, `1.5h` or `2d`, in the friendly format of `jiff`
/// or as ISO 8601. A day has 24 hours and a week has 7 days.
///
/// ```
/// use std::time::Duration;
/// use sinch_verify_emulator::parse_duration;
///
/// assert_eq!(parse_duration("1.5h"), Ok(Duration::from_secs(5400)));
/// assert!(parse_duration("-5m").is_err());
/// ```
///
/// # Errors
///
/// The text is not a duration, is negative, or has months or years, which have no fixed length.
pub fn parse_duration(text: &str) -> Result<Duration, InvalidDuration> {
    let span: Span = text.trim().parse().map_err(|_| InvalidDuration)?;
    let duration = span
        .to_duration(SpanRelativeTo::days_are_24_hours())
        .map_err(|_| InvalidDuration)?;
    Duration::try_from(duration).map_err(|_| InvalidDuration)
}

/// The error of [`parse_duration`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InvalidDuration;

impl fmt::Display for InvalidDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("must be a duration with its unit, such as 250ms, 90s, 5m, 1h30m or 2d")
    }
}

impl std::error::Error for InvalidDuration {}

pub(crate) fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    jiff::fmt::serde::unsigned_duration::friendly::compact::required::serialize(duration, serializer)
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse_duration(&text).map_err(D::Error::custom)
}

/// A duration, or `null`.
pub(crate) mod optional {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serialize as _, Serializer};

    #[derive(serde::Serialize, Deserialize)]
    struct Text(#[serde(with = "super")] Duration);

    pub(crate) fn serialize<S: Serializer>(
        duration: &Option<Duration>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        duration.map(Text).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Duration>, D::Error> {
        Ok(Option::<Text>::deserialize(deserializer)?.map(|text| text.0))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{InvalidDuration, optional, parse_duration};

    #[test]
    fn durations_are_read() {
        for (text, millis) in [
            ("250ms", 250),
            ("90s", 90_000),
            ("5m", 300_000),
            ("5 min", 300_000),
            ("1h", 3_600_000),
            ("1.5h", 5_400_000),
            ("1h30m", 5_400_000),
            ("1d", 86_400_000),
            (" 1s500ms ", 1_500),
            ("0s", 0),
        ] {
            assert_eq!(parse_duration(text), Ok(Duration::from_millis(millis)), "{text}");
        }
    }

    #[test]
    fn negative_and_unclear_durations_are_refused() {
        for text in [
            "",
            " ",
            "5",
            "m",
            "-5m",
            "5m ago",
            "1mo",
            "5m!",
            "99999999999999999999s",
        ] {
            assert_eq!(parse_duration(text), Err(InvalidDuration), "{text}");
        }
    }

    #[test]
    fn a_written_duration_is_read_back() {
        for millis in [0, 250, 90_000, 5_400_000, 86_400_000] {
            let duration = Duration::from_millis(millis);
            let text = serde_json::to_string(&OrNull(Some(duration))).unwrap();
            let OrNull(back) = serde_json::from_str(&text).unwrap();
            assert_eq!(back, Some(duration), "{text}");
        }
    }

    #[derive(serde::Serialize, serde::Deserialize)]
    struct OrNull(#[serde(with = "optional")] Option<Duration>);
}
