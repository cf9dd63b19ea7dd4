//! Variants of tagged objects that have no fields.

use serde::{Deserialize, Deserializer};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// Reads what is there besides the tag: nothing. By itself serde lets anything pass here, also where
/// unknown fields are denied, and a field in the wrong place would silently do nothing.
pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<(), D::Error> {
    Nothing::deserialize(deserializer).map(|Nothing {}| ())
}
