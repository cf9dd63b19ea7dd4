//! The service half: which operation a request is, and how answers are written.

mod description;

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use http::{Method as Verb, Response};

use crate::auth::X_TIMESTAMP;
use crate::endpoint::PREFIX;
use crate::error::{ApiError, JsonError};
use crate::id::VerificationId;
use crate::method::Method;
use crate::phone_number::PhoneNumber;
use crate::timestamp;
use crate::wire::{Anomaly, AnomalyKind};

pub use description::OperationDescription;

/// What a request asks of the service, by its verb and path.
///
/// ```
/// use sinch_verify_protocol::server::Route;
///
/// let route = Route::parse(&http::Method::GET, "/verification/v1/verifications/reference/order-1")?;
/// assert_eq!(route, Route::StatusByReference { reference: "order-1".into() });
/// # Ok::<(), sinch_verify_protocol::server::RouteError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Route {
    /// `POST /verifications`.
    Start,
    /// `PUT /verifications/id/{id}`.
    ReportById {
        /// The verification.
        id: VerificationId,
    },
    /// `PUT /verifications/number/{endpoint}`.
    ReportByNumber {
        /// The number.
        number: PhoneNumber,
    },
    /// `PATCH /verifications/number/{endpoint}`: the flash call's outcome.
    Outcome {
        /// The number.
        number: PhoneNumber,
    },
    /// `GET /verifications/id/{id}`.
    StatusById {
        /// The verification.
        id: VerificationId,
    },
    /// `GET /verifications/reference/{reference}`.
    StatusByReference {
        /// The reference, as text: a client may have used any.
        reference: String,
    },
    /// `GET /verifications/{method}/number/{endpoint}`, or the original
    /// guide's `GET /verifications/number/{endpoint}`, which names no method.
    StatusByNumber {
        /// The method, if named.
        method: Option<Method>,
        /// The number.
        number: PhoneNumber,
    },
}

impl Route {
    /// Reads a verb and a path (without query). Escapes are decoded once, also
    /// where the path is escaped as a whole ([`path_anomaly`]); one trailing
    /// slash is tolerated, as an old document prints it.
    ///
    /// # Errors
    ///
    /// When no operation has this path, when the operation takes another verb,
    /// or when a part of the path is not what it should be.
    pub fn parse(verb: &Verb, path: &str) -> Result<Self, RouteError> {
        if let Some(rest) = path.strip_prefix(PREFIX) {
            let escapes = memchr::memchr(b'%', rest.as_bytes()).is_some();
            return Self::below_prefix(verb, rest, escapes);
        }
        let escaped = escaped_as_a_whole(path).ok_or(RouteError::NotFound)?;
        let path = decoded(escaped)?;
        let rest = path.strip_prefix(PREFIX).ok_or(RouteError::NotFound)?;
        Self::below_prefix(verb, rest, false)
    }

    /// Reads what is behind [`PREFIX`]; `escapes` says whether its segments have to be decoded.
    fn below_prefix(verb: &Verb, rest: &str, escapes: bool) -> Result<Self, RouteError> {
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        if rest.is_empty() {
            return if verb == Verb::POST {
                Ok(Self::Start)
            } else {
                Err(RouteError::Verb { allowed: "POST" })
            };
        }
        let rest = rest.strip_prefix('/').ok_or(RouteError::NotFound)?;
        let mut rest = Some(rest);
        let mut next = || {
            let (segment, behind) = cut(rest?);
            rest = behind;
            Some(if escapes {
                decoded(segment)
            } else {
                Ok(Cow::Borrowed(segment))
            })
        };
        let mut next = || next().transpose();
        match (next()?, next()?, next()?, next()?) {
            (Some(kind), Some(name), None, None) => Self::two(verb, &kind, &name),
            (Some(method), Some(kind), Some(name), None) if kind == "number" => {
                let number = number(&name)?;
                only(verb, &Verb::GET, "GET")?;
                Ok(Self::StatusByNumber {
                    method: Some(Method::from(&*method)),
                    number,
                })
            }
            _ => Err(RouteError::NotFound),
        }
    }

    fn two(verb: &Verb, kind: &str, name: &str) -> Result<Self, RouteError> {
        match kind {
            "id" => {
                let id = VerificationId::new(name).map_err(|error| RouteError::Segment {
                    field: "id",
                    message: error.to_string(),
                })?;
                match *verb {
                    Verb::GET => Ok(Self::StatusById { id }),
                    Verb::PUT => Ok(Self::ReportById { id }),
                    _ => Err(RouteError::Verb { allowed: "GET, PUT" }),
                }
            }
            "reference" => {
                only(verb, &Verb::GET, "GET")?;
                Ok(Self::StatusByReference {
                    reference: name.to_owned(),
                })
            }
            "number" => match *verb {
                Verb::GET => Ok(Self::StatusByNumber {
                    method: None,
                    number: number(name)?,
                }),
                Verb::PUT => Ok(Self::ReportByNumber {
                    number: number(name)?,
                }),
                Verb::PATCH => Ok(Self::Outcome {
                    number: number(name)?,
                }),
                _ => Err(RouteError::Verb {
                    allowed: "GET, PUT, PATCH",
                }),
            },
            _ => Err(RouteError::NotFound),
        }
    }
}

