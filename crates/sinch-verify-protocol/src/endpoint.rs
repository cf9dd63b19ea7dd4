//! One API operation: a request that knows its answer.

use std::convert::Infallible;
use std::fmt;
use std::ops::Deref;
use std::str::FromStr;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::uri::{Authority, PathAndQuery, Scheme, Uri};
use http::{Method, Request, Response};
use serde::{Deserialize, Serialize};

use crate::error::{DecodeError, EncodeError};
use crate::url::{HttpUrl, InvalidUrl};

pub(crate) mod sealed {
    pub trait Sealed {}
}

/// An operation of the API, as the client sees it.
///
/// The requests of this crate implement it; no other crate can, so that a path or
/// a JSON key is written in one place only.
pub trait Endpoint: sealed::Sealed {
    /// What a successful answer holds.
    type Response;

    /// The operation's name, for spans, metrics and reports.
    const NAME: &'static str;
    /// What it does, in words for people that fit after "failed to".
    const ACTION: &'static str;
    /// The HTTP method.
    const METHOD: Method;
    /// Whether the request may be sent again.
    const IDEMPOTENCY: Idempotency;

    /// The request in its wire form, not yet authorized.
    ///
    /// # Errors
    ///
    /// When the base URL and the path do not make a URI.
    fn to_http(&self, base: &BaseUrl) -> Result<Request<Bytes>, EncodeError>;

    /// Reads the answer to this request.
    ///
    /// # Errors
    ///
    /// When the service refused, or the answer is not what it should be.
    #[expect(
        clippy::wrong_self_convention,
        reason = "the other half of `to_http`; which answers fit depends on the request"
    )]
    fn from_http(&self, response: &Response<Bytes>) -> Result<Self::Response, DecodeError>;
}

/// What sending a request twice does. [`RetryPolicy`](crate::retry::RetryPolicy) acts on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Idempotency {
    /// Nothing: a query.
    Safe,
    /// It may use up an attempt: ask for the status before sending again.
    AskFirst,
    /// It sends a message that costs money and aborts a pending verification:
    /// send again only what provably never left.
    Never,
}

/// The path under which every operation lives.
pub(crate) const PREFIX: &str = "/verification/v1/verifications";

/// The beginning of [`PREFIX`] that base URLs must not have.
const API: &str = "/verification/v1";

/// Where the service is: scheme, host, optional port and optional path prefix.
///
/// ```
/// use sinch_verify_protocol::BaseUrl;
///
/// let base: BaseUrl = "https://verification.api.sinch.com".parse()?;
/// assert_eq!(base, BaseUrl::default());
/// assert!("https://example.com/?a=b".parse::<BaseUrl>().is_err());
///
/// let endpoint = "https://example.com/verification/v1/verifications".parse::<BaseUrl>();
/// let message = endpoint.unwrap_err().to_string();
/// assert!(message.ends_with("give https://example.com"));
/// # Ok::<(), sinch_verify_protocol::endpoint::InvalidBaseUrl>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseUrl {
    /// Without slashes at the end of its path, but for the one that every URL has.
    url: HttpUrl,
}

impl BaseUrl {
    /// `url` with `prefix`, the beginning of its path, in place of its path and its query.
    fn new(url: &HttpUrl, prefix: &str) -> Self {
        let path = PathAndQuery::try_from(prefix.trim_end_matches('/'));
        Self {
            url: HttpUrl {
                // The beginning of a path is a path, unless it is empty.
                path: path.unwrap_or(PathAndQuery::from_static("/")),
                ..url.clone()
            },
        }
    }

    /// The base with `path` behind it, as `_links` and documents need it.
    #[must_use]
    pub fn join(&self, path: &str) -> String {
        format!("{self}{path}")
    }

    fn prefix(&self) -> &str {
        self.url.path.as_str().trim_end_matches('/')
    }

