//! What can go wrong between types and bytes.

use std::fmt;

use bytes::Bytes;
use http::StatusCode;
use serde::{Deserialize, Deserializer};

use crate::json::sample;
use crate::untrusted::mask;
use crate::wire::{AnomalyKind, Extra, Via, WireObject, object};

pub use crate::json::JsonError;

object! {
    debug by_hand;

    /// The service's error body.
    ///
    /// Messages vary in case and final stop between documents: never match on
    /// them, match on [`ApiError::code`].
    pub struct ApiError {
        /// Five digits, the first three of which are the HTTP status. A number
        /// in every example, a string in one schema; both are read.
        required "errorCode" => code: u32, via NumberOrText;
        /// For people.
        side "message" => message: String;
        /// A support id, when there is one.
        side "reference" => reference: String;
        /// `404 Not Found`, in old answers only.
        side "status" => status: String;
    }
}

impl ApiError {
    /// Parameter validation: a missing field, a bad number.
    pub const PARAMETER: u32 = 40001;
    /// Well-formed but not processable: wrong code, wrong method, ended.
    pub const NOT_PROCESSABLE: u32 = 40003;
    /// Unreadable `Authorization` header.
    pub const AUTHORIZATION_HEADER: u32 = 40100;
    /// Missing, unreadable or stale `x-timestamp`.
    pub const TIMESTAMP: u32 = 40101;
    /// Wrong signature.
    pub const SIGNATURE: u32 = 40102;
    /// No `Authorization` header.
    pub const AUTHORIZATION_REQUIRED: u32 = 40104;
    /// Unknown key or wrong Basic secret.
    pub const CREDENTIALS: u32 = 40107;
    /// Not enough credit.
    pub const CREDIT: u32 = 40200;
    /// Forbidden for this number: it is blacklisted, or the method does not reach it.
    pub const FORBIDDEN: u32 = 40300;
    /// The authorization scheme is weaker than required.
    pub const SCHEME: u32 = 40301;
    /// Restricted: denied by the callback, or public authorization without a
    /// callback URL. The two look the same on the wire.
    pub const RESTRICTED: u32 = 40303;
    /// Unknown id, reference or number.
    pub const NOT_FOUND: u32 = 40400;
    /// The path takes other verbs. Not documented: what the module `server` answers.
    pub const VERB: u32 = 40500;
    /// The body did not come in time. Not documented: the emulator answers it.
    pub const BODY_TOO_SLOW: u32 = 40800;
    /// The reference was used before.
    pub const REFERENCE_USED: u32 = 40900;
    /// The body is larger than is read. Not documented: the emulator answers it.
    pub const BODY_TOO_LARGE: u32 = 41300;
    /// No route to the destination.
    pub const NO_ROUTE: u32 = 42201;
    /// Request capacity exceeded.
    pub const CAPACITY: u32 = 42900;
    /// Starts for one number follow too quickly.
    pub const VELOCITY: u32 = 42901;
    /// Internal server error.
    pub const INTERNAL: u32 = 50000;
    /// Temporarily unavailable.
    pub const UNAVAILABLE: u32 = 50300;

    /// An error with `code` and `message`.
    #[must_use]
    pub fn new(code: u32, message: impl Into<String>) -> Self {
        Self {
            message: Some(message.into()),
            ..Self::bare(code)
        }
    }

    /// [`ApiError::NOT_FOUND`] in the words of the service.
    #[must_use]
    pub fn not_found() -> Self {
        Self::new(Self::NOT_FOUND, "Requested resource was not found.")
    }

    /// The HTTP status that the code's first three digits name; 500 where they
    /// name none.
    #[must_use]
    pub fn http_status(&self) -> StatusCode {
        u16::try_from(self.code / 100)
            .ok()
            .and_then(|status| StatusCode::from_u16(status).ok())
            .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// The answer that carries this error.
    #[cfg(feature = "server")]
    #[must_use]
    pub fn to_http_response(&self) -> http::Response<Bytes> {
        crate::json::response(self.http_status(), self)
    }
}

/// The message [masked](mask): the service repeats the phone number that it did not like.
impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let message = self.message.as_deref().unwrap_or("no message");
        write!(
            f,
            "{} (errorCode {})",
            mask(message.trim_end_matches('.')),
            self.code
        )?;
        // The documented example of a missing plus carries 40002; mobile SDKs list 40005 for it.
        let about_a_number = message.contains("umber") || message.contains("leading");
        if matches!(self.code, 40002 | 40005) || (self.code == Self::PARAMETER && about_a_number) {
            f.write_str("; check that the number starts with + and its country code")?;
        }
        Ok(())
    }
}

