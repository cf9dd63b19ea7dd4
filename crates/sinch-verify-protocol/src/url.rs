//! URLs that a person writes, in one set of rules.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use http::uri::{Authority, PathAndQuery, Scheme, Uri};
use percent_encoding::{CONTROLS, utf8_percent_encode};

/// An absolute `http` or `https` URL: a host, a port from 1 to 65535 or none, no user name and no
/// fragment. Spaces around it are dropped, and characters outside ASCII in path and query are
/// percent-encoded, as browsers do.
///
/// ```
/// use sinch_verify_protocol::url::{HttpUrl, InvalidUrl};
///
/// let url: HttpUrl = "http://127.0.0.1:8000/callback?a=b".parse()?;
/// assert!(url.is_loopback() && !url.is_https());
/// assert_eq!("http://127.0.0.1:99999/".parse::<HttpUrl>(), Err(InvalidUrl::Port));
/// # Ok::<(), InvalidUrl>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpUrl {
    pub(crate) scheme: Scheme,
    pub(crate) authority: Authority,
    pub(crate) path: PathAndQuery,
}

impl HttpUrl {
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
}

impl FromStr for HttpUrl {
    type Err = InvalidUrl;

    fn from_str(text: &str) -> Result<Self, InvalidUrl> {
        let uri: Uri = text.trim().parse().map_err(|_| InvalidUrl::Syntax)?;
        // The parser drops a fragment without a word.
        if text.contains('#') {
            return Err(InvalidUrl::Fragment);
        }
        let parts = uri.into_parts();
        let is_http = |scheme: &Scheme| *scheme == Scheme::HTTP || *scheme == Scheme::HTTPS;
        let scheme = parts.scheme.filter(is_http).ok_or(InvalidUrl::Scheme)?;
        let authority = parts.authority.ok_or(InvalidUrl::Host)?;
        check(&authority)?;
        let path = parts.path_and_query.unwrap_or(PathAndQuery::from_static("/"));
        Ok(Self {
            scheme,
            authority,
            path: in_ascii(&path)?,
        })
    }
}

/// The path and query as they are sent: the parser takes characters that a request line must not have.
fn in_ascii(path: &PathAndQuery) -> Result<PathAndQuery, InvalidUrl> {
    let escaped = utf8_percent_encode(path.as_str(), CONTROLS).to_string();
    PathAndQuery::try_from(escaped).map_err(|_| InvalidUrl::Syntax)
}

/// Whether `host`, without port, names this machine: `localhost`, 127.0.0.0/8 or `::1`, the latter
/// with or without brackets.
///
/// ```
/// use sinch_verify_protocol::url::is_loopback_host;
///
/// assert!(is_loopback_host("LocalHost") && is_loopback_host("127.8.0.1") && is_loopback_host("[::1]"));
/// assert!(!is_loopback_host("localhost.example") && !is_loopback_host("0.0.0.0"));
/// ```
#[must_use]
pub fn is_loopback_host(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn check(authority: &Authority) -> Result<(), InvalidUrl> {
    if authority.as_str().contains('@') {
        return Err(InvalidUrl::UserInfo);
    }
    let host = authority.host();
    if host.is_empty() {
        return Err(InvalidUrl::Host);
    }
    // The parser takes any digits as a port, and then gives none for 99999.
    let behind = authority.as_str().strip_prefix(host).unwrap_or_default();
    let is_port = |port: &str| {
        let digits = port.bytes().all(|byte| byte.is_ascii_digit());
        digits && port.parse::<u16>().is_ok_and(|port| port > 0)
    };
    if behind.is_empty() || behind.strip_prefix(':').is_some_and(is_port) {
        Ok(())
    } else {
        Err(InvalidUrl::Port)
    }
}

impl From<HttpUrl> for Uri {
    fn from(url: HttpUrl) -> Self {
        #[expect(
            clippy::expect_used,
            reason = "a URI takes any scheme, authority and path together"
        )]
        Self::builder()
            .scheme(url.scheme)
            .authority(url.authority)
            .path_and_query(url.path)
            .build()
            .expect("scheme, authority and path make a URI")
    }
}

impl fmt::Display for HttpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", self.scheme, self.authority, self.path)
    }
}

/// Why a text is not an [`HttpUrl`]. The message fits after the name of what was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidUrl {
    /// Not a URL at all.
    Syntax,
    /// No scheme, or another than `http` and `https`.
    Scheme,
    /// No host.
    Host,
    /// A port that is not 1 to 65535.
    Port,
    /// A user name or password before the host.
    UserInfo,
    /// A fragment.
    Fragment,
}

impl fmt::Display for InvalidUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Syntax => "is not a URL such as http://127.0.0.1:8000/path",
            Self::Scheme => "must start with http:// or https://",
            Self::Host => "has no host",
            Self::Port => "must have a port from 1 to 65535, or none",
            Self::UserInfo => "must not hold a user name or password",
            Self::Fragment => "must not have a fragment",
        })
    }
}

impl std::error::Error for InvalidUrl {}

#[cfg(test)]
mod tests {
    use http::Uri;

    use super::{HttpUrl, InvalidUrl};

    #[test]
    fn a_url_is_taken_whole() {
        for text in [
            "http://localhost/",
            "https://example.com/a",
            "http://127.0.0.1:1/a/b?c=d&e",
            "http://[::1]:65535/x",
            "https://[fd00::7]/",
        ] {
            let url: HttpUrl = text.parse().unwrap_or_else(|error| panic!("{text} {error}"));
            assert_eq!(url.to_string(), text);
            assert_eq!(Uri::from(url), text.parse::<Uri>().unwrap(), "{text}");
        }
    }

    #[test]
    fn characters_outside_ascii_are_percent_encoded_once() {
        for (text, sent) in [
            (
                "http://localhost/återkoppling",
                "http://localhost/%C3%A5terkoppling",
            ),
            (
                "http://localhost/a%C3%A5?b=ö&c",
                "http://localhost/a%C3%A5?b=%C3%B6&c",
            ),
        ] {
            let url: HttpUrl = text.parse().unwrap();
            assert_eq!(url.to_string(), sent);
        }
        assert_eq!("http://å.example/".parse::<HttpUrl>(), Err(InvalidUrl::Syntax));
    }

    #[test]
    fn what_cannot_be_connected_to_is_refused() {
        for (text, error) in [
            ("", InvalidUrl::Syntax),
            ("not a url", InvalidUrl::Syntax),
            ("/path", InvalidUrl::Scheme),
            ("localhost:3000", InvalidUrl::Scheme),
            ("127.0.0.1:3000/path", InvalidUrl::Syntax),
            ("ftp://example.com/", InvalidUrl::Scheme),
            ("http://:80/", InvalidUrl::Host),
            ("http://127.0.0.1:99999/", InvalidUrl::Port),
            ("http://127.0.0.1:65536", InvalidUrl::Port),
            ("http://127.0.0.1:0/", InvalidUrl::Port),
            ("http://127.0.0.1:/", InvalidUrl::Port),
            ("http://127.0.0.1:+80/", InvalidUrl::Port),
            ("http://[::1]:99999/", InvalidUrl::Port),
            ("http://[::1]80/", InvalidUrl::Port),
            ("http://name@127.0.0.1/", InvalidUrl::UserInfo),
            ("http://name:word@127.0.0.1:1/", InvalidUrl::UserInfo),
            ("http://127.0.0.1/#x", InvalidUrl::Fragment),
        ] {
            assert_eq!(text.parse::<HttpUrl>(), Err(error), "{text}");
        }
    }
}
