//! Deserializes variants without fields of internally tagged enums, and denies unknown fields.

use serde::{Deserialize, Deserializer};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// Fails if there is any field besides the tag. Serde ignores such fields here even under
/// `deny_unknown_fields`, and a field in the wrong place would have no effect.
pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<(), D::Error> {
    Nothing::deserialize(deserializer).map(|Nothing {}| ())
}
