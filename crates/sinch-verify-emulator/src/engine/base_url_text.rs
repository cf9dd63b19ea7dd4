//! A base URL as its text, for serde.

use std::sync::Arc;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serializer};
use sinch_verify_protocol::BaseUrl;

pub(super) fn serialize<S: Serializer>(base: &Arc<BaseUrl>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(base)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Arc<BaseUrl>, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map(Arc::new).map_err(D::Error::custom)
}
