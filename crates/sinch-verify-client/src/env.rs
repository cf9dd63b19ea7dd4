//! An application's key and secret, and where its service is, from the environment.
//!
//! `sinch-verify serve` prints these variables for the emulator that it starts.

use std::env;
use std::error::Error as StdError;
use std::fmt;
use std::str::FromStr;

use sinch_verify_protocol::{ApplicationKey, ApplicationSecret, BaseUrl};

const KEY: &str = "SINCH_APPLICATION_KEY";
const SECRET: &str = "SINCH_APPLICATION_SECRET";
const URL: &str = "SINCH_VERIFICATION_URL";

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
}

impl fmt::Display for EnvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { variable, source } = self;
        match source {
            None => write!(f, "{variable} is not set")?,
            Some(source) => write!(f, "{variable}: {source}")?,
        }
        f.write_str("; for the emulator, paste the `export` lines that `sinch-verify serve` prints")
    }
}

/// The message holds its cause.
impl StdError for EnvError {}
