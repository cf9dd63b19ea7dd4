use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize};

use super::part::Part;

/// Text that may be personal: a number, or what an application attached.
/// `Debug` shows its length only.
///
/// ```
/// use sinch_verify_protocol::wire::PrivateText;
///
/// let text = PrivateText::from("+46700000001");
/// assert_eq!(format!("{text:?}"), "PrivateText(12 bytes)");
/// assert_eq!(text.as_str(), "+46700000001");
/// ```
#[derive(Clone, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct PrivateText(Box<str>);

impl PrivateText {
    /// The text itself. Do not log it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for PrivateText {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl From<String> for PrivateText {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl FromStr for PrivateText {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self::from(text))
    }
}

impl fmt::Debug for PrivateText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateText({} bytes)", self.0.len())
    }
}

impl<'de> Deserialize<'de> for PrivateText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        super::read_text(deserializer, str::parse)
    }
}

impl Part for PrivateText {}
