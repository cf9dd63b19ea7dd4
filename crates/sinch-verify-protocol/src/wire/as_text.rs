//! The serde form of types that have a text form only, for `#[serde(with = ..)]`.

use std::fmt::Display;
use std::str::FromStr;

use serde::{Deserializer, Serializer};

use super::read_text::read_text;

pub(crate) fn serialize<T: Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

pub(crate) fn deserialize<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: FromStr<Err: Display>,
    D: Deserializer<'de>,
{
    read_text(deserializer, str::parse)
}
