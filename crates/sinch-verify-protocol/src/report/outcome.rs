//! What a report leads to.

use bytes::Bytes;
use http::Response;

use crate::error::{ApiError, DecodeError};
use crate::verification::{Reason, Status, Verification};

/// What a report led to. A wrong code is an answer, not an error.
///
/// ```
/// use sinch_verify_protocol::ReportOutcome;
///
/// fn tell(outcome: &ReportOutcome) -> String {
///     match outcome {
///         ReportOutcome::Verified(_) => "verified".to_owned(),
///         ReportOutcome::Refused { .. } => "not accepted, try again".to_owned(),
///         ReportOutcome::Ended(ended) => format!("start again: {}", ended.status()),
///     }
/// }
/// # let body = r#"{"errorCode":40003,"message":"Invalid identity or code."}"#;
/// # let mut response = http::Response::new(bytes::Bytes::from(body));
/// # *response.status_mut() = http::StatusCode::BAD_REQUEST;
/// # assert_eq!(tell(&ReportOutcome::from_http(&response)?), "not accepted, try again");
/// # Ok::<(), sinch_verify_protocol::DecodeError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "only `Verified` means that the number is verified"]
pub enum ReportOutcome {
    /// The number is verified.
    Verified(Verification),
    /// The service did not accept the report: error 40003, or a verification that is still pending.
    ///
    /// Usually the code is wrong. The service answers the same when the verification has ended, or is of
    /// another method, so the verification may still be pending or not.
    #[non_exhaustive]
    Refused {
        /// The service's error object, if it answered with one.
        error: Option<ApiError>,
        /// The pending verification, if the service told it. Then another code may be reported.
        verification: Option<Box<Verification>>,
    },
    /// The verification has ended without success. Start a new one.
    Ended(Ended),
}

impl ReportOutcome {
    /// Reads the answer to a report.
    ///
    /// # Errors
    ///
    /// When the service answered with another error than 40003, or the answer is not a verification.
    pub fn from_http(response: &Response<Bytes>) -> Result<Self, DecodeError> {
        match Verification::from_http(response) {
            Ok(verification) => Ok(verification.into()),
            Err(DecodeError::Api { error, .. }) if error.code == ApiError::NOT_PROCESSABLE => {
                Ok(Self::refused(error))
            }
            Err(error) => Err(error),
        }
    }

    /// The report was refused with this error.
    pub fn refused(error: ApiError) -> Self {
        Self::Refused {
            error: Some(error),
            verification: None,
        }
    }

    /// Whether the number is verified.
    #[must_use]
    pub fn is_verified(&self) -> bool {
        matches!(self, Self::Verified(_))
    }

    /// The verification, if the service told it.
    #[must_use]
    pub fn verification(&self) -> Option<&Verification> {
        match self {
            Self::Verified(verification) | Self::Ended(Ended(verification)) => Some(verification),
            Self::Refused { verification, .. } => verification.as_deref(),
        }
    }
}

/// By its status: successful, ended otherwise, or neither of them, which is a refusal.
impl From<Verification> for ReportOutcome {
    fn from(verification: Verification) -> Self {
        if verification.is_successful() {
            Self::Verified(verification)
        } else if verification.status.is_final() {
            Self::Ended(Ended(verification))
        } else {
            Self::Refused {
                error: None,
                verification: Some(Box::new(verification)),
            }
        }
    }
}

/// A verification that has ended without success. It cannot hold `SUCCESSFUL`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended(Verification);

impl Ended {
    /// How it ended.
    #[must_use]
    pub fn status(&self) -> &Status {
        &self.0.status
    }

    /// Why, if the service told it.
    #[must_use]
    pub fn reason(&self) -> Option<&Reason> {
        self.0.reason.as_ref()
    }

    /// The verification.
    #[must_use]
    pub fn verification(&self) -> &Verification {
        &self.0
    }
}

impl From<Ended> for Verification {
    fn from(ended: Ended) -> Self {
        ended.0
    }
}
