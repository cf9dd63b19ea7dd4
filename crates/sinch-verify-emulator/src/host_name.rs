//! Host names that other machines may use for the control interface.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use http::uri::Authority;
use sinch_verify_protocol::BaseUrl;
use sinch_verify_protocol::url::is_loopback_host;

/// A host name or IP address without scheme and port, such as `emulator.test.svc`.
///
/// ```
/// use sinch_verify_emulator::HostName;
///
/// assert!("emulator.test.svc".parse::<HostName>().is_ok());
/// assert!("http://emulator.test.svc:9901".parse::<HostName>().is_err());
/// ```
#[derive(Clone, Debug)]
pub struct HostName {
    name: Authority,
}

impl HostName {
    pub(crate) fn is(&self, host: &str) -> bool {
        self.name.as_str().eq_ignore_ascii_case(host)
    }

    /// Whether this is a loopback name or address.
    pub(crate) fn is_loopback(&self) -> bool {
        is_loopback_host(self.name.as_str())
    }

    pub(crate) fn base(&self, port: u16) -> BaseUrl {
        #[expect(
            clippy::expect_used,
            reason = "an authority that is a host, with a port behind it, always makes a base URL"
        )]
        let base = format!("http://{}:{port}", self.name)
            .parse()
            .expect("a host name and a port make a base URL");
        base
    }
}

/// The base URL that a `Host` header names: a host and a port alone, not `evil@127.0.0.1`,
/// `127.0.0.1:80.evil.test` or `127.0.0.1/evil`.
pub(crate) fn base_of_host(host: &str) -> Option<BaseUrl> {
    let text = format!("http://{host}");
    let is_bare = |base: &BaseUrl| !host.contains('/') && base.to_string() == text;
    text.parse().ok().filter(is_bare)
}

impl FromStr for HostName {
    type Err = InvalidHostName;

    fn from_str(text: &str) -> Result<Self, InvalidHostName> {
        let name: Authority = text.parse().map_err(|_| InvalidHostName)?;
        match is_name(text) || is_address(text) {
            true => Ok(Self { name }),
            false => Err(InvalidHostName),
        }
    }
}

/// Whether the text is DNS labels with dots between them. An underscore is not allowed in DNS, but is
/// used in practice.
fn is_name(text: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    text.split('.').all(|label| {
        let ends = [label.bytes().next(), label.bytes().last()];
        label.bytes().all(is_inner) && ends.iter().all(|end| end.is_some_and(|end| end != b'-'))
    }) && text.parse::<Ipv4Addr>().is_err()
}

/// Whether the text is the IP address of a host, with brackets if IPv6.
fn is_address(text: &str) -> bool {
    let address = match text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) {
        Some(inner) => inner.parse::<Ipv6Addr>().map(IpAddr::from),
        None => text.parse::<Ipv4Addr>().map(IpAddr::from),
    };
    address.is_ok_and(|address| !address.is_unspecified())
}

/// The error of parsing a [`HostName`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InvalidHostName;

impl fmt::Display for InvalidHostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("must be a host name without scheme, port and path, such as emulator.test.svc")
    }
}

impl std::error::Error for InvalidHostName {}

#[cfg(test)]
mod tests {
    use super::HostName;

    #[test]
    fn names_and_addresses_of_hosts_are_accepted() {
        for text in [
            "emulator",
            "a.b-c.svc",
            "my_emulator",
            "10.0.0.7",
            "[fd00::7]",
            "1a.test",
        ] {
            let name: HostName = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
            assert!(name.base(80).to_string().contains(text), "{text}");
            assert!(name.is(&text.to_uppercase()));
        }
        for text in [
            "", "*", "a,b", "a;b", ".", "-", "a-", "-a.b", "a..b", "a.", "[]", "[::]", "0.0.0.0", "fd00::7",
            "a b", "a:80", "u@a", "http://a", "a/b", "ö.test",
        ] {
            assert!(text.parse::<HostName>().is_err(), "{text}");
        }
    }
}
