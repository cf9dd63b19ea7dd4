//! A number without its punctuation, stored in place.

use super::MAX_DIGITS;
use crate::unicode::{ascii_digit, is_invisible};

/// How many characters are kept: `+`, or an international or trunk prefix, and the digits.
const CAPACITY: usize = MAX_DIGITS + 5;

/// The digits of a written number in ASCII, with its leading `+` if it has one.
#[derive(Clone, Copy)]
pub(crate) struct Digits {
    bytes: [u8; CAPACITY],
    len: usize,
}

impl Digits {
    const EMPTY: Self = Self {
        bytes: [0; CAPACITY],
        len: 0,
    };

    /// Leaves the digits and one leading `+`, or gives `None` if anything but punctuation and characters that
    /// cannot be seen is among them.
    pub(crate) fn strip(written: &str) -> Option<Self> {
        let mut digits = Self::EMPTY;
        let mut rest = written.chars();
        while let Some(c) = rest.next() {
            match c {
                '+' | '\u{ff0b}' if digits.len == 0 => digits.push('+')?,
                // `+44 (0)20 ...` shows the trunk prefix that is left out when dialled from abroad.
                '(' if digits.is_international() && rest.as_str().starts_with("0)") => {
                    rest.nth(1);
                }
                _ => match ascii_digit(c) {
                    Some(digit) => digits.push(digit)?,
                    None if is_punctuation(c) || is_invisible(c) => {}
                    None => return None,
                },
            }
        }
        digits
            .as_str()
            .bytes()
            .any(|byte| byte.is_ascii_digit())
            .then_some(digits)
    }

    /// Joins the parts, or gives `None` if they do not fit: then it is no phone number either.
    pub(crate) fn of(parts: &[&str]) -> Option<Self> {
        let mut digits = Self::EMPTY;
        for c in parts.iter().flat_map(|part| part.chars()) {
            digits.push(c)?;
        }
        Some(digits)
    }

    fn push(&mut self, c: char) -> Option<()> {
        *self.bytes.get_mut(self.len)? = u8::try_from(c).ok()?;
        self.len += 1;
        Some(())
    }

    /// Whether it begins as an international number does in most countries: with `+` or `00`.
    pub(crate) fn is_international(&self) -> bool {
        let text = self.as_str();
        text.starts_with('+') || text.starts_with("00")
    }

    pub(crate) fn as_str(&self) -> &str {
        // Only ASCII is ever pushed, so the fallback is never taken.
        std::str::from_utf8(&self.bytes[..self.len]).unwrap_or_default()
    }
}

fn is_punctuation(c: char) -> bool {
    let dash = matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{30fc}');
    // East Asian keyboards type the full-width forms of ASCII.
    let full_width = matches!(
        c,
        '\u{ff08}' | '\u{ff09}' | '\u{ff0d}'..='\u{ff0f}' | '\u{ff3b}' | '\u{ff3d}'
    );
    c.is_whitespace() || dash || full_width || matches!(c, '.' | '/' | '(' | ')' | '[' | ']')
}
