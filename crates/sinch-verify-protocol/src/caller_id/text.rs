//! A caller id without its punctuation, stored in place.

use crate::phone_number::MAX_DIGITS;

/// How many characters of a cleaned number are kept: `+`, `00` or a trunk prefix, and the digits.
const CAPACITY: usize = MAX_DIGITS + 5;

/// A short ASCII text stored in place.
#[derive(Clone, Copy)]
pub(super) struct Text {
    bytes: [u8; CAPACITY],
    len: usize,
}

impl Text {
    const EMPTY: Self = Self {
        bytes: [0; CAPACITY],
        len: 0,
    };

    /// Leaves the digits and one leading `+`, or gives `None` if anything else is in the text.
    pub(super) fn strip(raw: &str) -> Option<Self> {
        let mut text = Self::EMPTY;
        let mut rest = raw.chars();
        while let Some(c) = rest.next() {
            match c {
                '0'..='9' => text.push(c as u8)?,
                '+' if text.len == 0 => text.push(b'+')?,
                // `+44 (0)20 ...` shows the trunk prefix that is left out when dialled from abroad.
                '(' if text.is_international() && rest.as_str().starts_with("0)") => {
                    rest.nth(1);
                }
                _ if is_punctuation(c) => {}
                _ => return None,
            }
        }
        text.as_str()
            .bytes()
            .any(|byte| byte.is_ascii_digit())
            .then_some(text)
    }

    /// Joins the parts, or gives `None` if they do not fit: then it is no phone number either.
    pub(super) fn of(parts: &[&str]) -> Option<Self> {
        let mut text = Self::EMPTY;
        for byte in parts.iter().flat_map(|part| part.bytes()) {
            text.push(byte)?;
        }
        Some(text)
    }

    fn push(&mut self, byte: u8) -> Option<()> {
        *self.bytes.get_mut(self.len)? = byte;
        self.len += 1;
        Some(())
    }

    /// Whether the text begins as an international number does.
    pub(super) fn is_international(&self) -> bool {
        let text = self.as_str();
        text.starts_with('+') || text.starts_with("00")
    }

    pub(super) fn as_str(&self) -> &str {
        // Only ASCII is ever pushed, so the fallback is never taken.
        std::str::from_utf8(&self.bytes[..self.len]).unwrap_or_default()
    }
}

fn is_punctuation(c: char) -> bool {
    let direction_mark =
        matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let dash = matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}');
    c.is_whitespace() || dash || direction_mark || matches!(c, '.' | '/' | '(' | ')' | '[' | ']')
}