/// What is odd about the `Content-Type` of a JSON body: another type, or another charset than UTF-8. A
/// body without the header is taken for JSON.
///
/// ```
/// use http::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
/// use sinch_verify_protocol::server::content_type_anomaly;
///
/// let mut headers = HeaderMap::new();
/// headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
/// assert_eq!(content_type_anomaly(&headers), None);
/// headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
/// assert!(content_type_anomaly(&headers).is_some());
/// ```
#[must_use]
pub fn content_type_anomaly(headers: &HeaderMap) -> Option<Anomaly> {
    let value = headers.get(CONTENT_TYPE)?.as_bytes().to_ascii_lowercase();
    let mut parts = value.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
    let is_json = parts.next() == Some(b"application/json");
    let is_utf8 = parts.all(|parameter| match parameter.strip_prefix(b"charset=") {
        Some(charset) => matches!(charset.trim_ascii(), b"utf-8" | b"utf8" | b"\"utf-8\""),
        None => true,
    });
    (!is_json || !is_utf8).then(|| Anomaly {
        path: "Content-Type".to_owned(),
        what: AnomalyKind::ContentType,
    })
}

/// What is odd about the path of a request: it is percent-encoded as a whole, as the Android SDK 1.x does
/// (`/%2Fverification%2Fv1%2Fverifications`).
#[must_use]
pub fn path_anomaly(path: &str) -> Option<Anomaly> {
    escaped_as_a_whole(path).map(|_| Anomaly {
        path: "path".to_owned(),
        what: AnomalyKind::EscapedPath,
    })
}

/// The escaped path in a path that is an escaped one behind a slash.
fn escaped_as_a_whole(path: &str) -> Option<&str> {
    let escaped = path.strip_prefix('/')?;
    let (slash, _) = escaped.split_at_checked(3)?;
    slash.eq_ignore_ascii_case("%2F").then_some(escaped)
}

/// What is odd about the `x-timestamp` of a request: a zone without its colon.
#[must_use]
pub fn timestamp_anomaly(headers: &HeaderMap) -> Option<Anomaly> {
    let value = headers.get(X_TIMESTAMP)?;
    timestamp::has_bare_zone(value.as_bytes()).then(|| Anomaly {
        path: X_TIMESTAMP.to_string(),
        what: AnomalyKind::ValueSpelling,
    })
}

fn only(verb: &Verb, wanted: &Verb, allowed: &'static str) -> Result<(), RouteError> {
    if verb == wanted {
        Ok(())
    } else {
        Err(RouteError::Verb { allowed })
    }
}

fn number(text: &str) -> Result<PhoneNumber, RouteError> {
    text.parse().map_err(
        |error: crate::phone_number::PhoneNumberError| RouteError::Segment {
            field: "endpoint",
            message: error.to_string(),
        },
    )
}

/// The first segment of a path, and what is behind the slash after it.
fn cut(path: &str) -> (&str, Option<&str>) {
    match memchr::memchr(b'/', path.as_bytes()) {
        Some(slash) => (&path[..slash], Some(&path[slash + 1..])),
        None => (path, None),
    }
}

fn decoded(escaped: &str) -> Result<Cow<'_, str>, RouteError> {
    crate::percent::decode(escaped).ok_or_else(|| RouteError::Segment {
        field: "path",
        message: "an escape does not decode to UTF-8".to_owned(),
    })
}

/// Why a verb and a path are no operation.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RouteError {
    /// No operation has this path.
    NotFound,
    /// The path takes other verbs.
    Verb {
        /// The verbs it takes, for an `Allow` header.
        allowed: &'static str,
    },
    /// A part of the path is not what it should be.
    Segment {
        /// Which part.
        field: &'static str,
        /// What is wrong with it.
        message: String,
    },
}

impl RouteError {
    /// The answer of the service: 404, 405 with `Allow`, or 400/40001.
    #[must_use]
    pub fn to_http_response(&self) -> Response<Bytes> {
        match self {
            Self::NotFound => ApiError::not_found().to_http_response(),
            Self::Verb { allowed } => {
                let error = ApiError::new(ApiError::VERB, format!("This path takes {allowed}."));
                let mut response = error.to_http_response();
                response
                    .headers_mut()
                    .insert(http::header::ALLOW, HeaderValue::from_static(allowed));
                response
            }
            Self::Segment { .. } => ApiError::new(ApiError::PARAMETER, format!("{self}.")).to_http_response(),
        }
    }
}

impl fmt::Display for RouteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound => f.write_str("no operation has this path"),
            Self::Verb { allowed } => write!(f, "this path takes {allowed}"),
            Self::Segment { field, message } => write!(f, "{field}: {message}"),
        }
    }
}

impl std::error::Error for RouteError {}

impl From<&JsonError> for ApiError {
    /// 400/40001 that names the field.
    fn from(JsonError { path, message, .. }: &JsonError) -> Self {
        let message = match path.as_str() {
            "." => format!("Body: {message}."),
            path => format!("Parameter {path}: {message}."),
        };
        Self::new(Self::PARAMETER, message)
    }
}
