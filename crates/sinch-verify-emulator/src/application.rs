//! The applications that may use the emulator.

use std::fmt;
use std::str::FromStr;

use http::Uri;
use sinch_verify_protocol::url::{HttpUrl, InvalidUrl};
use sinch_verify_protocol::{ApplicationKey, ApplicationSecret};

/// An application: a key, a secret, and what its owner set in the dashboard.
///
/// ```
/// use sinch_verify_emulator::{Application, AuthorizationLevel};
/// use sinch_verify_protocol::{ApplicationKey, ApplicationSecret};
///
/// let key = ApplicationKey::new("11111111-2222-3333-4444-555555555555")?;
/// let secret = ApplicationSecret::new("BeIukql3pTKJ8RGL5zo0DA==")?;
/// let application = Application::new(key, secret)
///     .minimum_authorization(AuthorizationLevel::Signed)
///     .callback_url("http://127.0.0.1:8000/sinch/callback".parse()?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Application {
    pub(crate) key: ApplicationKey,
    pub(crate) secret: ApplicationSecret,
    pub(crate) older: Vec<ApplicationSecret>,
    pub(crate) minimum: AuthorizationLevel,
    pub(crate) callback: Option<CallbackUrl>,
}

impl Application {
    /// An application that takes every authorization and has no callback URL.
    #[must_use]
    pub fn new(key: ApplicationKey, secret: ApplicationSecret) -> Self {
        Self {
            key,
            secret,
            older: Vec::new(),
            minimum: AuthorizationLevel::Public,
            callback: None,
        }
    }

    /// The weakest authorization taken. Default [`AuthorizationLevel::Public`].
    #[must_use]
    pub fn minimum_authorization(mut self, level: AuthorizationLevel) -> Self {
        self.minimum = level;
        self
    }

    /// A secret that is taken beside the first one, as while a secret is rotated. Events are signed
    /// with the first.
    #[must_use]
    pub fn also_secret(mut self, secret: ApplicationSecret) -> Self {
        self.older.push(secret);
        self
    }

    /// Where events are posted. Without it nothing is posted, and public starts are refused.
    #[must_use]
    pub fn callback_url(mut self, url: CallbackUrl) -> Self {
        self.callback = Some(url);
        self
    }
}

/// How well a request shows who sent it, weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum AuthorizationLevel {
    /// The key alone.
    Public,
    /// Key and secret.
    Basic,
    /// A signature.
    Signed,
}

impl AuthorizationLevel {
    /// Its name in control answers.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Basic => "basic",
            Self::Signed => "signed",
        }
    }
}

/// Where events are posted: an `http` URL. A query is sent, but not signed.
///
/// Whether the host must be this machine is checked when the emulator starts, see
/// [`Builder::allow_remote_callbacks`](crate::Builder::allow_remote_callbacks).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallbackUrl {
    uri: Uri,
    is_loopback: bool,
}

impl CallbackUrl {
    pub(crate) fn uri(&self) -> &Uri {
        &self.uri
    }

    /// Whether the host is `localhost` or a loopback address.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        self.is_loopback
    }
}

impl FromStr for CallbackUrl {
    type Err = InvalidCallbackUrl;

    fn from_str(text: &str) -> Result<Self, InvalidCallbackUrl> {
        let url: HttpUrl = text.parse().map_err(InvalidCallbackUrl::Url)?;
        if url.is_https() {
            return Err(InvalidCallbackUrl::Https);
        }
        Ok(Self {
            is_loopback: url.is_loopback(),
            uri: url.into(),
        })
    }
}

impl fmt::Display for CallbackUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.uri.fmt(f)
    }
}

/// Why a text is not a callback URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidCallbackUrl {
    /// Not a URL that can be posted to.
    Url(InvalidUrl),
    /// An `https` URL: the emulator speaks no TLS.
    Https,
}

impl fmt::Display for InvalidCallbackUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(why) => write!(f, "callback URL {why}"),
            Self::Https => f.write_str("callback URL must start with http://; the emulator speaks no TLS"),
        }
    }
}

impl std::error::Error for InvalidCallbackUrl {}
