//! Finding the flash call: does this caller id match the `cliFilter` of the start answer?
//!
//! A start by flash call answers with a filter such as `(.*)70123(.*)`. The app watches incoming
//! calls, and the first one whose number matches is the verification call; its number is the code
//! to report.

mod dialect;
mod error;
mod glob;
mod groups;
pub(crate) mod line_end;
mod pattern;
mod rewrite;

use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use regex::bytes::Regex;

use crate::caller_id::{Candidate, Candidates};

pub use self::dialect::{Dialect, InvalidDialect};
pub use self::error::FilterError;

use self::glob::Glob;

/// The longest filter that is accepted, in bytes. Filters of the service have about 15.
pub const MAX_FILTER: usize = 1024;

/// The largest compiled filter that is accepted, in bytes.
pub const MAX_COMPILED: usize = 64 * 1024;

/// A compiled `cliFilter`.
///
/// Read as the Android SDK reads it, unless [`compile_as`](Self::compile_as) says otherwise: text
/// inside round brackets is a regular expression in Java's syntax, all other text is literal, and
/// the whole number must match, without any normalisation. Digits classes are ASCII, `.` excludes
/// every line end Java knows, and letters are compared with their case. Matching takes time linear
/// in the length of the number, whatever the filter.
///
/// ```
/// use sinch_verify_protocol::caller_id::{CandidateForm, Candidates};
/// use sinch_verify_protocol::cli_filter::CliFilter;
///
/// let filter = CliFilter::compile("(.*)70123(.*)")?;
/// assert!(filter.matches("+46701234567"));
/// assert!(!filter.matches("+46 70 123 45 67"));
///
/// // Trying the other forms of the number finds the call all the same.
/// let caller = Candidates::new("+46 70 123 45 67");
/// let found = filter.find(&caller).unwrap();
/// assert_eq!(found.form(), CandidateForm::Stripped);
/// assert_eq!(caller.e164().unwrap().as_str(), "+46701234567");
/// # Ok::<(), sinch_verify_protocol::cli_filter::FilterError>(())
/// ```
#[derive(Clone)]
pub struct CliFilter {
    filter: Box<str>,
    /// Never [`Dialect::Auto`].
    dialect: Dialect,
    matcher: Matcher,
}

#[derive(Clone)]
enum Matcher {
    /// Literals and `(.*)`, which is what the service sends.
    Glob(Glob),
    Regex(Regex),
}

impl CliFilter {
    /// Compiles a filter as the Android SDK reads it.
    ///
    /// # Errors
    ///
    /// A [`FilterError`] for a filter that the SDK would refuse, that is too large, or that needs
    /// look-around or back-references.
    pub fn compile(filter: &str) -> Result<Self, FilterError> {
        Self::compile_as(filter, Dialect::Android)
    }

    /// Compiles a filter in the given dialect.
    ///
    /// # Errors
    ///
    /// As [`compile`](Self::compile). Where [`Dialect::Auto`] tried both dialects and neither
    /// compiles, the error is that of the Android dialect.
    pub fn compile_as(filter: &str, dialect: Dialect) -> Result<Self, FilterError> {
        if filter.len() > MAX_FILTER {
            return Err(FilterError::TooLong { bytes: filter.len() });
        }
        match dialect {
            Dialect::Android => Self::android(filter),
            Dialect::Regex => Self::regex(filter),
            Dialect::Auto => {
                let no_groups = !filter.contains(['(', ')']);
                if no_groups && filter.contains(".*") {
                    return Self::regex(filter).or_else(|_| Self::android(filter));
                }
                Self::android(filter).or_else(|first| Self::regex(filter).map_err(|_| first))
            }
        }
    }

    /// Whether the whole of this text matches. Nothing is trimmed or converted.
    #[must_use]
    pub fn matches(&self, number: &str) -> bool {
        match &self.matcher {
            Matcher::Glob(glob) => glob.matches(number),
            Matcher::Regex(regex) => regex.is_match(number.as_bytes()),
        }
    }

    /// The first form of the caller id that matches; the text as it came is tried first.
    ///
    /// What to report is a separate question, see [`Candidates::e164`].
    #[must_use]
    pub fn find<'a>(&self, caller: &Candidates<'a>) -> Option<Candidate<'a>> {
        caller.iter().find(|one| self.matches(one.text()))
    }

    /// The dialect in use: never [`Dialect::Auto`].
    #[must_use]
    pub const fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// The text the filter was compiled from.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.filter
    }

    /// Whether the filter is nothing but wildcards, such as `(.*)`.
    ///
    /// Such a filter takes the first call from anyone for the verification call, which deserves a
    /// warning. Filters that match everything in a less obvious way are not detected.
    #[must_use]
    pub fn matches_everything(&self) -> bool {
        match &self.matcher {
            Matcher::Glob(glob) => glob.is_wildcard(),
            Matcher::Regex(_) => matches!(
                self.as_str(),
                ".*" | "^.*$" | "(.*)" | "(.*)(.*)" | "(?:.*)" | "^(.*)$"
            ),
        }
    }

    fn android(filter: &str) -> Result<Self, FilterError> {
        let pieces = groups::split(filter)?;
        let matcher = match Glob::of(&pieces) {
            Some(glob) => Matcher::Glob(glob),
            None => Matcher::Regex(pattern::compile_groups(filter, &pieces)?),
        };
        Ok(Self::new(filter, Dialect::Android, matcher))
    }

    fn regex(filter: &str) -> Result<Self, FilterError> {
        let matcher = Matcher::Regex(pattern::compile_whole(filter)?);
        Ok(Self::new(filter, Dialect::Regex, matcher))
    }

    fn new(filter: &str, dialect: Dialect, matcher: Matcher) -> Self {
        Self {
            filter: filter.into(),
            dialect,
            matcher,
        }
    }
}

impl FromStr for CliFilter {
    type Err = FilterError;

    fn from_str(filter: &str) -> Result<Self, Self::Err> {
        Self::compile(filter)
    }
}

/// Prints the filter's text.
impl fmt::Display for CliFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for CliFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CliFilter")
            .field("filter", &self.as_str())
            .field("dialect", &self.dialect)
            .finish()
    }
}

/// Equal text in an equal dialect.
impl PartialEq for CliFilter {
    fn eq(&self, other: &Self) -> bool {
        self.dialect == other.dialect && self.filter == other.filter
    }
}

impl Eq for CliFilter {}

impl Hash for CliFilter {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.dialect.hash(state);
        self.filter.hash(state);
    }
}
