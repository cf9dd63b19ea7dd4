//! How settings are written in a file.

use std::time::Duration;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sinch_verify_protocol::auth::Window;

use crate::span;

/// A span of time in its largest unit, such as `5m`.
pub(super) mod spans {
    use super::{Deserializer, Duration, Serializer, span};

    pub(in crate::settings) fn serialize<S: Serializer>(
        span: &Duration,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let millis = span.as_millis();
        let units = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000)];
        let unit = units
            .iter()
            .find(|(_, long)| millis > 0 && millis.is_multiple_of(*long));
        let (name, long) = unit.unwrap_or(&("ms", 1));
        serializer.collect_str(&format_args!("{}{name}", millis / long))
    }

    pub(in crate::settings) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Duration, D::Error> {
        span::deserialize(deserializer)
    }
}

#[derive(Serialize, Deserialize)]
struct Span(#[serde(with = "spans")] Duration);

/// A span, or `null`.
pub(super) mod maybe {
    use super::{Deserialize, Deserializer, Duration, Serialize, Serializer, Span};

    pub(in crate::settings) fn serialize<S: Serializer>(
        span: &Option<Duration>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        span.map(Span).serialize(serializer)
    }

    pub(in crate::settings) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Duration>, D::Error> {
        Ok(Option::<Span>::deserialize(deserializer)?.map(|span| span.0))
    }
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Window", deny_unknown_fields)]
pub(super) struct WindowFile {
    #[serde(with = "spans")]
    past: Duration,
    #[serde(with = "spans")]
    future: Duration,
}

pub(super) fn at_least_one<'de, D: Deserializer<'de>, T>(deserializer: D) -> Result<T, D::Error>
where
    T: Deserialize<'de> + Default + PartialEq,
{
    let number = T::deserialize(deserializer)?;
    if number == T::default() {
        return Err(D::Error::custom("must be at least 1"));
    }
    Ok(number)
}

pub(super) fn code_length<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u8, D::Error> {
    let length = u8::deserialize(deserializer)?;
    if !(1..=10).contains(&length) {
        return Err(D::Error::custom("must be 1 to 10"));
    }
    Ok(length)
}

pub(super) fn keys<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let keys = String::deserialize(deserializer)?;
    let are_keys = keys
        .bytes()
        .all(|key| key.is_ascii_digit() || key == b'*' || key == b'#');
    if !are_keys || !(1..=10).contains(&keys.len()) {
        return Err(D::Error::custom("must be 1 to 10 keys of 0-9 * #"));
    }
    Ok(keys)
}
