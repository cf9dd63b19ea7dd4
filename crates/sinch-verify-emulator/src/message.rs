//! What a handset shows.

use std::fmt;
use std::time::SystemTime;

use serde::{Serialize, Serializer};
use sinch_verify_protocol::timestamp::XTimestamp;
use sinch_verify_protocol::{Cli, Code, LanguageTag, Method, VerificationId};

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
    /// The method that it is of: of an `auto` start, the one that sent it.
    pub kind: Method,
    /// The verification it belongs to.
    pub verification_id: VerificationId,
    /// When it came, service time; to the millisecond as JSON.
    #[serde(serialize_with = "instant")]
    pub at: SystemTime,
    /// The text of a message, or what a callout says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The language of that; absent for words of one's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<LanguageTag>,
    /// The code in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<Code>,
    /// Who calls: for a flash call, what is to be reported.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cli: Option<Cli>,
    /// For calls, whether it still rings, or waits for keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ringing: Option<bool>,
    /// For a flash call, when it stops ringing, or stopped; service time. Absent when nothing stops
    /// it.
    #[serde(serialize_with = "instant_or_none", skip_serializing_if = "Option::is_none")]
    pub ring_until: Option<SystemTime>,
    /// For calls, whether it is over because the caller gave up, as callers of flash calls do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missed: Option<bool>,
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

/// An instant as control answers write it: UTC with milliseconds and `Z`.
pub(crate) fn instant<S: Serializer>(at: &SystemTime, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(XTimestamp::new(*at).as_str())
}

fn instant_or_none<S: Serializer>(at: &Option<SystemTime>, serializer: S) -> Result<S::Ok, S::Error> {
    match at {
        Some(at) => instant(at, serializer),
        None => serializer.serialize_none(),
    }
}
