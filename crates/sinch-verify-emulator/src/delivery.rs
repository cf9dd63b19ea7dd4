//! The result of posting a callback event.

use std::fmt;
use std::time::{Duration, SystemTime};

use serde::{Serialize, Serializer};
use sinch_verify_protocol::VerificationId;

use crate::message::instant;

/// One try to post an event to an application's callback URL, with the answer.
///
/// `Debug` shows neither of the bodies, because they contain the phone number.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Delivery {
    /// The number of the delivery, 1 for the first one of this emulator.
    pub seq: u64,
    /// The verification that the event is about.
    pub verification_id: VerificationId,
    /// The name of the event on the wire, such as `VerificationResultEvent`.
    pub event: String,
    /// The number of the try, 1 for the first.
    pub attempt: u32,
    /// The URL that the event was posted to.
    pub url: String,
    /// When the event was posted, on the wall clock.
    #[serde(serialize_with = "instant")]
    pub at: SystemTime,
    /// When the post began and ended, in service time.
    #[serde(skip)]
    pub(crate) service: (SystemTime, SystemTime),
    /// The time from the post to the answer. In milliseconds as JSON `ms`.
    #[serde(rename = "ms", serialize_with = "milliseconds")]
    pub took: Duration,
    /// The headers of the request.
    pub request_headers: Vec<(String, String)>,
    /// The body of the request. It contains the phone number.
    pub request: String,
    /// The HTTP status of the answer, if there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The headers of the answer.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub response_headers: Vec<(String, String)>,
    /// The first 4096 bytes of the answer's body, if there was an answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response: Option<String>,
    /// Whether the answer is the required one: an acceptance, or a refusal if the replay made the
    /// callback invalid.
    pub ok: bool,
    /// The number of the delivery that this one replays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replay_of: Option<u64>,
    /// How the replay changed the callback, see [`Replay::name`](crate::Replay::name).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
    /// The conformance check that the callback belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conformance: Option<ConformanceCheck>,
    /// A remark about the answer: an error, or an anomaly.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<String>,
}

/// One check of a conformance run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ConformanceCheck {
    /// The id of the run.
    pub run: String,
    /// The number of the check in the run, 1 for the first.
    pub number: usize,
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
