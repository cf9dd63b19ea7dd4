//! Why a filter cannot be used.

use std::fmt;

use super::{MAX_COMPILED, MAX_FILTER};

/// Why a text cannot be used as a [`CliFilter`](super::CliFilter).
///
/// Positions are in bytes from the start of the filter. The verification itself can go on: the
/// user may still type the number that called.
///
/// ```
/// use sinch_verify_protocol::cli_filter::{CliFilter, FilterError};
///
/// let error = CliFilter::compile("(.*4544456(.*)").unwrap_err();
/// assert_eq!(error, FilterError::NestedGroup { at: 10 });
/// assert_eq!(error.to_string(), "invalid filter: a bracket inside a bracket at byte 10");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FilterError {
    /// The filter is longer than [`MAX_FILTER`](super::MAX_FILTER) bytes.
    TooLong {
        /// How many bytes it has.
        bytes: usize,
    },
    /// A `(` stands inside a bracket group. The Android SDK refuses such a filter too.
    NestedGroup {
        /// Where the inner bracket is.
        at: usize,
    },
    /// A `(` has no `)` after it.
    UnclosedGroup {
        /// Where the bracket is.
        at: usize,
    },
    /// The filter uses something of Java's regex syntax that is not available here, such as
    /// look-around or a back-reference.
    Unsupported {
        /// What it is.
        what: &'static str,
        /// Where it is.
        at: usize,
    },
    /// The compiled filter would be larger than [`MAX_COMPILED`](super::MAX_COMPILED) bytes, or
    /// its groups are nested too deep.
    TooComplex,
    /// A group is not a regular expression.
    Syntax {
        /// What is wrong.
        message: String,
        /// Where.
        at: usize,
    },
}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("invalid filter: ")?;
        match self {
            Self::TooLong { bytes } => {
                write!(f, "{bytes} bytes long, at most {MAX_FILTER} are allowed")
            }
            Self::NestedGroup { at } => write!(f, "a bracket inside a bracket at byte {at}"),
            Self::UnclosedGroup { at } => {
                write!(f, "the bracket at byte {at} is not closed")
            }
            Self::Unsupported { what, at } => write!(f, "{what} at byte {at} is unsupported"),
            Self::TooComplex => write!(
                f,
                "it compiles to more than {MAX_COMPILED} bytes or nests too deep; \
                 use fewer and smaller repetitions"
            ),
            Self::Syntax { message, at } => write!(f, "{message} at byte {at}"),
        }
    }
}

impl std::error::Error for FilterError {}
