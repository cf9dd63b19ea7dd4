//! Names by which others may reach the control interface.

use std::fmt;
use std::str::FromStr;

use http::uri::Authority;
use sinch_verify_protocol::BaseUrl;

/// The name of a host, without scheme and port, such as `emulator.test.svc`.
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

impl FromStr for HostName {
    type Err = InvalidHostName;

    fn from_str(text: &str) -> Result<Self, InvalidHostName> {
        let name: Authority = text.parse().map_err(|_| InvalidHostName)?;
        // Neither a port nor a user is part of it.
        match !name.host().is_empty() && name.host() == text {
            true => Ok(Self { name }),
            false => Err(InvalidHostName),
        }
    }
}

/// What was given is no name of a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InvalidHostName;

impl fmt::Display for InvalidHostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("read a host name: it has no scheme, port or path, such as emulator.test.svc")
    }
}

impl std::error::Error for InvalidHostName {}
