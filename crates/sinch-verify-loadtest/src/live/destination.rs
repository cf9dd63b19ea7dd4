//! Whether a target is a mock or the real thing, judged by its name alone.

use std::fmt;
use std::str::FromStr;

use sinch_verify_protocol::BaseUrl;

/// The domain of the service. No name under it can be declared a mock.
const SINCH: &str = "sinch.com";

/// Where a run's requests go to, and what that means.
///
/// What the name resolves to plays no part: a name decides the same way on every machine.
///
/// ```
/// use sinch_verify_loadtest::live::Destination;
///
/// let emulator = Destination::judge("http://127.0.0.1:9901".parse()?, None, false)?;
/// assert!(matches!(emulator, Destination::Mock(_)));
///
/// let error = Destination::judge("https://verification.api.sinch.com".parse()?, None, false);
/// assert!(error.is_err(), "live needs to be asked for");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// An emulator: on this machine, or declared one.
    Mock(MockUrl),
    /// The service itself, or a host that nobody vouched for. Every message costs money there.
    Live(LiveUrl),
}

/// The URL of a mock. Only [`Destination::judge`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MockUrl(BaseUrl);

/// The URL of a live target. Only [`Destination::judge`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveUrl(BaseUrl);

impl AsRef<BaseUrl> for MockUrl {
    fn as_ref(&self) -> &BaseUrl {
        &self.0
    }
}

impl AsRef<BaseUrl> for LiveUrl {
    fn as_ref(&self) -> &BaseUrl {
        &self.0
    }
}

impl Destination {
    /// Judges `base`. `mock` is the host that the user declares a mock, `live` whether the user
    /// asked for a live run.
    ///
    /// # Errors
    ///
    /// When what the user asked for is not what the name says.
    pub fn judge(base: BaseUrl, mock: Option<&MockHost>, live: bool) -> Result<Self, DestinationError> {
        if live && mock.is_some() {
            return Err(DestinationError::Both);
        }
        if let Some(MockHost(declared)) = mock {
            let host = plain(base.host());
            if *declared != host {
                return Err(DestinationError::OtherHost {
                    declared: declared.clone(),
                    host,
                });
            }
        }
        match (base.is_loopback(), live) {
            (true, true) => Err(DestinationError::NotLive),
            (true, false) => Ok(Self::Mock(MockUrl(base))),
            (false, true) => Ok(Self::Live(LiveUrl(base))),
            (false, false) if mock.is_some() => Ok(Self::Mock(MockUrl(base))),
            (false, false) => Err(DestinationError::Live {
                host: plain(base.host()),
            }),
        }
    }
}

/// A host that the user declares to be a mock of the service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MockHost(String);

impl FromStr for MockHost {
    type Err = MockHostError;

    fn from_str(text: &str) -> Result<Self, MockHostError> {
        let host = plain(text.trim());
        if is_sinch(&host) {
            return Err(MockHostError::Sinch);
        }
        let letters = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | ':' | '[' | ']');
        if host.is_empty() || !host.chars().all(letters) {
            return Err(MockHostError::Syntax);
        }
        Ok(Self(host))
    }
}

/// Whether a host, as names are compared, is the service's.
fn is_sinch(host: &str) -> bool {
    host == SINCH || host.ends_with(&format!(".{SINCH}"))
}

/// A host as names are compared: in lower case, without the root's dot.
fn plain(host: &str) -> String {
    host.trim_end_matches('.').to_ascii_lowercase()
}

/// Why a text is no [`MockHost`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MockHostError {
    /// A name under `sinch.com`.
    Sinch,
    /// Not a host name: a URL, a port, a wildcard.
    Syntax,
}

impl fmt::Display for MockHostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sinch => "names under sinch.com are the real service, never a mock",
            Self::Syntax => "must be one host name as in the URL, without scheme, port or wildcard",
        })
    }
}

impl std::error::Error for MockHostError {}

/// Why a URL is no destination for a run.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DestinationError {
    /// It is live, and nobody asked for a live run.
    Live {
        /// Its host.
        host: String,
    },
    /// A live run was asked for, against this machine.
    NotLive,
    /// It was declared a mock and live at once.
    Both,
    /// Another host than its own was declared a mock.
    OtherHost {
        /// What was declared.
        declared: String,
        /// The URL's host.
        host: String,
    },
}

impl fmt::Display for DestinationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Live { host } => {
                write!(
                    f,
                    "{host} is a live target, where every verification costs money: give --live and its limits"
                )?;
                if is_sinch(host) {
                    return Ok(());
                }
                write!(f, ", or --mock-host {host} if you know that it is a mock")
            }
            Self::NotLive => f.write_str("--live is for the real service; the target is this machine"),
            Self::Both => f.write_str("--live and --mock-host exclude each other"),
            Self::OtherHost { declared, host } => {
                write!(
                    f,
                    "--mock-host declares {declared}, but the target's host is {host}"
                )
            }
        }
    }
}

impl std::error::Error for DestinationError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(url: &str, mock: Option<&str>, live: bool) -> &'static str {
        let mock = mock.map(|name| name.parse().unwrap());
        match Destination::judge(url.parse().unwrap(), mock.as_ref(), live) {
            Ok(Destination::Mock(_)) => "mock",
            Ok(Destination::Live(_)) => "live",
            Err(DestinationError::Live { .. }) => "refused",
            Err(DestinationError::NotLive) => "not live",
            Err(DestinationError::Both) => "both",
            Err(DestinationError::OtherHost { .. }) => "other host",
        }
    }

    #[test]
    fn names_decide() {
        for (url, mock, live, says) in [
            ("http://127.0.0.1:9901", None, false, "mock"),
            ("http://localhost:9901", None, false, "mock"),
            ("http://[::1]:9901", None, false, "mock"),
            ("http://127.0.0.1:9901", Some("127.0.0.1"), false, "mock"),
            ("http://127.0.0.1:9901", None, true, "not live"),
            // Anything else is live, whatever it looks like.
            ("https://verification.api.sinch.com", None, false, "refused"),
            ("https://VERIFICATION.API.SINCH.COM.", None, false, "refused"),
            ("http://127.0.0.1.example.com", None, false, "refused"),
            ("http://192.0.2.1:9901", None, false, "refused"),
            ("http://emulator:9901", None, false, "refused"),
            ("https://verification.api.sinch.com", None, true, "live"),
            ("https://example.com", None, true, "live"),
            // A mock has to be declared by the very name in the URL.
            ("http://emulator:9901", Some("emulator"), false, "mock"),
            ("http://Emulator.:9901", Some("EMULATOR"), false, "mock"),
            (
                "http://emulator:9901",
                Some("emulator.example"),
                false,
                "other host",
            ),
            (
                "https://verification.api.sinch.com",
                Some("example"),
                false,
                "other host",
            ),
            ("http://emulator:9901", Some("emulator"), true, "both"),
        ] {
            assert_eq!(judge(url, mock, live), says, "{url} {mock:?} {live}");
        }
    }

    #[test]
    fn sinch_is_never_a_mock() {
        for name in [
            "sinch.com",
            "api.sinch.com",
            "Verification.API.sinch.com.",
            "x.y.SINCH.COM..",
        ] {
            assert_eq!(name.parse::<MockHost>(), Err(MockHostError::Sinch), "{name}");
        }
        // Another domain that only ends alike.
        assert!("notsinch.com".parse::<MockHost>().is_ok());
        for name in ["", "*", "*.example", "http://emulator", "a b", "a/b"] {
            assert_eq!(name.parse::<MockHost>(), Err(MockHostError::Syntax), "{name}");
        }
    }
}
