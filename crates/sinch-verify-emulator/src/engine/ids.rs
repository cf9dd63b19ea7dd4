//! Ids of verifications and of applications.

use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sinch_verify_protocol::VerificationId;
use uuid::Uuid;

/// A verification's id: a UUID, whose text is the id on the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Uid(pub(super) u128);

impl Uid {
    /// Parses the text that [`Uid::to_id`] returns.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let uid = Self(Uuid::try_parse(text).ok()?.as_u128());
        // Only one spelling is valid: no capitals, no braces, no missing dashes.
        (uid.uuid().hyphenated().encode_lower(&mut Uuid::encode_buffer()) == text).then_some(uid)
    }

    /// The random half.
    pub(crate) fn low_bits(self) -> u64 {
        self.0 as u64
    }

    pub(crate) fn to_id(self) -> VerificationId {
        let mut text = Uuid::encode_buffer();
        #[expect(
            clippy::expect_used,
            reason = "an id takes any 36 hexadecimal digits and dashes"
        )]
        VerificationId::new(self.uuid().hyphenated().encode_lower(&mut text)).expect("a UUID is an id")
    }

    fn uuid(self) -> Uuid {
        Uuid::from_u128(self.0)
    }
}

impl fmt::Display for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.uuid().fmt(f)
    }
}

impl Serialize for Uid {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.uuid().hyphenated().encode_lower(&mut Uuid::encode_buffer()))
    }
}

impl<'de> Deserialize<'de> for Uid {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(<&str>::deserialize(deserializer)?).ok_or_else(|| D::Error::custom("must be a UUID"))
    }
}

/// An application, by the order in which applications were added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AppId(pub(crate) u32);

impl AppId {
    pub(super) fn index(self) -> usize {
        self.0 as usize
    }
}
