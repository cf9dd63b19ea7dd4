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
    pub(crate) callback_auth: CallbackAuth,
}

impl Application {
    /// An application that accepts every authorization and has no callback URL.
    #[must_use]
    pub fn new(key: ApplicationKey, secret: ApplicationSecret) -> Self {
        Self {
            key,
            secret,
            older: Vec::new(),
            minimum: AuthorizationLevel::Public,
            callback: None,
            callback_auth: CallbackAuth::Signed,
        }
    }

    /// Sets the weakest authorization that is accepted. Default [`AuthorizationLevel::Public`].
    #[must_use]
    pub fn minimum_authorization(mut self, level: AuthorizationLevel) -> Self {
        self.minimum = level;
        self
    }

    /// Adds a secret that is accepted too, as during the rotation of a secret. Callbacks are signed
    /// with the first secret.
    #[must_use]
    pub fn also_secret(mut self, secret: ApplicationSecret) -> Self {
        self.older.push(secret);
        self
    }

    /// Sets the URL that callback events are posted to. Without it no event is posted, and starts with
    /// public authorization are refused.
    #[must_use]
    pub fn callback_url(mut self, url: CallbackUrl) -> Self {
        self.callback = Some(url);
        self
    }

    /// Sets how callback events are authorized. Default [`CallbackAuth::Signed`].
    #[must_use]
    pub fn callback_auth(mut self, auth: CallbackAuth) -> Self {
        self.callback_auth = auth;
        self
    }
}

/// Applications in a snapshot, with their secrets.
pub(crate) mod saved {
    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use sinch_verify_protocol::{ApplicationKey, ApplicationSecret};

    use super::{Application, AuthorizationLevel, CallbackAuth};

    #[derive(Serialize, Deserialize)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    struct Saved {
        key: String,
        /// The first one signs callbacks.
        secret: String,
        older_secrets: Vec<String>,
        minimum: AuthorizationLevel,
        callback_url: Option<String>,
        callback_auth: CallbackAuth,
    }

    pub(crate) fn serialize<S: Serializer>(
        applications: &[Application],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let text = |secret: &ApplicationSecret| secret.expose_text().to_owned();
        serializer.collect_seq(applications.iter().map(|own| Saved {
            key: own.key.as_str().to_owned(),
            secret: text(&own.secret),
            older_secrets: own.older.iter().map(text).collect(),
            minimum: own.minimum,
            callback_url: own.callback.as_ref().map(ToString::to_string),
            callback_auth: own.callback_auth,
        }))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<Application>, D::Error> {
        let saved = Vec::<Saved>::deserialize(deserializer)?;
        let applications = saved.iter().map(application);
        applications.collect::<Result<_, _>>().map_err(D::Error::custom)
    }

    fn application(saved: &Saved) -> Result<Application, String> {
        let secret = |text: &String| ApplicationSecret::new(text).map_err(|error| error.to_string());
        let callback = saved.callback_url.as_deref().map(str::parse).transpose();
        Ok(Application {
            key: ApplicationKey::new(&saved.key).map_err(|error| error.to_string())?,
            secret: secret(&saved.secret)?,
            older: saved.older_secrets.iter().map(secret).collect::<Result<_, _>>()?,
            minimum: saved.minimum,
            callback: callback.map_err(|error: super::InvalidCallbackUrl| error.to_string())?,
            callback_auth: saved.callback_auth,
        })
    }
}

/// How callback events are authorized: a choice of the application's owner in the dashboard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum CallbackAuth {
    /// A signature over the body, the path and the time.
    Signed,
    /// HTTP basic authorization with key and secret. It covers nothing of the event, so a receiver must
    /// trust the connection.
    Basic,
}

impl CallbackAuth {
    /// The name in answers of the control interface.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Signed => "signed",
            Self::Basic => "basic",
        }
    }
}

/// The ways to authorize a request, weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum AuthorizationLevel {
    /// `Application KEY`: the key alone, as an app on a phone sends it.
    Public,
    /// HTTP basic authorization with key and secret.
    Basic,
    /// `Application KEY:SIGNATURE`: a signature made with the secret.
    Signed,
}

impl AuthorizationLevel {
    /// The name in answers of the control interface.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Basic => "basic",
            Self::Signed => "signed",
        }
    }
}

/// The `http` URL that callback events are posted to. A query is sent but not signed.
///
/// The host must be this machine unless
/// [`Builder::allow_remote_callbacks`](crate::Builder::allow_remote_callbacks) allows others. This is
/// checked when the emulator starts.
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

/// The error of parsing a [`CallbackUrl`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidCallbackUrl {
    /// The text is not an HTTP URL.
    Url(InvalidUrl),
    /// The URL is `https`; the emulator does not use TLS.
    Https,
}

impl fmt::Display for InvalidCallbackUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(why) => write!(f, "callback URL {why}"),
            Self::Https => f.write_str("callback URL must start with http://; the emulator does not use TLS"),
        }
    }
}

impl std::error::Error for InvalidCallbackUrl {}
