//! Which object of the API a JSON body is.

use std::collections::BTreeMap;

use serde::de::IgnoredAny;

use crate::json::{JsonError, decode};

/// What a body is, by the fields that it has.
///
/// ```
/// use sinch_verify_protocol::body_kind::BodyKind;
///
/// assert_eq!(BodyKind::of(br#"{"action":"allow"}"#)?, Some(BodyKind::Decision));
/// assert_eq!(BodyKind::of(br#"{"code":"4821"}"#)?, None);
/// # Ok::<(), sinch_verify_protocol::error::JsonError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BodyKind {
    /// A [callback event](crate::callback::Event).
    Event,
    /// The [answer](crate::callback::DecisionBody) to a request event.
    Decision,
    /// An [error](crate::ApiError) of the service.
    ApiError,
    /// The answer to a report or to a status query: a [`Verification`](crate::Verification).
    Verification,
    /// A [start](crate::start::StartRequest).
    StartRequest,
    /// The [answer](crate::start::StartResponse) to a start.
    StartResponse,
    /// The [outcome](crate::call_outcome::OutcomeRequest) of a flash call, as mobile SDKs send it.
    CallOutcome,
    /// A [report](crate::report::ReportRequest).
    ReportRequest,
}

impl BodyKind {
    /// The fields by which a kind is recognised. The first row whose fields are all present decides,
    /// because an object of an earlier row may have the fields of a later one too.
    const FIELDS: [(Self, &'static [&'static str]); 8] = [
        (Self::Event, &["event"]),
        (Self::Decision, &["action"]),
        (Self::ApiError, &["errorCode"]),
        (Self::Verification, &["id", "status"]),
        (Self::StartRequest, &["identity", "method"]),
        (Self::StartResponse, &["id"]),
        (Self::CallOutcome, &["data", "method"]),
        (Self::ReportRequest, &["method"]),
    ];

    /// Recognises a body. `None` if its fields fit no object of the API. A body that is recognised may still
    /// lack a required field.
    ///
    /// # Errors
    ///
    /// When the body is not a JSON object.
    pub fn of(body: &[u8]) -> Result<Option<Self>, JsonError> {
        let fields: BTreeMap<String, IgnoredAny> = decode(body)?;
        let row = Self::FIELDS
            .iter()
            .find(|(_, names)| names.iter().all(|name| fields.contains_key(*name)));
        Ok(row.map(|(kind, _)| *kind))
    }
}
