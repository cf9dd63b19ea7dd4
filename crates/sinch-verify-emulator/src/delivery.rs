//! What became of callbacks.

use std::fmt;
use std::time::{Duration, SystemTime};

use serde::{Serialize, Serializer};
use sinch_verify_protocol::VerificationId;

use crate::message::instant;

/// One try to post an event to an application's callback URL.
///
/// A spoilt one did its job when it was refused. `Debug` shows neither of the bodies.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Delivery {
    /// Its number: 1 for the first try of this emulator.
    pub seq: u64,
    /// The verification that the event is about.
    pub verification_id: VerificationId,
    /// The event's name on the wire.
    pub event: String,
    /// Which try this was, 1 for the first.
    pub attempt: u32,
    /// Where it was posted.
    pub url: String,
    /// When, on the wall clock.
    #[serde(serialize_with = "instant")]
    pub at: SystemTime,
    /// When it was posted and when that was over, in service time.
    #[serde(skip)]
    pub(crate) service: (SystemTime, SystemTime),
    /// How long it took; in milliseconds as JSON.
    #[serde(rename = "ms", serialize_with = "milliseconds")]
    pub took: Duration,
    /// The headers that were posted.
    pub request_headers: Vec<(String, String)>,
    /// The body that was posted. It holds the number.
    pub request: String,
    /// The answer's HTTP status, if one came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The answer's headers, if one came.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub response_headers: Vec<(String, String)>,
    /// The start of the answer's body, if one came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response: Option<String>,
    /// Whether the try did its job.
    pub ok: bool,
    /// The delivery that this one repeated, if it was ordered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replay_of: Option<u64>,
    /// How it was changed before it was posted, if it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
    /// What is wrong with the answer, or an anomaly of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<String>,
}

impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery")
            .field("seq", &self.seq)
            .field("verification_id", &self.verification_id)
            .field("event", &self.event)
            .field("attempt", &self.attempt)
            .field("status", &self.status)
            .field("ok", &self.ok)
            .field("verdict", &self.verdict)
            .finish_non_exhaustive()
    }
}

fn milliseconds<S: Serializer>(took: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(u64::try_from(took.as_millis()).unwrap_or(u64::MAX))
}
