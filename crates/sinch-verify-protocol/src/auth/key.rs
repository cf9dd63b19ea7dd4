use std::fmt;
use std::str::FromStr;

use super::character::UnwantedCharacter;

/// An application's key: a GUID in upper or lower case, taken as exact text.
///
/// ```
/// use sinch_verify_protocol::ApplicationKey;
///
/// assert!(ApplicationKey::new("669E367E-6BBA-48AB-AF15-266871C28135").is_ok());
/// assert!(ApplicationKey::new("key:with:colons").is_err());
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ApplicationKey(Box<str>);

impl ApplicationKey {
    /// The longest key, in bytes. Ours: a GUID has 36.
    pub const MAX_LEN: usize = 128;

    /// Takes `text` as a key.
    ///
    /// # Errors
    ///
    /// When `text` is empty, longer than [`ApplicationKey::MAX_LEN`], or has a
    /// character that an `Authorization` header or its `:` rules out, or a quote.
    pub fn new(text: &str) -> Result<Self, InvalidKey> {
        if text.is_empty() {
            return Err(InvalidKey::Empty);
        }
        if text.len() > Self::MAX_LEN {
            return Err(InvalidKey::TooLong);
        }
        let wanted = |c: char| c.is_ascii_graphic() && !matches!(c, ':' | '"' | '\'' | '`');
        if let Some(character) = UnwantedCharacter::find(text, wanted) {
            return Err(InvalidKey::Character(character));
        }
        Ok(Self(text.into()))
    }

    /// A key for signing where no header is written.
    pub(super) fn placeholder() -> Self {
        Self("-".into())
    }

    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ApplicationKey {
    type Err = InvalidKey;

    fn from_str(text: &str) -> Result<Self, InvalidKey> {
        Self::new(text)
    }
}

impl fmt::Display for ApplicationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for ApplicationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApplicationKey({})", self.0)
    }
}

/// Why a text is not an [`ApplicationKey`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidKey {
    /// Nothing was given.
    Empty,
    /// More than [`ApplicationKey::MAX_LEN`] bytes.
    TooLong,
    /// A blank, a line end, a quote, a colon, or a character outside ASCII.
    Character(UnwantedCharacter),
}

impl fmt::Display for InvalidKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("application key is empty; copy it from the dashboard"),
            Self::TooLong => f.write_str("application key is longer than 128 characters"),
            Self::Character(character) => write!(f, "application key has {character}"),
        }
    }
}

impl std::error::Error for InvalidKey {}
