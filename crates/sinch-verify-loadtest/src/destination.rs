//! Whether a target is a mock or the real service: its name decides, not what the name resolves to.

use std::net::IpAddr;
use std::str::FromStr;

use sinch_verify_protocol::BaseUrl;

/// The domain of the service. No name in it can be declared a mock.
const SINCH: &str = "sinch.com";

/// The URL of a mock: this machine, or a host that the user declares a mock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MockUrl(BaseUrl);

impl MockUrl {
    /// Checks that `base` is a mock.
    ///
    /// # Errors
    ///
    /// A message for the user when `base` is not this machine and its host is not the `declared` one.
    pub(crate) fn new(base: BaseUrl, declared: Option<&MockHost>) -> Result<Self, String> {
        let host = comparable(base.host());
        match declared {
            Some(MockHost(declared)) if *declared != host => Err(format!(
                "--mock-host is {declared}, but the target's host is {host}: give the same name to both"
            )),
            None if !base.is_loopback() => {
                let mock = if is_sinch(&host) {
                    String::new()
                } else {
                    format!(", or --mock-host {host} if it is a mock")
                };
                Err(format!(
                    "{host} is a live target, where every verification costs money: \
                     give --live and its limits{mock}"
                ))
            }
            _ => Ok(Self(base)),
        }
    }
}

impl AsRef<BaseUrl> for MockUrl {
    fn as_ref(&self) -> &BaseUrl {
        &self.0
    }
}

/// The URL of a live target: the real service, or any host but this machine. A verification costs
/// money there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LiveUrl(BaseUrl);

impl LiveUrl {
    /// Checks that `base` is not this machine.
    ///
    /// # Errors
    ///
    /// A message for the user when it is.
    pub(crate) fn new(base: BaseUrl) -> Result<Self, String> {
        if base.is_loopback() {
            return Err(format!(
                "--live is for the real service, and {} is this machine: leave --live out",
                base.host()
            ));
        }
        Ok(Self(base))
    }
}

impl AsRef<BaseUrl> for LiveUrl {
    fn as_ref(&self) -> &BaseUrl {
        &self.0
    }
}

/// A host that the user declares a mock of the service: any but those under `sinch.com`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MockHost(String);

impl FromStr for MockHost {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        let host = comparable(text.trim());
        if is_sinch(&host) {
            return Err("names under sinch.com are the real service, never a mock");
        }
        Ok(Self(host))
    }
}

fn is_sinch(host: &str) -> bool {
    host.strip_suffix(SINCH)
        .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// A host in the form in which names are compared: lower case, without the dot of the root.
fn comparable(host: &str) -> String {
    host.trim_end_matches('.').to_ascii_lowercase()
}

/// `HOST=ADDRESS`: connect to this address for this host, which is not looked up.
///
/// The target is still classified by its name, and its TLS certificate must show the name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pin {
    host: String,
    address: IpAddr,
}

impl Pin {
    /// The host name.
    #[must_use]
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// The address.
    #[must_use]
    pub(crate) fn address(&self) -> IpAddr {
        self.address
    }

    /// Whether this is the host of `base`. A host that is this machine cannot be pinned, because it is
    /// trusted by its name.
    #[must_use]
    pub(crate) fn fits(&self, base: &BaseUrl) -> bool {
        !base.is_loopback() && base.host().eq_ignore_ascii_case(&self.host)
    }

    /// Whether requests to the host stay on this machine.
    #[must_use]
    pub(crate) fn is_loopback(&self) -> bool {
        self.address.is_loopback()
    }
}

impl FromStr for Pin {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        text.split_once('=')
            // An address is not looked up, so it cannot be pinned.
            .filter(|(host, _)| !host.is_empty() && !host.starts_with('[') && host.parse::<IpAddr>().is_err())
            .and_then(|(host, address)| {
                Some(Self {
                    host: host.to_ascii_lowercase(),
                    address: address.parse().ok()?,
                })
            })
            .ok_or("must be a host name and an address, such as emulator.example=127.0.0.1")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// "mock", or why a URL is none; the parser's message where it is no URL.
    fn mock(url: &str, declared: Option<&str>) -> String {
        let declared = declared.map(|host| host.parse().unwrap());
        let base = url.parse::<BaseUrl>().map_err(|error| error.to_string());
        let mock = base.and_then(|base| MockUrl::new(base, declared.as_ref()));
        mock.map_or_else(|message| message, |_| "mock".to_owned())
    }

