//! The address of a data verification: fetched by the device over its mobile
//! network, with nothing of the application in the request.

use std::fmt;

use bytes::Bytes;
use http::{Request, Uri};
use serde::{Deserialize, Serialize};

use crate::url::{HttpUrl, InvalidUrl};

/// The most redirects that are followed from one `targetUri`.
pub const MAX_REDIRECTS: u8 = 5;

/// Fetch an address **without credentials**.
///
/// The address belongs to a mobile operator, not to the service: an
/// `Authorization` header sent there gives the application's key away. So this
/// is no [`Endpoint`](crate::Endpoint), and what [`FetchTarget::to_http`] gives
/// must be sent as it is. Redirects are followed with [`FetchTarget::redirect`],
/// which knows how many are left.
///
/// ```
/// use sinch_verify_protocol::session::FetchTarget;
///
/// let target = FetchTarget::new("https://operator.example/a/check?t=1", false)?;
/// let next = target.redirect("../b")?;
/// assert_eq!(next.uri().to_string(), "https://operator.example/b");
/// assert!(next.to_http().headers().is_empty());
/// assert!(next.redirect("http://operator.example/").is_err());
/// # Ok::<(), sinch_verify_protocol::session::TargetError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FetchTarget {
    #[serde(with = "crate::wire::as_text")]
    uri: Uri,
    plain_http: bool,
    redirects_left: u8,
}

impl FetchTarget {
    /// Takes a `targetUri`.
    ///
    /// # Errors
    ///
    /// When it is not an absolute `https` URI, or holds a user name. `http` is
    /// taken where `plain_http` allows it, and always to this machine.
    pub fn new(uri: &str, plain_http: bool) -> Result<Self, TargetError> {
        Ok(Self {
            uri: check(uri, plain_http)?,
            plain_http,
            redirects_left: MAX_REDIRECTS,
        })
    }

    /// The address.
    #[must_use]
    pub fn uri(&self) -> &Uri {
        &self.uri
    }

    /// Where an answer with status 3xx sends: `location` is its `Location`,
    /// absolute or relative.
    ///
    /// # Errors
    ///
    /// As [`FetchTarget::new`], and when [`MAX_REDIRECTS`] were followed, which
    /// also ends a loop.
    pub fn redirect(&self, location: &str) -> Result<Self, TargetError> {
        let redirects_left = self
            .redirects_left
            .checked_sub(1)
            .ok_or(TargetError::TooManyRedirects)?;
        Ok(Self {
            uri: check(&resolve(&self.uri, location.trim()), self.plain_http)?,
            plain_http: self.plain_http,
            redirects_left,
        })
    }

    /// The request, complete: do not authorize it.
    #[must_use]
    pub fn to_http(&self) -> Request<Bytes> {
        let mut request = Request::new(Bytes::new());
        *request.uri_mut() = self.uri.clone();
        request
    }
}

/// Shows the host only: path and query identify the subscriber.
impl fmt::Debug for FetchTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FetchTarget")
            .field("host", &self.uri.host())
            .field("redirects_left", &self.redirects_left)
            .finish_non_exhaustive()
    }
}

/// Why an address must not be fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum TargetError {
    /// There is none, or it is not an absolute URI with a host, and a port up to 65535 if any.
    Syntax,
    /// Neither `https` nor `http`.
    Scheme,
    /// Plain `http` to another host than this machine, which is not allowed.
    PlainHttp,
    /// It holds a user name or password.
    UserInfo,
    /// [`MAX_REDIRECTS`] were followed.
    TooManyRedirects,
}

impl fmt::Display for TargetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax => f.write_str("not an absolute URI"),
            Self::Scheme => f.write_str("scheme is not https"),
            Self::PlainHttp => f.write_str(
                "plain http is followed to this machine only; `plain_http_targets` of the client's \
                 builder, or `allow_plain_http` of a plan, allows more",
            ),
            Self::UserInfo => f.write_str("URI holds credentials"),
            Self::TooManyRedirects => write!(f, "more than {MAX_REDIRECTS} redirects"),
        }
    }
}

impl std::error::Error for TargetError {}

fn check(text: &str, plain_http: bool) -> Result<Uri, TargetError> {
    // Operators were seen to leave spaces unescaped.
    let text = text.trim().replace(' ', "%20");
    let without_fragment = text.split('#').next().unwrap_or_default();
    if !has_scheme(without_fragment) {
        return Err(TargetError::Syntax);
    }
    let url: HttpUrl = without_fragment.parse().map_err(|error| match error {
        InvalidUrl::Scheme => TargetError::Scheme,
        InvalidUrl::UserInfo => TargetError::UserInfo,
        _ => TargetError::Syntax,
    })?;
    if url.is_https() || plain_http || url.is_loopback() {
        Ok(url.into())
    } else {
        Err(TargetError::PlainHttp)
    }
}

/// A `Location` against the address it came from (RFC 3986, section 5.2).
fn resolve(base: &Uri, location: &str) -> String {
    let location = location.split('#').next().unwrap_or_default();
    if has_scheme(location) {
        return location.to_owned();
    }
    let scheme = base.scheme_str().unwrap_or_default();
    if let Some(rest) = location.strip_prefix("//") {
        return format!("{scheme}://{rest}");
    }
    let authority = base.authority().map_or("", |authority| authority.as_str());
    let (path, query) = match location.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (location, None),
    };
    let (path, query) = if path.is_empty() {
        (base.path().to_owned(), query.or_else(|| base.query()))
    } else if path.starts_with('/') {
        (without_dots(path), query)
    } else {
        let folder = base.path().rsplit_once('/').map_or("", |(folder, _)| folder);
        (without_dots(&format!("{folder}/{path}")), query)
    };
    match query {
        Some(query) => format!("{scheme}://{authority}{path}?{query}"),
        None => format!("{scheme}://{authority}{path}"),
    }
}

fn has_scheme(location: &str) -> bool {
    location.split_once(':').is_some_and(|(scheme, _)| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
    })
}

/// An absolute path without `.` and `..`.
fn without_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let last = segments.peek().is_none();
        match segment {
            "." | ".." => {
                if segment == ".." {
                    kept.pop();
                }
                if last {
                    kept.push("");
                }
            }
            other => kept.push(other),
        }
    }
    format!("/{}", kept.join("/"))
}
