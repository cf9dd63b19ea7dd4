//! Finding the flash call: does this caller id match the `cliFilter` of the start answer?
//!
//! A start by flash call answers with a filter such as `(.*)70123(.*)`. The app watches incoming
//! calls, and the first one whose number matches is the verification call; its number is the code
//! to report.

mod error;
mod general;
mod glob;
mod groups;
pub(crate) mod line_end;
mod reading;
mod rewrite;
mod short;

use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use crate::caller_id::{Candidate, Candidates};

pub use self::error::FilterError;
pub use self::reading::{Reading, ReadingError};

use self::general::General;
use self::glob::Glob;
use self::short::Short;

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
    repr: Repr,
    reading: Used,
}

/// The reading in use. As wide as the struct's alignment, because the struct is moved right after
/// it is written: a wide load over a byte just stored stalls for as long as the search takes.
#[derive(Clone, Copy)]
#[repr(u64)]
enum Used {
    Android,
    Regex,
}

#[derive(Clone)]
enum Repr {
    /// One short literal with or without wildcards around it: no allocation, no engine.
    Short(Short),
    /// Any literals and wildcards: no engine.
    Glob(Box<Glob>),
    General(Box<General>),
}

impl CliFilter {
    /// Compiles a filter as the Android SDK reads it.
    ///
    /// # Errors
    ///
    /// A [`FilterError`] for a filter that the SDK would refuse, that is too large, or that needs
    /// look-around or back-references.
    #[inline]
    pub fn compile(filter: &str) -> Result<Self, FilterError> {
        Self::compile_as(filter, Reading::Android)
    }

    /// Compiles a filter in the given reading.
    ///
    /// # Errors
    ///
    /// As [`compile`](Self::compile). Where [`Reading::Auto`] tried both readings and neither
    /// compiles, the error is that of the Android reading.
    #[inline]
    pub fn compile_as(filter: &str, reading: Reading) -> Result<Self, FilterError> {
        if reading == Reading::Android
            && let Some(short) = Short::android(filter)
        {
            return Ok(Self {
                repr: Repr::Short(short),
                reading: Used::Android,
            });
        }
        Self::compile_long(filter, reading)
    }

    /// Whether the whole of this text matches. Nothing is trimmed or converted.
    #[inline]
    #[must_use]
    pub fn matches(&self, number: &str) -> bool {
        match &self.repr {
            Repr::Short(short) => short.matches(number),
            Repr::Glob(glob) => glob.matches(number),
            Repr::General(general) => general.matches(number),
        }
    }

    /// The first form of the caller id that matches; the text as it came is tried first.
    ///
    /// What to report is a separate question, see [`Candidates::e164`].
    #[must_use]
    pub fn find<'a>(&self, caller: &Candidates<'a>) -> Option<Candidate<'a>> {
        caller.iter().find(|one| self.matches(one.text()))
    }

    /// Which reading is used: never [`Reading::Auto`].
    #[must_use]
    pub const fn reading(&self) -> Reading {
        match self.reading {
            Used::Android => Reading::Android,
            Used::Regex => Reading::Regex,
        }
    }

    /// The text the filter was compiled from.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match &self.repr {
            Repr::Short(short) => short.as_str(),
            Repr::Glob(glob) => glob.as_str(),
            Repr::General(general) => general.as_str(),
        }
    }

    /// Whether the filter is nothing but wildcards, such as `(.*)`.
    ///
    /// Such a filter takes the first call from anyone for the verification call, which deserves a
    /// warning. Filters that match everything in a less obvious way are not detected.
    #[must_use]
    pub fn matches_everything(&self) -> bool {
        match &self.repr {
            Repr::Short(short) => short.is_wildcard(),
            Repr::Glob(glob) => glob.is_wildcard(),
            Repr::General(general) => general.is_wildcard(),
        }
    }

    fn compile_long(filter: &str, reading: Reading) -> Result<Self, FilterError> {
        if filter.len() > MAX_FILTER {
            return Err(FilterError::TooLong { bytes: filter.len() });
        }
        match reading {
            Reading::Android => Self::android(filter),
            Reading::Regex => Self::regex(filter),
            Reading::Auto => {
                let no_groups = !filter.contains(['(', ')']);
                if no_groups && filter.contains(".*") {
                    return Self::regex(filter).or_else(|_| Self::android(filter));
                }
                Self::android(filter).or_else(|first| Self::regex(filter).map_err(|_| first))
            }
        }
    }

    fn android(filter: &str) -> Result<Self, FilterError> {
        let repr = match Short::android(filter) {
            Some(short) => Repr::Short(short),
            None => {
                let pieces = groups::split(filter)?;
                match Glob::of(filter, &pieces) {
                    Some(glob) => Repr::Glob(Box::new(glob)),
                    None => Repr::General(Box::new(General::android(filter, &pieces)?)),
                }
            }
        };
        Ok(Self {
            repr,
            reading: Used::Android,
        })
    }

    fn regex(filter: &str) -> Result<Self, FilterError> {
        let repr = match Short::regex(filter) {
            Some(short) => Repr::Short(short),
            None => Repr::General(Box::new(General::regex(filter)?)),
        };
        Ok(Self {
            repr,
            reading: Used::Regex,
        })
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
            .field("reading", &self.reading())
            .finish()
    }
}

/// Equal text in an equal reading.
impl PartialEq for CliFilter {
    fn eq(&self, other: &Self) -> bool {
        self.reading() == other.reading() && self.as_str() == other.as_str()
    }
}

impl Eq for CliFilter {}

impl Hash for CliFilter {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.reading().hash(state);
        self.as_str().hash(state);
    }
}
