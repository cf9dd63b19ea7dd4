//! Durations as people write them: in flags, settings files, fault rules and thresholds.
//!
//! A duration is a number with its unit, or several from the largest unit to the smallest: `500ms`, `30s`,
//! `5m`, `1h30m`. The units are `us`, `ms`, `s`, `m`, `h`, `d` (24 hours) and `w` (7 days), or the words that
//! they stand for. The last number may have a fraction if its unit is an hour or shorter: `1.5h`. ISO 8601
//! (`PT5M`) is read too.
//!
//! A field of JSON or TOML is declared with `#[serde(with = "duration")]`, or with `duration::optional` where
//! it may be `null`.

use std::fmt;
use std::time::Duration;

use jiff::fmt::friendly::{Designator, SpanPrinter};
use jiff::{Span, SpanRelativeTo};
use serde::de::{Error, Visitor};
use serde::{Deserializer, Serializer};

/// Reads a duration.
///
/// ```
/// use std::time::Duration;
/// use sinch_verify_protocol::duration;
///
/// assert_eq!(duration::parse("1h30m"), Ok(Duration::from_secs(5400)));
/// let error = duration::parse("90").unwrap_err().to_string();
/// assert_eq!(error, "must be a duration with its unit, such as 250ms, 90s, 5m, 1h30m or 2d");
/// ```
///
/// # Errors
///
/// The text is not a duration, is negative, or has months or years, which have no fixed length.
pub fn parse(text: &str) -> Result<Duration, InvalidDuration> {
    let span: Span = text.trim().parse().map_err(|_| InvalidDuration)?;
    let duration = span
        .to_duration(SpanRelativeTo::days_are_24_hours())
        .map_err(|_| InvalidDuration)?;
    Duration::try_from(duration).map_err(|_| InvalidDuration)
}

/// The error of [`parse`]. Its message fits after the name of the field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InvalidDuration;

const EXPECTED: &str = "a duration with its unit, such as 250ms, 90s, 5m, 1h30m or 2d";

impl fmt::Display for InvalidDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "must be {EXPECTED}")
    }
}

impl std::error::Error for InvalidDuration {}

/// Writes a duration, such as `1h 30m`, so that [`parse`] reads it.
#[must_use]
pub fn to_text(duration: &Duration) -> String {
    const PRINTER: SpanPrinter = SpanPrinter::new().designator(Designator::Compact);
    PRINTER.unsigned_duration_to_string(duration)
}

/// Writes a duration as [`to_text`] does.
///
/// # Errors
///
/// Those of the serializer.
pub fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&to_text(duration))
}

/// Reads a duration from a text.
///
/// # Errors
///
/// As [`parse`], and for a value that is no text.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    struct Text;

    impl Visitor<'_> for Text {
        type Value = Duration;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(EXPECTED)
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<Duration, E> {
            parse(text).map_err(E::custom)
        }
    }

    deserializer.deserialize_str(Text)
}

/// A duration, or `null`.
pub mod optional {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serialize as _, Serializer};

    #[derive(serde::Serialize, Deserialize)]
    struct Text(#[serde(with = "super")] Duration);

    /// Writes a duration or `null`.
    ///
    /// # Errors
    ///
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(duration: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
        duration.map(Text).serialize(serializer)
    }

    /// Reads a duration or `null`.
    ///
    /// # Errors
    ///
    /// As [`parse`](super::parse), and for another value.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
        Ok(Option::<Text>::deserialize(deserializer)?.map(|text| text.0))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{InvalidDuration, optional, parse};

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
            ("1h 30m", 5_400_000),
            ("PT90M", 5_400_000),
            ("1d", 86_400_000),
            (" 1s500ms ", 1_500),
            ("0s", 0),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_millis(millis)), "{text}");
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
            assert_eq!(parse(text), Err(InvalidDuration), "{text}");
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

    #[test]
    fn a_number_without_a_unit_says_what_a_duration_is() {
        for (json, message) in [
            (
                "300",
                "invalid type: integer `300`, expected a duration with its unit, such as 250ms",
            ),
            ("\"300\"", "must be a duration with its unit, such as 250ms"),
        ] {
            let error = serde_json::from_str::<OrNull>(json).err().unwrap().to_string();
            assert!(error.starts_with(message), "{error}");
        }
        assert!(serde_json::from_str::<OrNull>("null").unwrap().0.is_none());
    }

    #[derive(serde::Serialize, serde::Deserialize)]
    struct OrNull(#[serde(with = "optional")] Option<Duration>);
}