    pub(crate) fn uri(&self, path: &str) -> Result<Uri, EncodeError> {
        let prefix = self.prefix();
        let full;
        let path = if prefix.is_empty() {
            path
        } else {
            full = format!("{prefix}{path}");
            &full
        };
        let path = PathAndQuery::try_from(path).map_err(|error| EncodeError::Uri(error.into()))?;
        Uri::builder()
            .scheme(self.url.scheme.clone())
            .authority(self.url.authority.clone())
            .path_and_query(path)
            .build()
            .map_err(EncodeError::Uri)
    }
}

impl Deref for BaseUrl {
    type Target = HttpUrl;

    fn deref(&self) -> &HttpUrl {
        &self.url
    }
}

impl Default for BaseUrl {
    fn default() -> Self {
        Self {
            url: HttpUrl {
                scheme: Scheme::HTTPS,
                authority: Authority::from_static("verification.api.sinch.com"),
                path: PathAndQuery::from_static("/"),
            },
        }
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", self.url.scheme, self.url.authority, self.prefix())
    }
}

impl FromStr for BaseUrl {
    type Err = InvalidBaseUrl;

    fn from_str(text: &str) -> Result<Self, InvalidBaseUrl> {
        let url: HttpUrl = text.parse().map_err(InvalidBaseUrl::Url)?;
        let path = url.path.path();
        if let Some(prefix) = before_api(path) {
            let base = Self::new(&url, prefix);
            return Err(InvalidBaseUrl::ApiPath(Box::new(base)));
        }
        if url.path.query().is_some() {
            return Err(InvalidBaseUrl::Query);
        }
        Ok(Self::new(&url, path))
    }
}

/// What is before the API's own path, where a path has it.
fn before_api(path: &str) -> Option<&str> {
    let is_segment = |&(at, _): &(usize, &str)| {
        let behind = &path[at + API.len()..];
        behind.is_empty() || behind.starts_with('/')
    };
    let (at, _) = path.match_indices(API).find(is_segment)?;
    Some(&path[..at])
}

impl TryFrom<&str> for BaseUrl {
    type Error = InvalidBaseUrl;

    fn try_from(text: &str) -> Result<Self, InvalidBaseUrl> {
        text.parse()
    }
}

impl TryFrom<String> for BaseUrl {
    type Error = InvalidBaseUrl;

    fn try_from(text: String) -> Result<Self, InvalidBaseUrl> {
        text.parse()
    }
}

/// Why a text is not a base URL.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidBaseUrl {
    /// Not a URL that can be sent to.
    Url(InvalidUrl),
    /// A query behind the path.
    Query,
    /// The API's own path, which is added by us. Holds the base URL that is meant.
    ApiPath(Box<BaseUrl>),
}

impl fmt::Display for InvalidBaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(why) => write!(f, "base URL {why}"),
            Self::Query => f.write_str("base URL must not have a query"),
            Self::ApiPath(base) => {
                write!(
                    f,
                    "base URL must end before {API}, which is added to it; give {base}"
                )
            }
        }
    }
}

impl std::error::Error for InvalidBaseUrl {}

/// For functions that take a text or a base URL, with `impl TryInto<BaseUrl>`.
impl From<Infallible> for InvalidBaseUrl {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

/// The content type of every body we send.
pub(crate) const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// A request with a JSON body.
pub(crate) fn json_request<T: Serialize>(
    method: Method,
    base: &BaseUrl,
    path: &str,
    body: &T,
) -> Result<Request<Bytes>, EncodeError> {
    let body = serde_json::to_vec(body).map_err(EncodeError::Json)?;
    let mut request = Request::new(Bytes::from(body));
    *request.method_mut() = method;
    *request.uri_mut() = base.uri(path)?;
    request.headers_mut().insert(CONTENT_TYPE, JSON);
    Ok(request)
}

/// A request without a body, and so without a content type.
pub(crate) fn get_request(base: &BaseUrl, path: &str) -> Result<Request<Bytes>, EncodeError> {
    let mut request = Request::new(Bytes::new());
    *request.uri_mut() = base.uri(path)?;
    Ok(request)
}
