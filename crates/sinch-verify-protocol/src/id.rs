//! The names a verification goes by.

use std::fmt;
use std::str::FromStr;

use crate::untrusted::escape;
use crate::wire::string_form;

/// The service's id of a verification. Opaque: old ids are digits, new ones
/// look like UUIDs.
///
/// ```
/// use sinch_verify_protocol::VerificationId;
///
/// let id = VerificationId::new("0198a1b2-c3d4")?;
/// assert_eq!(id.as_str(), "0198a1b2-c3d4");
/// assert!(VerificationId::new("").is_err());
/// # Ok::<(), sinch_verify_protocol::id::InvalidId>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct VerificationId(Box<str>);

impl VerificationId {
    /// The longest id taken, in bytes. Ours: the service publishes none.
    pub const MAX_LEN: usize = 256;

    /// Takes `text` as an id.
    ///
    /// # Errors
    ///
    /// When `text` is empty, longer than [`VerificationId::MAX_LEN`], has a
    /// control character, or is `.` or `..`, which no path can carry.
    pub fn new(text: &str) -> Result<Self, InvalidId> {
        check(text, Self::MAX_LEN)?;
        Ok(Self(text.into()))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A reference of your own: unique per started verification, and a key to its
/// status later.
///
/// SDKs sign a reference with a space, `/`, `?`, `#` or `%` in three different
/// ways, so only unreserved characters (`A-Z a-z 0-9 - . _ ~`) are taken.
///
/// ```
/// use sinch_verify_protocol::Reference;
///
/// assert!(Reference::new("order-7781").is_ok());
/// assert!(Reference::new("order 7781").is_err());
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Reference(Box<str>);

impl Reference {
    /// The longest reference taken, in bytes. Ours: the service publishes none.
    pub const MAX_LEN: usize = 256;

    /// Takes `text` as a reference.
    ///
    /// # Errors
    ///
    /// When `text` is empty, longer than [`Reference::MAX_LEN`], `.` or `..`,
    /// or has a character outside `A-Z a-z 0-9 - . _ ~`.
    pub fn new(text: &str) -> Result<Self, InvalidId> {
        check(text, Self::MAX_LEN)?;
        match text
            .bytes()
            .position(|b| !(b.is_ascii_alphanumeric() || b"-._~".contains(&b)))
        {
            Some(at) => Err(InvalidId::Character { at }),
            None => Ok(Self(text.into())),
        }
    }

    /// The reference as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Text of your own that every event of the verification echoes.
///
/// ```
/// use sinch_verify_protocol::Custom;
///
/// assert!(Custom::new("session 42").is_ok());
/// assert!(Custom::new(&"x".repeat(4097)).is_err());
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Custom(Box<str>);

impl Custom {
    /// The longest text, in characters (documented).
    pub const MAX_CHARS: usize = 4096;

    /// Takes `text`.
    ///
    /// # Errors
    ///
    /// When `text` is longer than [`Custom::MAX_CHARS`] characters.
    pub fn new(text: &str) -> Result<Self, InvalidId> {
        let len = text.chars().count();
        if len > Self::MAX_CHARS {
            return Err(InvalidId::TooLong {
                len,
                max: Self::MAX_CHARS,
            });
        }
        Ok(Self(text.into()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn check(text: &str, max: usize) -> Result<(), InvalidId> {
    if text.is_empty() {
        return Err(InvalidId::Empty);
    }
    if text.len() > max {
        return Err(InvalidId::TooLong { len: text.len(), max });
    }
    // Without an early exit, which lets the compiler look at many bytes at once.
    if text
        .bytes()
        .fold(false, |any, byte| any | byte.is_ascii_control())
    {
        let at = text.find(|c: char| c.is_ascii_control()).unwrap_or_default();
        return Err(InvalidId::Character { at });
    }
    if text == "." || text == ".." {
        return Err(InvalidId::DotSegment);
    }
    Ok(())
}

macro_rules! from_text {
    ($($name:ident),*) => {
        $(
            impl FromStr for $name {
                type Err = InvalidId;
                fn from_str(text: &str) -> Result<Self, InvalidId> {
                    Self::new(text)
                }
            }
        )*
    };
}

from_text!(VerificationId, Reference, Custom);
string_form!(VerificationId: as_str; Reference: as_str; Custom: as_str);

impl Custom {
    pub(crate) fn into_string(self) -> String {
        self.0.into_string()
    }
}

macro_rules! shown {
    ($($name:ident),*) => {
        $(
            impl fmt::Display for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.pad(&escape(&self.0))
                }
            }
            impl fmt::Debug for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    write!(f, "{}({:?})", stringify!($name), self.0)
                }
            }
        )*
    };
}

shown!(VerificationId, Reference);

/// Shows the length only: the text is the application's and may be personal.
impl fmt::Debug for Custom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Custom({} bytes)", self.0.len())
    }
}

/// Why a text is not an id, a reference or a custom text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidId {
    /// Nothing was given.
    Empty,
    /// Too long.
    TooLong {
        /// The length given.
        len: usize,
        /// The longest length taken.
        max: usize,
    },
    /// A character that is not taken.
    Character {
        /// Its byte offset.
        at: usize,
    },
    /// `.` or `..`: HTTP clients and proxies remove such path segments.
    DotSegment,
}

impl fmt::Display for InvalidId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("it is empty"),
            Self::TooLong { len, max } => write!(f, "it has a length of {len}, at most {max} is taken"),
            Self::Character { at } => write!(
                f,
                "the character at offset {at} cannot stand in a path that every party signs alike; use A-Z a-z 0-9 - . _ ~"
            ),
            Self::DotSegment => f.write_str("`.` and `..` cannot stand in a path"),
        }
    }
}

impl std::error::Error for InvalidId {}
