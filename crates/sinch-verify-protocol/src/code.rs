//! What proves a number: a code, or the caller id of a flash call.

use std::fmt;
use std::str::FromStr;

use crate::open_enum::open_enum;
use crate::phone_number::PhoneNumber;
use crate::unicode::{ascii_digit, is_invisible};
use crate::wire::{Side, SideValue, string_form};

open_enum! {
    /// The alphabet of a code.
    pub enum CodeType {
        /// Digits. The service's default.
        Numeric = "Numeric",
        /// Letters.
        Alpha = "Alpha",
        /// Letters and digits.
        Alphanumeric = "Alphanumeric",
    }
}

/// A code: 1 to 10 characters of `A-Z a-z 0-9 -`, the form that the service's
/// error reference gives.
///
/// `Debug` does not show it. There is no `Display`: [`Code::expose`] is the
/// one way to the text.
///
/// ```
/// use sinch_verify_protocol::Code;
///
/// let code = Code::new("4821")?;
/// assert_eq!(code.expose(), "4821");
/// assert_eq!(format!("{code:?}"), "Code([redacted])");
/// assert!(Code::new("12 34").is_err());
/// # Ok::<(), sinch_verify_protocol::code::InvalidCode>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Code(Box<str>);

impl Code {
    /// The longest code, in characters.
    pub const MAX_LEN: usize = 10;

    /// Takes `text` as a code.
    ///
    /// # Errors
    ///
    /// When `text` is empty, longer than [`Code::MAX_LEN`], or has another
    /// character than `A-Z a-z 0-9 -`.
    pub fn new(text: &str) -> Result<Self, InvalidCode> {
        if text.is_empty() {
            return Err(InvalidCode::Empty);
        }
        if let Some(at) = text.find(|c| !is_of_code(c)) {
            return Err(InvalidCode::Character { at });
        }
        if text.len() > Self::MAX_LEN {
            return Err(InvalidCode::TooLong { len: text.len() });
        }
        Ok(Self(text.into()))
    }

    /// Reads a code as a person types it: in the digits of any script, with white space and characters that
    /// cannot be seen, which are left out.
    ///
    /// ```
    /// use sinch_verify_protocol::Code;
    ///
    /// assert_eq!(Code::from_typed(" ٤٨ ٢١ ")?.expose(), "4821");
    /// # Ok::<(), sinch_verify_protocol::code::InvalidCode>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Code::new`]; an offset is one in the text that was typed.
    pub fn from_typed(text: &str) -> Result<Self, InvalidCode> {
        let mut code = String::with_capacity(Self::MAX_LEN);
        for (at, c) in text.char_indices() {
            match ascii_digit(c) {
                Some(digit) => code.push(digit),
                None if c.is_whitespace() || is_invisible(c) => {}
                None if is_of_code(c) => code.push(c),
                None => return Err(InvalidCode::Character { at }),
            }
        }
        Self::new(&code)
    }

    /// The code itself. Do not log it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

const fn is_of_code(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '-'
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Code([redacted])")
    }
}

impl FromStr for Code {
    type Err = InvalidCode;

    fn from_str(text: &str) -> Result<Self, InvalidCode> {
        Self::new(text)
    }
}

string_form!(Code: expose);

/// Why a text is not a [`Code`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidCode {
    /// Nothing was given.
    Empty,
    /// More than [`Code::MAX_LEN`] characters.
    TooLong {
        /// The length given, in bytes.
        len: usize,
    },
    /// A character outside `A-Z a-z 0-9 -`.
    Character {
        /// Its byte offset.
        at: usize,
    },
}

impl fmt::Display for InvalidCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("code is empty; give 1 to 10 characters of A-Z a-z 0-9 -"),
            Self::TooLong { len } => write!(f, "code has {len} characters, at most 10 are allowed"),
            Self::Character { at } => {
                write!(f, "code has a character other than A-Z a-z 0-9 - at offset {at}")
            }
        }
    }
}

impl std::error::Error for InvalidCode {}

/// The caller id of a flash call, as reported.
///
/// The API wants the full international number; a handset may only have what
/// the network gave it. So a [`PhoneNumber`] is the rule, and [`Cli::as_seen`]
/// the way to report the text that the handset showed.
///
/// ```
/// use sinch_verify_protocol::{Cli, PhoneNumber};
///
/// let number: PhoneNumber = "+14155570123".parse()?;
/// assert_eq!(Cli::from(number).expose(), "+14155570123");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Cli(Box<str>);

impl Cli {
    /// The longest caller id taken, in bytes.
    pub const MAX_LEN: usize = 64;

    /// Takes the caller id as the handset showed it.
    ///
    /// # Errors
    ///
    /// When it is empty, longer than [`Cli::MAX_LEN`] bytes, or has a control
    /// character.
    pub fn as_seen(text: &str) -> Result<Self, InvalidCli> {
        if text.is_empty() {
            return Err(InvalidCli::Empty);
        }
        if text.len() > Self::MAX_LEN {
            return Err(InvalidCli::TooLong { len: text.len() });
        }
        if text.chars().any(char::is_control) {
            return Err(InvalidCli::ControlCharacter);
        }
        Ok(Self(text.into()))
    }

    /// The caller id itself. Do not log it: for a flash call it is the code.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<PhoneNumber> for Cli {
    fn from(number: PhoneNumber) -> Self {
        Self(number.as_str().into())
    }
}

impl FromStr for Cli {
    type Err = InvalidCli;

    fn from_str(text: &str) -> Result<Self, InvalidCli> {
        Self::as_seen(text)
    }
}

impl fmt::Debug for Cli {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cli([redacted])")
    }
}

string_form!(Cli: expose);

impl SideValue for Cli {
    fn from_text(text: &str) -> Side<Self> {
        Self::as_seen(text).map_or(Side::Unreadable, Side::Documented)
    }
}

/// Why a text is not a [`Cli`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidCli {
    /// Nothing was given: a hidden caller has no caller id to report.
    Empty,
    /// More than [`Cli::MAX_LEN`] bytes.
    TooLong {
        /// The length given, in bytes.
        len: usize,
    },
    /// A line end or another control character.
    ControlCharacter,
}

impl fmt::Display for InvalidCli {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("cli is empty; report the caller id of the flash call"),
            Self::TooLong { len } => write!(f, "cli has {len} bytes, at most 64 are allowed"),
            Self::ControlCharacter => f.write_str("cli has a control character; trim it first"),
        }
    }
}

impl std::error::Error for InvalidCli {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typed_code_is_read_in_the_digits_of_any_script() {
        for text in [
            "4821",
            "٤٨٢١",
            "۴۸۲۱",
            "４８２１",
            " 48 21\n",
            "\u{202b}4\u{ad}8\u{200b}21\u{202c}",
        ] {
            let code = Code::from_typed(text);
            assert_eq!(code.as_ref().map(Code::expose), Ok("4821"), "{text:?}");
        }
        for text in ["aB-12", "7KQ2"] {
            assert_eq!(Code::from_typed(text), Code::new(text));
        }
    }

    #[test]
    fn a_typed_code_is_refused_for_what_no_code_has() {
        for (text, error) in [
            ("", InvalidCode::Empty),
            (" \u{200b}", InvalidCode::Empty),
            ("٤٨_1", InvalidCode::Character { at: 4 }),
            ("48²", InvalidCode::Character { at: 2 }),
            ("12345 678901", InvalidCode::TooLong { len: 11 }),
        ] {
            assert_eq!(Code::from_typed(text), Err(error), "{text:?}");
        }
    }
}
