//! Messages and calls on a virtual handset.

use std::fmt;
use std::time::SystemTime;

use serde::{Serialize, Serializer};
use sinch_verify_protocol::timestamp::XTimestamp;
use sinch_verify_protocol::{Cli, Code, LanguageTag, Method, VerificationId};

/// A message or call that reached a virtual handset.
///
/// As JSON, absent fields are left out. `Debug` hides the code, the text and the caller id.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Message {
    /// The number of the message, 1 for the first one on any handset.
    pub seq: u64,
    /// The id of the message, unique in this emulator.
    pub id: String,
    /// The method that sent it: `sms`, `flashcall` (a call whose caller id is the code), `callout` (a
    /// voice call), `seamless` (an address to open over mobile data) or `whatsapp`.
    pub kind: Method,
    /// The verification that it belongs to.
    pub verification_id: VerificationId,
    /// When it arrived, service time. With milliseconds as JSON.
    #[serde(serialize_with = "instant")]
    pub at: SystemTime,
    /// The text of a message, or the spoken text of a callout.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The language of the text. Absent if the application set its own text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<LanguageTag>,
    /// The code in the text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<Code>,
    /// The caller id of a call. For a flash call, it is the code to report.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cli: Option<Cli>,
    /// For calls: whether the call still rings or waits for keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ringing: Option<bool>,
    /// For a flash call: when it stops or stopped ringing, service time. Absent if it never stops.
    #[serde(serialize_with = "instant_or_none", skip_serializing_if = "Option::is_none")]
    pub ring_until: Option<SystemTime>,
    /// For calls: whether the caller ended the call before it was answered, as after every flash call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missed: Option<bool>,
    /// For `seamless`: the address that the device opens over mobile data.
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

/// An instant in answers of the control interface: UTC with milliseconds and `Z`.
pub(crate) fn instant<S: Serializer>(at: &SystemTime, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(XTimestamp::new(*at).as_str())
}

fn instant_or_none<S: Serializer>(at: &Option<SystemTime>, serializer: S) -> Result<S::Ok, S::Error> {
    match at {
        Some(at) => instant(at, serializer),
        None => serializer.serialize_none(),
    }
}
