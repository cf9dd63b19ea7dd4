//! Phone numbers in E.164 form.
//!
//! Sinch takes and gives phone numbers as a leading `+`, the country calling code and the national
//! number, without any separator. [`PhoneNumber`] holds exactly that form and checks only its
//! syntax: whether a number is in service, or long enough for its country, is for the service to
//! say. The mobile SDKs do not convert either, so a number typed by a person must be brought into
//! this form first: [`PhoneNumber::from_typed`] does.

mod digits;

use std::fmt;
use std::str::FromStr;

use crate::country::Country;
use crate::unicode::is_invisible;
use crate::wire::string_form;

pub(crate) use self::digits::Digits;

/// The fewest digits a [`PhoneNumber`] may have, calling code included.
///
/// E.164 names no minimum; seven is the shortest that occurs in practice.
pub const MIN_DIGITS: usize = 7;

/// The most digits a [`PhoneNumber`] may have, calling code included (ITU-T E.164, section 6).
pub const MAX_DIGITS: usize = 15;

/// A phone number in E.164 form: `+`, a first digit 1-9, and 7 to 15 digits in all.
///
/// The text is stored in place, so the value is `Copy` and never allocates. `Display` prints the
/// whole number, for the wire; `Debug` prints the [masked](Self::masked) form, for logs.
///
/// ```
/// use sinch_verify_protocol::phone_number::PhoneNumber;
///
/// let number: PhoneNumber = "+46700000000".parse()?;
/// assert_eq!(number.as_str(), "+46700000000");
/// assert_eq!(number.masked().to_string(), "+4670***00");
/// assert_eq!(number.country().map(|c| c.to_string()).as_deref(), Some("SE"));
/// # Ok::<(), sinch_verify_protocol::phone_number::PhoneNumberError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PhoneNumber {
    /// ASCII text padded with zero bytes, so that the derived order is the order of the texts.
    text: [u8; MAX_DIGITS + 1],
    len: u8,
}

impl PhoneNumber {
    /// Reads a number, which must be in E.164 form already.
    ///
    /// # Errors
    ///
    /// A [`PhoneNumberError`] that names the first thing wrong; nothing is trimmed or repaired.
    pub fn parse(text: &str) -> Result<Self, PhoneNumberError> {
        if let Some(at) = text.find(is_invisible) {
            return Err(PhoneNumberError::Invisible { at });
        }
        let Some(digits) = text.strip_prefix('+') else {
            return Err(match text.chars().next() {
                None => PhoneNumberError::Empty,
                Some(c) if c.is_whitespace() || c == '\u{ff0b}' => PhoneNumberError::NotADigit { at: 0 },
                Some(_) => PhoneNumberError::MissingPlus,
            });
        };
        if let Some(at) = digits.bytes().position(|byte| !byte.is_ascii_digit()) {
            return Err(PhoneNumberError::NotADigit { at: at + 1 });
        }
        if digits.starts_with('0') {
            return Err(PhoneNumberError::LeadingZero);
        }
        if digits.len() < MIN_DIGITS {
            return Err(PhoneNumberError::TooShort { digits: digits.len() });
        }
        let mut stored = [0; MAX_DIGITS + 1];
        let (Some(place), Ok(len)) = (stored.get_mut(..text.len()), u8::try_from(text.len())) else {
            return Err(PhoneNumberError::TooLong { digits: digits.len() });
        };
        place.copy_from_slice(text.as_bytes());
        Ok(Self { text: stored, len })
    }

    /// The whole number with its `+`, as it goes on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // `parse` stored ASCII only, so the fallback is never taken.
        std::str::from_utf8(&self.text[..usize::from(self.len)]).unwrap_or_default()
    }

    /// The digits without the `+`.
    #[must_use]
    pub fn digits(&self) -> &str {
        // `parse` stored a `+` first.
        self.as_str().get(1..).unwrap_or_default()
    }

    /// The number with its middle hidden, for logs and screens.
    #[must_use]
    pub fn masked(&self) -> Masked<'_> {
        Masked::new(self.as_str())
    }

    /// The country (or territory) the number's prefix is assigned to.
    ///
    /// `None` for prefixes that belong to no country: satellite, international freephone and
    /// unassigned ranges. See [`Country::of_digits`] for how shared calling codes are split.
    #[must_use]
    pub fn country(&self) -> Option<Country> {
        Country::of_digits(self.digits())
    }
}

