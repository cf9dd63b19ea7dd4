//! What a handset shows.

use std::fmt;
use std::time::SystemTime;

use serde::{Serialize, Serializer};
use sinch_verify_protocol::timestamp::XTimestamp;
use sinch_verify_protocol::{Cli, Code, Method, VerificationId};

/// Something that reached a handset: a message, or a call.
///
/// As JSON, absent fields are left out. `Debug` shows neither code, text nor caller id.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Message {
    /// Its number: 1 for the first of this emulator, over all handsets.
    pub seq: u64,
    /// Its name, unique in this emulator.
    pub id: String,
    /// What it is.
    pub kind: MessageKind,
    /// The verification it belongs to.
    pub verification_id: VerificationId,
    /// When it came, service time; to the millisecond as JSON.
    #[serde(serialize_with = "instant")]
    pub at: SystemTime,
    /// The text of a message, or what a callout says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The code in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<Code>,
    /// Who calls: for a flash call, what is to be reported.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cli: Option<Cli>,
    /// The address that a device fetches for a data verification.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_uri: Option<String>,
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("seq", &self.seq)
            .field("kind", &self.kind)
            .field("verification_id", &self.verification_id)
            .finish_non_exhaustive()
    }
}

/// What reached a handset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum MessageKind {
    /// A text message.
    Sms,
    /// A call to be left unanswered; its caller id is the code.
    FlashCall,
    /// A call that speaks, and takes keys.
    Callout,
    /// A WhatsApp message.
    WhatsApp,
    /// An address to fetch over the mobile network.
    Seamless,
}

impl MessageKind {
    pub(crate) fn method(self) -> Method {
        match self {
            Self::Sms => Method::Sms,
            Self::FlashCall => Method::FlashCall,
            Self::Callout => Method::Callout,
            Self::WhatsApp => Method::WhatsApp,
            Self::Seamless => Method::Seamless,
        }
    }
}

/// An instant as control answers write it: UTC with milliseconds and `Z`.
pub(crate) fn instant<S: Serializer>(at: &SystemTime, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(XTimestamp::new(*at).as_str())
}
