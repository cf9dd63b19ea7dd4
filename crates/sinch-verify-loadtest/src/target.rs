use std::fmt;
use std::str::FromStr;

use sinch_verify_protocol::endpoint::InvalidBaseUrl;
use sinch_verify_protocol::{BaseUrl, Credentials};

use crate::safety::Pin;

/// The service under load, and how its requests are authorized.
#[derive(Clone, Debug)]
pub struct Target {
    /// Where it is.
    pub base: BaseUrl,
    /// Who asks.
    pub credentials: Credentials,
    /// The address of its host, where that is not to be looked up.
    pub pin: Option<Pin>,
}

impl Target {
    /// The service at `base`.
    #[must_use]
    pub fn new(base: BaseUrl, credentials: Credentials) -> Self {
        Self {
            base,
            credentials,
            pin: None,
        }
    }
}

/// The URL of an emulator on this machine.
///
/// A load test spends money anywhere else, so no other host can be expressed.
///
/// ```
/// use sinch_verify_loadtest::TargetUrl;
///
/// assert!("http://127.0.0.1:9901".parse::<TargetUrl>().is_ok());
/// assert!("https://verification.api.sinch.com".parse::<TargetUrl>().is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetUrl(BaseUrl);

impl TargetUrl {
    /// The URL as a base for requests.
    #[must_use]
    pub fn base(&self) -> &BaseUrl {
        &self.0
    }
}

impl FromStr for TargetUrl {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        let base: BaseUrl = text.parse().map_err(TargetError::Url)?;
        if !base.is_loopback() {
            return Err(TargetError::Live);
        }
        if !base.to_string().starts_with("http://") {
            return Err(TargetError::Tls);
        }
        Ok(Self(base))
    }
}

impl fmt::Display for TargetUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Why a text is not a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TargetError {
    /// Not a base URL.
    Url(InvalidBaseUrl),
    /// Another machine.
    Live,
    /// Another scheme than `http`: emulators speak no TLS.
    Tls,
}

impl fmt::Display for TargetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(error) => error.fmt(f),
            Self::Live => f.write_str(
                "live runs are not supported yet: the target must be an emulator on localhost, 127.0.0.0/8 or [::1]",
            ),
            Self::Tls => f.write_str("the target must start with http://; emulators speak no TLS"),
        }
    }
}

impl std::error::Error for TargetError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Url(error) => Some(error),
            _ => None,
        }
    }
}