impl FromStr for PhoneNumber {
    type Err = PhoneNumberError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl TryFrom<&str> for PhoneNumber {
    type Error = PhoneNumberError;

    fn try_from(text: &str) -> Result<Self, Self::Error> {
        Self::parse(text)
    }
}

impl AsRef<str> for PhoneNumber {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PhoneNumber({})", self.masked())
    }
}

string_form!(PhoneNumber: as_str);

/// Why a text is not a [`PhoneNumber`].
///
/// The messages never hold the number, so they may be logged.
///
/// ```
/// use sinch_verify_protocol::phone_number::{PhoneNumber, PhoneNumberError};
///
/// let error = PhoneNumber::parse("46700000000").unwrap_err();
/// assert_eq!(error, PhoneNumberError::MissingPlus);
/// assert_eq!(error.to_string(), "phone number lacks the leading +; write + and the country code before it");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PhoneNumberError {
    /// The text is empty.
    Empty,
    /// The first character is not `+`.
    MissingPlus,
    /// The first digit is 0; no calling code begins with it.
    LeadingZero,
    /// Fewer than [`MIN_DIGITS`] digits.
    TooShort {
        /// How many digits there are.
        digits: usize,
    },
    /// More than [`MAX_DIGITS`] digits.
    TooLong {
        /// How many digits there are.
        digits: usize,
    },
    /// White space, a `+` outside ASCII, or, after the `+`, something other than an ASCII digit.
    NotADigit {
        /// Where, in bytes from the start of the text.
        at: usize,
    },
    /// A character that renders as nothing, such as a mark of direction that was copied with the number.
    Invisible {
        /// Where, in bytes from the start of the text.
        at: usize,
    },
}

impl fmt::Display for PhoneNumberError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("phone number is empty"),
            Self::MissingPlus => {
                f.write_str("phone number lacks the leading +; write + and the country code before it")
            }
            Self::LeadingZero => {
                f.write_str("phone number has a 0 after the +; give the country calling code instead")
            }
            Self::TooShort { digits } => write!(
                f,
                "phone number has {digits} digits, at least {MIN_DIGITS} are needed"
            ),
            Self::TooLong { digits } => write!(
                f,
                "phone number has {digits} digits, at most {MAX_DIGITS} are allowed"
            ),
            Self::NotADigit { at } => write!(
                f,
                "phone number holds something other than an ASCII digit at byte {at}; \
                 remove spaces and punctuation"
            ),
            Self::Invisible { at } => write!(
                f,
                "phone number holds a character that cannot be seen at byte {at}; remove it"
            ),
        }
    }
}

impl std::error::Error for PhoneNumberError {}

/// Prints a number, or any caller id, with its middle hidden.
///
/// At most four characters after the `+` and the last two stay visible, and at least three are
/// hidden; of a text with fewer than five characters nothing is shown. The number of stars is
/// always three, so the length does not leak.
///
/// ```
/// use sinch_verify_protocol::phone_number::Masked;
///
/// assert_eq!(Masked::new("+46700000000").to_string(), "+4670***00");
/// assert_eq!(Masked::new("+4670000").to_string(), "+46***00");
/// assert_eq!(Masked::new("0701").to_string(), "***");
/// ```
#[derive(Clone, Copy)]
pub struct Masked<'a> {
    text: &'a str,
}

impl<'a> Masked<'a> {
    /// Wraps a text that may be a phone number; any text will do.
    #[must_use]
    pub const fn new(text: &'a str) -> Self {
        Self { text }
    }
}

impl fmt::Display for Masked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const HEAD: usize = 4;
        const TAIL: usize = 2;
        const HIDDEN: usize = 3;

        let (plus, rest) = match self.text.strip_prefix('+') {
            Some(rest) => ("+", rest),
            None => ("", self.text),
        };
        f.write_str(plus)?;
        let count = rest.chars().count();
        let Some(head) = count.checked_sub(TAIL + HIDDEN) else {
            return f.write_str("***");
        };
        let mut chars = rest.chars();
        for shown in chars.by_ref().take(head.min(HEAD)) {
            write!(f, "{shown}")?;
        }
        f.write_str("***")?;
        for shown in rest.chars().skip(count - TAIL) {
            write!(f, "{shown}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Masked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