/// Message and reference are [masked](mask).
impl fmt::Debug for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiError")
            .field("code", &self.code)
            .field("message", &self.message.as_deref().map(mask))
            .field("reference", &self.reference.as_deref().map(mask))
            .finish_non_exhaustive()
    }
}

struct NumberOrText {
    code: u32,
    text: bool,
}

impl<'de> Deserialize<'de> for NumberOrText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl serde::de::Visitor<'_> for Either {
            type Value = NumberOrText;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number, or a string of digits")
            }
            fn visit_u64<E: serde::de::Error>(self, n: u64) -> Result<NumberOrText, E> {
                let code = u32::try_from(n).map_err(|_| E::custom("number too large"))?;
                Ok(NumberOrText { code, text: false })
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<NumberOrText, E> {
                let code = text.parse().map_err(E::custom)?;
                Ok(NumberOrText { code, text: true })
            }
        }
        deserializer.deserialize_any(Either)
    }
}

impl Via<u32> for NumberOrText {
    fn settle(self, field: &'static str, extra: &mut Extra) -> Option<u32> {
        if self.text {
            extra.remark(field, AnomalyKind::WrongType);
        }
        Some(self.code)
    }
}

/// A request could not be put into its wire form.
#[derive(Debug)]
#[non_exhaustive]
pub enum EncodeError {
    /// The base URL and the path do not make a URI.
    Uri(http::Error),
    /// The body could not be written as JSON.
    Json(serde_json::Error),
    /// A header value has a character that no header can carry.
    Header(http::header::InvalidHeaderValue),
    /// The method is empty, `.` or `..`, which no path can carry.
    Method,
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Uri(_) => f.write_str("make a URI of the base URL and the path"),
            Self::Json(_) => f.write_str("write the body as JSON"),
            Self::Header(_) => f.write_str("write the languages as a header"),
            Self::Method => f.write_str("write the method into the path: it is empty or made of dots"),
        }
    }
}

impl std::error::Error for EncodeError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Uri(source) => Some(source),
            Self::Json(source) => Some(source),
            Self::Header(source) => Some(source),
            Self::Method => None,
        }
    }
}

/// An answer, or a body, could not be read as what it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecodeError {
    /// The service answered with an error object.
    Api {
        /// The HTTP status.
        status: StatusCode,
        /// The error object.
        error: ApiError,
    },
    /// The service answered with a status that is not success, and without a
    /// readable error object.
    Status {
        /// The HTTP status.
        status: StatusCode,
        /// The start of the body; digits and long words are masked.
        sample: String,
    },
    /// A success without a body: there is nothing to read the outcome from.
    EmptyBody {
        /// The HTTP status.
        status: StatusCode,
    },
    /// The body is not the JSON that was expected.
    Json(JsonError),
    /// The answer is about another method than the request.
    WrongMethod {
        /// The method asked for.
        asked: String,
        /// The method of the answer, [masked](mask).
        answered: String,
    },
}

impl DecodeError {
    /// The HTTP status, where the answer's status was the trouble.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        match self {
            Self::Api { status, .. } | Self::Status { status, .. } | Self::EmptyBody { status } => {
                Some(*status)
            }
            Self::Json(_) | Self::WrongMethod { .. } => None,
        }
    }
}

impl From<JsonError> for DecodeError {
    fn from(error: JsonError) -> Self {
        Self::Json(error)
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Api { status, error } => write!(f, "{status}: {error}"),
            Self::Status { status, sample } if sample.is_empty() => write!(f, "{status} without a body"),
            Self::Status { status, sample } => {
                write!(f, "{status} without an error object, body starts {sample:?}")
            }
            Self::EmptyBody { status } => {
                write!(f, "{status} with an empty body where an object was expected")
            }
            Self::Json(error) => error.fmt(f),
            Self::WrongMethod { asked, answered } => {
                write!(f, "asked for method {asked}, the answer is about {answered}")
            }
        }
    }
}

impl std::error::Error for DecodeError {}

/// Reads an answer of the service: success with a body, or an error.
pub(crate) fn from_response<T: WireObject>(response: &http::Response<Bytes>) -> Result<T, DecodeError> {
    let (status, body) = (response.status(), response.body());
    if !status.is_success() {
        return Err(refusal(response));
    }
    if body.is_empty() {
        return Err(DecodeError::EmptyBody { status });
    }
    Ok(T::decode(body)?)
}

/// Reads an answer that is no success.
pub(crate) fn refusal(response: &http::Response<Bytes>) -> DecodeError {
    let status = response.status();
    match ApiError::decode(response.body()) {
        Ok(error) => DecodeError::Api { status, error },
        Err(_) => DecodeError::Status {
            status,
            sample: sample(response.body()),
        },
    }
}
