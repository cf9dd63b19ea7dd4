//! How settings are written in a file.

use std::time::Duration;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use sinch_verify_protocol::auth::Window;

use crate::duration;

#[derive(Serialize, Deserialize)]
#[serde(remote = "Window", deny_unknown_fields)]
pub(super) struct WindowFile {
    #[serde(with = "duration")]
    past: Duration,
    #[serde(with = "duration")]
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
