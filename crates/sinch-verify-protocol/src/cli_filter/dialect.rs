//! The two ways to interpret a filter, and the choice between them.

use std::fmt;
use std::str::FromStr;

/// How the text of a filter is interpreted.
///
/// The service's schema calls the filter a regular expression, but the Android SDK, the only one
/// that matches calls, takes everything outside round brackets literally. Both give the same
/// result for the usual `(.*)DIGITS(.*)`.
///
/// ```
/// use sinch_verify_protocol::cli_filter::{CliFilter, Dialect};
///
/// let android = CliFilter::compile("+46(.*)")?;
/// assert!(android.matches("+46700000000"));
///
/// let regex = CliFilter::compile_as(r"\+46\d+", Dialect::Regex)?;
/// assert!(regex.matches("+46700000000"));
/// assert_eq!("regex".parse(), Ok(Dialect::Regex));
/// # Ok::<(), sinch_verify_protocol::cli_filter::FilterError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Dialect {
    /// As the Android SDK reads it: only text inside round brackets is a pattern.
    #[default]
    Android,
    /// As a regular expression for the whole number.
    Regex,
    /// As the Android SDK reads it; as a regular expression only where that does not compile, or
    /// where the filter has no brackets and contains `.*`, so that its literal text could never match
    /// a number. Never because the number did not match.
    Auto,
}

impl Dialect {
    /// The name as it is written in settings: `android`, `regex` or `auto`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Android => "android",
            Self::Regex => "regex",
            Self::Auto => "auto",
        }
    }
}

impl FromStr for Dialect {
    type Err = InvalidDialect;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Self::Android, Self::Regex, Self::Auto]
            .into_iter()
            .find(|dialect| dialect.as_str() == text)
            .ok_or(InvalidDialect)
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A text that names no [`Dialect`].
///
/// ```
/// use sinch_verify_protocol::cli_filter::Dialect;
///
/// let error = "java".parse::<Dialect>().unwrap_err();
/// assert_eq!(error.to_string(), "dialect is not one of android, regex, auto");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidDialect;

impl fmt::Display for InvalidDialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("dialect is not one of android, regex, auto")
    }
}

impl std::error::Error for InvalidDialect {}
