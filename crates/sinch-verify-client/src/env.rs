//! An application's key and secret, and where its service is, from the environment.
//!
//! An emulator on this machine needs the address only: see [`application`].

use std::env;
use std::error::Error as StdError;
use std::fmt;
use std::str::FromStr;

use sinch_verify_protocol::url::HttpUrl;
use sinch_verify_protocol::{ApplicationKey, ApplicationSecret, BaseUrl, development};

const KEY: &str = "SINCH_APPLICATION_KEY";
const SECRET: &str = "SINCH_APPLICATION_SECRET";
const URL: &str = "SINCH_VERIFICATION_URL";

/// The application for a service at `url`: of `SINCH_APPLICATION_KEY` and `SINCH_APPLICATION_SECRET`.
/// Where neither is set and `url` is this machine, it is the
/// [development application](sinch_verify_protocol::development).
///
/// # Errors
///
/// When a variable is not a key or a secret, when one of the two is not set, and when neither is set and
/// `url` is not this machine.
pub fn application(url: &HttpUrl) -> Result<(ApplicationKey, ApplicationSecret), EnvError> {
    match (application_key(), application_secret()) {
        (Err(key), Err(secret)) if key.is_not_set() && secret.is_not_set() => {
            development::application_for(url).ok_or(key)
        }
        (key, secret) => Ok((key?, secret?)),
    }
}

/// The application key, from `SINCH_APPLICATION_KEY`.
///
/// # Errors
///
/// When the variable is not set, or is no key.
pub fn application_key() -> Result<ApplicationKey, EnvError> {
    required(KEY)
}

/// The application secret, from `SINCH_APPLICATION_SECRET`.
///
/// # Errors
///
/// When the variable is not set, or is no secret.
pub fn application_secret() -> Result<ApplicationSecret, EnvError> {
    required(SECRET)
}

/// The base URL of the service, from `SINCH_VERIFICATION_URL`; `None` where it is not set.
///
/// # Errors
///
/// When the variable is no base URL. An empty one is an error: without the variable a client uses the
/// real service, where messages cost money.
pub fn base_url() -> Result<Option<BaseUrl>, EnvError> {
    match env::var_os(URL) {
        None => Ok(None),
        Some(text) if text.is_empty() => Err(EnvError {
            variable: URL,
            source: Some("is empty; give the address of the service, or unset it for the real one".into()),
        }),
        Some(_) => required(URL).map(Some),
    }
}

fn required<T>(variable: &'static str) -> Result<T, EnvError>
where
    T: FromStr<Err: StdError + Send + Sync + 'static>,
{
    let wrong = |source: Option<Box<dyn StdError + Send + Sync>>| EnvError { variable, source };
    match env::var(variable) {
        Ok(text) if !text.is_empty() => text.parse().map_err(|error: T::Err| wrong(Some(error.into()))),
        Ok(_) | Err(env::VarError::NotPresent) => Err(wrong(None)),
        // The error shows the value, which may be a secret.
        Err(env::VarError::NotUnicode(_)) => Err(wrong(Some("is not UTF-8".into()))),
    }
}

/// A variable of the environment is missing or cannot be used. No message holds its value.
#[derive(Debug)]
pub struct EnvError {
    variable: &'static str,
    /// `None` where it is not set, or is empty.
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl EnvError {
    /// The name of the variable.
    #[must_use]
    pub fn variable(&self) -> &'static str {
        self.variable
    }

    /// Whether the variable is not set, or is empty.
    #[must_use]
    pub fn is_not_set(&self) -> bool {
        self.source.is_none()
    }
}

impl fmt::Display for EnvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { variable, source } = self;
        match source {
            None => write!(
                f,
                "{variable} is not set; set {KEY} and {SECRET} as the dashboard shows them, or neither for \
                 the emulator of `sinch-verify serve`, with {URL}=http://127.0.0.1:9901"
            ),
            Some(source) => write!(f, "{variable}: {source}"),
        }
    }
}

/// The message holds its cause.
impl StdError for EnvError {}
