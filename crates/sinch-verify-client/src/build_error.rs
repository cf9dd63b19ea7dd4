//! Why a client could not be made.

use std::error::Error as StdError;
use std::fmt;

use sinch_verify_protocol::auth::{InvalidKey, InvalidSecret};
use sinch_verify_protocol::endpoint::InvalidBaseUrl;

use crate::env::EnvError;
use crate::sources::{write_report, write_sources};

/// Why a client could not be made: `{}` fits after "failed to", `{:#}` adds the sources, and `{:?}`
/// has a line for each. No message holds a key or a secret.
#[non_exhaustive]
pub enum BuildError {
    /// A variable of the environment is missing or cannot be used.
    Environment(EnvError),
    /// No credentials were given.
    MissingCredentials,
    /// The application key is not one.
    ApplicationKey(InvalidKey),
    /// The application secret is not one.
    ApplicationSecret(InvalidSecret),
    /// The base URL is not one.
    BaseUrl(InvalidBaseUrl),
    /// The time limit of an attempt is zero.
    ZeroAttemptTimeout,
    /// The time limit of a call is zero.
    ZeroTotalTimeout,
    /// The retry policy allows no attempt at all.
    NoAttempts,
    /// The user agent is empty, or holds something other than visible ASCII.
    UserAgent,
    /// No transport was given and no default is compiled in.
    MissingTransport,
    /// The base URL is https, and TLS is not compiled in.
    TlsNotEnabled,
    /// The proxy's URL is not one.
    Proxy,
    /// The transport could not be made.
    Transport(Box<dyn StdError + Send + Sync>),
}

impl BuildError {
    /// The setting that is wrong, such as `base URL`, or the name of a variable.
    #[must_use]
    pub fn field(&self) -> &'static str {
        match self {
            Self::Environment(error) => error.variable(),
            Self::MissingCredentials => "credentials",
            Self::ApplicationKey(_) => "application key",
            Self::ApplicationSecret(_) => "application secret",
            Self::BaseUrl(_) | Self::TlsNotEnabled => "base URL",
            Self::ZeroAttemptTimeout => "attempt timeout",
            Self::ZeroTotalTimeout => "total timeout",
            Self::NoAttempts => "retry attempts",
            Self::UserAgent => "user agent",
            Self::Proxy => "proxy",
            Self::MissingTransport | Self::Transport(_) => "transport",
        }
    }
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Environment(_) => "build a client from the environment",
            Self::MissingCredentials => {
                "build a client without credentials; give an application key and secret"
            }
            Self::ApplicationKey(_) => "use the application key",
            Self::ApplicationSecret(_) => "use the application secret",
            Self::BaseUrl(_) => "use the base URL",
            Self::ZeroAttemptTimeout => {
                "use an attempt timeout of zero; give the longest time one request may take"
            }
            Self::ZeroTotalTimeout => "use a total timeout of zero; give the longest time one call may take",
            Self::NoAttempts => "use zero retry attempts; give 1 to send once",
            Self::UserAgent => "use the user agent; give visible ASCII",
            Self::MissingTransport => {
                "build a client without transport; give one, or enable the feature `reqwest`"
            }
            Self::TlsNotEnabled => "use an https base URL without TLS; enable the feature `rustls`",
            Self::Proxy => "use the proxy; give its URL, such as http://proxy.example:3128",
            Self::Transport(_) => "set up the transport",
        })?;
        write_sources(f, self)
    }
}

impl fmt::Debug for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_report(f, self)
    }
}

impl StdError for BuildError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Environment(source) => Some(source),
            Self::ApplicationKey(source) => Some(source),
            Self::ApplicationSecret(source) => Some(source),
            Self::BaseUrl(source) => Some(source),
            Self::Transport(source) => Some(&**source),
            Self::MissingCredentials
            | Self::ZeroAttemptTimeout
            | Self::ZeroTotalTimeout
            | Self::NoAttempts
            | Self::UserAgent
            | Self::MissingTransport
            | Self::Proxy
            | Self::TlsNotEnabled => None,
        }
    }
}
