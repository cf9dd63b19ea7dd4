//! One API operation: a request that knows its answer.

use std::fmt;
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
/// The requests of this crate implement it; nobody else can, so that a path or
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

/// Whether `host`, without port, names this machine: `localhost`, 127.0.0.0/8 or `::1`, the latter
/// with or without brackets.
///
/// ```
/// use sinch_verify_protocol::endpoint::is_loopback_host;
///
/// assert!(is_loopback_host("LocalHost") && is_loopback_host("127.8.0.1") && is_loopback_host("[::1]"));
/// assert!(!is_loopback_host("localhost.example") && !is_loopback_host("0.0.0.0"));
/// ```
#[must_use]
pub fn is_loopback_host(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

/// The path under which every operation lives.
pub(crate) const PREFIX: &str = "/verification/v1/verifications";

/// Where the service is: scheme, host, optional port and optional path prefix.
///
/// ```
/// use sinch_verify_protocol::BaseUrl;
///
/// let base: BaseUrl = "https://verification.api.sinch.com".parse()?;
/// assert_eq!(base, BaseUrl::default());
/// assert!("https://example.com/?a=b".parse::<BaseUrl>().is_err());
/// # Ok::<(), sinch_verify_protocol::endpoint::InvalidBaseUrl>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseUrl {
    scheme: Scheme,
    authority: Authority,
    prefix: Box<str>,
}

impl BaseUrl {
    /// The service's address.
    pub const SINCH: &'static str = "https://verification.api.sinch.com";
    /// The address in the original guide and in old SDKs; the same paths.
    pub const SINCH_LEGACY: &'static str = "https://verificationapi-v1.sinch.com";

    /// The host, without port.
    #[must_use]
    pub fn host(&self) -> &str {
        self.authority.host()
    }

    /// Whether the host is this machine: `localhost`, 127.0.0.0/8 or `[::1]`.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        is_loopback_host(self.host())
    }

    /// Whether the scheme is `https`.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.scheme == Scheme::HTTPS
    }

    /// The base with `path` behind it, as `_links` and documents need it.
    #[must_use]
    pub fn join(&self, path: &str) -> String {
        let parts = [
            self.scheme.as_str(),
            "://",
            self.authority.as_str(),
            &self.prefix,
            path,
        ];
        parts.concat()
    }

    pub(crate) fn uri(&self, path: &str) -> Result<Uri, EncodeError> {
        let full;
        let path = if self.prefix.is_empty() {
            path
        } else {
            full = format!("{}{path}", self.prefix);
            &full
        };
        let path = PathAndQuery::try_from(path).map_err(|error| EncodeError::Uri(error.into()))?;
        Uri::builder()
            .scheme(self.scheme.clone())
            .authority(self.authority.clone())
            .path_and_query(path)
            .build()
            .map_err(EncodeError::Uri)
    }
}

impl Default for BaseUrl {
    fn default() -> Self {
        Self {
            scheme: Scheme::HTTPS,
            authority: Authority::from_static("verification.api.sinch.com"),
            prefix: "".into(),
        }
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", self.scheme, self.authority, self.prefix)
    }
}

impl FromStr for BaseUrl {
    type Err = InvalidBaseUrl;

    fn from_str(text: &str) -> Result<Self, InvalidBaseUrl> {
        let url: HttpUrl = text.parse().map_err(InvalidBaseUrl::Url)?;
        if url.path.query().is_some() {
            return Err(InvalidBaseUrl::Query);
        }
        let prefix = url.path.path().trim_end_matches('/');
        if prefix.ends_with("/verification/v1") {
            return Err(InvalidBaseUrl::ApiPath);
        }
        Ok(Self {
            prefix: prefix.into(),
            scheme: url.scheme,
            authority: url.authority,
        })
    }
}

/// Why a text is not a base URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidBaseUrl {
    /// Not a URL that can be sent to.
    Url(InvalidUrl),
    /// A query behind the path.
    Query,
    /// The API's own path, which is added by us.
    ApiPath,
}

impl fmt::Display for InvalidBaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(why) => write!(f, "base URL {why}"),
            Self::Query => f.write_str("base URL must not have a query"),
            Self::ApiPath => f.write_str("base URL must end before /verification/v1, which is added to it"),
        }
    }
}

impl std::error::Error for InvalidBaseUrl {}

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
