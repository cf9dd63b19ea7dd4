use std::fmt;

use bytes::Bytes;
use http::header::{ALLOW, CONNECTION, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{Method, Response, StatusCode};
use sinch_verify_protocol::auth::VerifyError;
use sinch_verify_protocol::error::JsonError;

use crate::replay::StoreError;

/// A callback that was not taken.
///
/// Rich inside, opaque outside: [`Rejection::reason`] is for your log,
/// [`Rejection::to_http_response`] for the sender.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    reason: Reason,
}

/// Why a callback was not taken. For your log, not for the sender.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// The signature, the timestamp or the secret does not hold. Answered with 401.
    Unauthorized(VerifyError),
    /// Not a POST. Answered with 405.
    Method {
        /// What it was.
        method: Method,
    },
    /// Two `Host` or two `Transfer-Encoding` headers: a proxy and this receiver
    /// could read different ones. Answered with 400, which closes the connection.
    Ambiguous,
    /// The content type is not `application/json`. Answered with 415.
    ContentType,
    /// The body is too large. Answered with 413.
    TooLarge {
        /// The most that is taken, in bytes.
        limit: usize,
    },
    /// The body broke off, or did not come in time. Answered with 400.
    Body {
        /// What happened.
        message: String,
    },
    /// The callback was taken before. Answered with 401, as a forgery is.
    Replayed,
    /// A store does not know whether the callback was taken before, or whether the policy
    /// allows it, and is to refuse in doubt. Answered with 429 when the store is full, else
    /// with 503.
    Unguarded(StoreError),
    /// There is a decision, but the deadline passed before it could be
    /// answered. It is remembered, and answered when the event is sent again.
    /// Answered with 503.
    Late,
    /// The callback is authentic, but not the JSON of an event. Answered with 400.
    Undecodable(Box<JsonError>),
}

impl Reason {
    /// For telemetry: one word, the same for the same kind of reason.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Unauthorized(error) => match error {
                VerifyError::MissingAuthorization => "missing_authorization",
                VerifyError::Authorization(_) => "bad_authorization",
                VerifyError::NotSigned => "not_signed",
                VerifyError::RepeatedHeader => "repeated_header",
                VerifyError::UnknownKey => "unknown_key",
                VerifyError::MissingTimestamp => "missing_timestamp",
                VerifyError::BadTimestamp => "bad_timestamp",
                VerifyError::Stale { .. } => "stale",
                VerifyError::Future { .. } => "future",
                VerifyError::Mismatch => "mismatch",
                VerifyError::WrongSecret => "wrong_secret",
                _ => "unauthorized",
            },
            Self::Method { .. } => "method",
            Self::Ambiguous => "ambiguous",
            Self::ContentType => "content_type",
            Self::TooLarge { .. } => "too_large",
            Self::Body { .. } => "body",
            Self::Replayed => "replayed",
            Self::Unguarded(_) => "unguarded",
            Self::Late => "late",
            Self::Undecodable(_) => "undecodable",
        }
    }
}

impl Rejection {
    pub(crate) fn new(reason: Reason) -> Self {
        Self { reason }
    }

    /// Why.
    #[must_use]
    pub fn reason(&self) -> &Reason {
        &self.reason
    }

    /// The status of the answer.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match &self.reason {
            Reason::Unauthorized(_) | Reason::Replayed => StatusCode::UNAUTHORIZED,
            Reason::Unguarded(StoreError::Full) => StatusCode::TOO_MANY_REQUESTS,
            Reason::Unguarded(_) | Reason::Late => StatusCode::SERVICE_UNAVAILABLE,
            Reason::Method { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Reason::ContentType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Reason::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Reason::Ambiguous | Reason::Body { .. } | Reason::Undecodable(_) => StatusCode::BAD_REQUEST,
        }
    }

    /// The answer. It has no body, and is the same for every reason that has
    /// to do with authorization.
    #[must_use]
    pub fn to_http_response(&self) -> Response<Bytes> {
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = self.status();
        let headers = response.headers_mut();
        match &self.reason {
            Reason::Unauthorized(_) | Reason::Replayed => {
                headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("application"));
            }
            Reason::Method { .. } => {
                headers.insert(ALLOW, HeaderValue::from_static("POST"));
            }
            Reason::Ambiguous => {
                // Where this request ends is not certain, so nothing behind it is read.
                headers.insert(CONNECTION, HeaderValue::from_static("close"));
            }
            Reason::Unguarded(_) | Reason::Late => {
                headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
            }
            _ => {}
        }
        response
    }
}

impl From<VerifyError> for Rejection {
    fn from(error: VerifyError) -> Self {
        Self::new(Reason::Unauthorized(error))
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.reason.fmt(f)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unauthorized(error) => error.fmt(f),
            // An extension method is the sender's own text: not for a log.
            Self::Method { .. } => f.write_str("callbacks are posted, this request is no POST"),
            Self::Ambiguous => f.write_str("Host or Transfer-Encoding comes twice; check the proxy in front"),
            Self::ContentType => f.write_str("content type is not application/json"),
            Self::TooLarge { limit } => write!(f, "body is larger than {limit} bytes"),
            Self::Body { message } => write!(f, "read the body: {message}"),
            Self::Replayed => f.write_str("callback was taken before: a replay"),
            Self::Unguarded(error) => write!(f, "callback is refused in doubt: {error}"),
            Self::Late => {
                f.write_str("decision came after the deadline; a handler may block the runtime's threads")
            }
            Self::Undecodable(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Rejection {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.reason {
            Reason::Unauthorized(error) => error.source(),
            Reason::Undecodable(error) => error.source(),
            Reason::Unguarded(error) => Some(error),
            _ => None,
        }
    }
}
