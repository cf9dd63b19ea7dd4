use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use sinch_verify_protocol::BaseUrl;

/// An address that stands for a host name, whatever the resolver says: `HOST=ADDRESS`.
///
/// The name stays what a target is judged by, and what its TLS certificate must show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pin {
    host: String,
    address: IpAddr,
}

impl Pin {
    /// The host name.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The address.
    #[must_use]
    pub fn address(&self) -> IpAddr {
        self.address
    }

    /// Whether this is the host of `base`. A name of this machine is not pinned: it is trusted for
    /// what it means.
    #[must_use]
    pub fn fits(&self, base: &BaseUrl) -> bool {
        !base.is_loopback() && base.host().eq_ignore_ascii_case(&self.host)
    }

    /// Whether requests to the host stay on this machine.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        self.address.is_loopback()
    }
}

impl FromStr for Pin {
    type Err = PinError;

    fn from_str(text: &str) -> Result<Self, PinError> {
        let (host, address) = text.split_once('=').ok_or(PinError(()))?;
        let address = address.parse().map_err(|_| PinError(()))?;
        // An address is not looked up, so it cannot be pinned.
        if host.is_empty() || host.starts_with('[') || host.parse::<IpAddr>().is_ok() {
            return Err(PinError(()));
        }
        Ok(Self {
            host: host.to_ascii_lowercase(),
            address,
        })
    }
}

/// A text is no [`Pin`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PinError(());

impl fmt::Display for PinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("must be a host name and an address, such as emulator.example=127.0.0.1")
    }
}

impl std::error::Error for PinError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pins_fit_one_name() {
        let pin: Pin = "Live.example=127.0.0.1".parse().unwrap();
        assert!(pin.is_loopback());
        let fits = |url: &str| pin.fits(&url.parse().unwrap());
        assert!(fits("http://live.EXAMPLE:9901"));
        assert!(!fits("http://other.example:9901"));
        // Nothing can make `localhost` mean another machine.
        let local: Pin = "localhost=192.0.2.1".parse().unwrap();
        assert!(!local.fits(&"http://localhost:9901".parse().unwrap()));
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