    #[test]
    fn only_this_machine_and_a_declared_host_are_mocks() {
        for (url, declared, expected) in [
            ("http://127.0.0.1:9901", None, "mock"),
            ("http://127.8.0.1:9901", None, "mock"),
            ("http://LOCALHOST:9901", None, "mock"),
            ("http://[::1]:9901", None, "mock"),
            ("http://127.0.0.1:9901", Some("127.0.0.1"), "mock"),
            ("http://emulator:9901", None, "or --mock-host emulator if"),
            ("http://emulator:9901", Some("emulator"), "mock"),
            ("http://Emulator.:9901", Some("EMULATOR"), "mock"),
            (
                "http://emulator:9901",
                Some("emulator.example"),
                "host is emulator",
            ),
            ("http://emulator:9901", Some("*"), "host is emulator"),
            (
                "http://emulator:9901",
                Some("http://emulator"),
                "host is emulator",
            ),
            ("https://api.sinch.com", None, "give --live and its limits"),
            ("https://api.sinch.com", Some("example"), "host is api.sinch.com"),
        ] {
            let class = mock(url, declared);
            assert!(class.contains(expected), "{url} {declared:?}: {class}");
        }
        for (url, is_live) in [
            ("https://verification.api.sinch.com", true),
            ("https://example.com", true),
            ("http://127.0.0.1:9901", false),
            ("http://LocalHost:9901", false),
            ("http://[::1]:9901", false),
        ] {
            assert_eq!(LiveUrl::new(url.parse().unwrap()).is_ok(), is_live, "{url}");
        }
    }

    #[test]
    fn other_spellings_of_the_service_and_of_this_machine_are_no_mocks() {
        for url in [
            // The service.
            "https://verification.api.sinch.com.",
            "https://VERIFICATION.API.SINCH.COM",
            "https://verificationapi-v1.sinch.com",
            "https://verification.api.sinch.com:443/127.0.0.1",
            // A resolver may take these for this machine, but none is a loopback address as it stands.
            "http://localhost.",
            "http://localhost.example",
            "http://127.0.0.1.example.com",
            "http://[::ffff:127.0.0.1]",
            "http://[::127.0.0.1]",
            "http://2130706433",
            "http://0x7f.0.0.1",
            "http://0177.0.0.1",
            "http://127.1",
            "http://0.0.0.0",
            "http://[::]",
        ] {
            let class = mock(url, None);
            assert!(class.contains("is a live target"), "{url}: {class}");
        }
        for url in [
            "http://localhost@verification.api.sinch.com",
            "http://127.0.0.1:80@verification.api.sinch.com",
            "https://verification.api.%73inch.com",
            "http://127%2e0.0.1",
            "http://%6cocalhost",
            "http://127.0.0.1:0",
            "http://127.0.0.1:99999",
            "http://127.0.0.1:",
            "http://127.0.0.1#@verification.api.sinch.com",
            "http://127.0.0.1\\@verification.api.sinch.com",
            "http://sinch\u{3002}com",
            "//127.0.0.1",
        ] {
            assert!(url.parse::<BaseUrl>().is_err(), "{url} is a base URL");
        }
    }

    #[test]
    fn sinch_is_never_a_mock() {
        for name in [
            "sinch.com",
            "api.sinch.com",
            "Verification.API.sinch.com.",
            " x.y.SINCH.COM.. ",
        ] {
            assert!(name.parse::<MockHost>().is_err(), "{name}");
        }
        assert!("notsinch.com".parse::<MockHost>().is_ok());
        assert!("sinch.com.example".parse::<MockHost>().is_ok());
    }

    #[test]
    fn a_pin_changes_the_address_and_not_the_class() {
        let pin: Pin = "Live.example=127.0.0.1".parse().unwrap();
        let fits = |pin: &Pin, url: &str| pin.fits(&url.parse().unwrap());
        assert!(pin.is_loopback() && fits(&pin, "http://live.EXAMPLE:9901"));
        assert!(mock("http://live.example:9901", None).contains("is a live target"));
        assert!(!fits(&pin, "http://other.example:9901"));
        for (pin, url) in [
            ("localhost=192.0.2.1", "http://localhost:9901"),
            ("LocalHost=192.0.2.1", "http://LOCALHOST:9901"),
        ] {
            assert!(
                !fits(&pin.parse().unwrap(), url),
                "{pin} moves {url} away from this machine"
            );
        }
        let mapped: Pin = "live.example=::ffff:127.0.0.1".parse().unwrap();
        assert!(
            !mapped.is_loopback(),
            "a spelling that is not understood is not trusted"
        );
        for wrong in [
            "",
            "=127.0.0.1",
            "a=b",
            "127.0.0.1=127.0.0.1",
            "[::1]=::1",
            "a=1.2.3.4:80",
        ] {
            assert!(wrong.parse::<Pin>().is_err(), "{wrong}");
        }
    }
}
