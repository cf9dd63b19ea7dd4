//! The everyday filters: one short literal, with a wildcard before it, after it, both or neither.

use super::line_end::has_line_end;

/// Room for two wildcards and the longest phone number.
const WORDS: usize = 3;

const WILDCARD: &str = "(.*)";

/// A filter of at most 24 bytes, kept as its own text: the literal is a slice of it.
///
/// Every field is made of whole words, because the struct is moved right after it is written: a
/// wide load over narrow stores stalls for as long as the whole search takes.
#[derive(Clone, Copy)]
pub(super) struct Short {
    text: [[u8; 8]; WORDS],
    len: usize,
    shape: Shape,
}

/// Where the wildcards are.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u64)]
enum Shape {
    Exact,
    StartsWith,
    EndsWith,
    Contains,
}

impl Short {
    /// `None` if the filter has another shape in the Android reading.
    #[inline]
    pub(super) fn android(filter: &str) -> Option<Self> {
        // Line ends are left to the general case: a wildcard does not cross them.
        Self::of(filter, |byte| {
            byte.is_ascii() && !matches!(byte, b'(' | b')' | b'\n' | b'\r')
        })
    }

    /// `None` if the filter has another shape as a regular expression, where a literal can be
    /// known for one only if it has letters and digits alone.
    pub(super) fn regex(filter: &str) -> Option<Self> {
        Self::of(filter, |byte| byte.is_ascii_alphanumeric())
    }

    #[inline]
    fn of(filter: &str, is_literal: impl Fn(u8) -> bool) -> Option<Self> {
        let text = words(filter.as_bytes())?;
        let (rest, leading) = match filter.strip_prefix(WILDCARD) {
            Some(rest) => (rest, true),
            None => (filter, false),
        };
        let (literal, trailing) = match rest.strip_suffix(WILDCARD) {
            Some(literal) => (literal, true),
            None => (rest, false),
        };
        let shape = match (leading, trailing) {
            (false, false) => Shape::Exact,
            (false, true) => Shape::StartsWith,
            (true, false) => Shape::EndsWith,
            (true, true) => Shape::Contains,
        };
        literal.bytes().all(is_literal).then_some(Self {
            text,
            len: filter.len(),
            shape,
        })
    }

    #[inline]
    pub(super) fn matches(&self, number: &str) -> bool {
        let (literal, bytes) = (self.literal(), number.as_bytes());
        let found = match self.shape {
            Shape::Exact => return bytes == literal,
            Shape::StartsWith => bytes.starts_with(literal),
            Shape::EndsWith => bytes.ends_with(literal),
            Shape::Contains => memchr::memmem::find(bytes, literal).is_some(),
        };
        // The literal has no line end, so one anywhere would be in a wildcard's part.
        found && !has_line_end(number)
    }

    pub(super) fn as_str(&self) -> &str {
        // The text was copied from a `str`, so the fallbacks are never taken.
        let text = self.text.as_flattened().get(..self.len);
        std::str::from_utf8(text.unwrap_or_default()).unwrap_or_default()
    }

    pub(super) fn is_wildcard(&self) -> bool {
        self.shape != Shape::Exact && self.literal().is_empty()
    }

    #[inline]
    fn literal(&self) -> &[u8] {
        let (before, after) = match self.shape {
            Shape::Exact => (0, 0),
            Shape::StartsWith => (0, WILDCARD.len()),
            Shape::EndsWith => (WILDCARD.len(), 0),
            Shape::Contains => (WILDCARD.len(), WILDCARD.len()),
        };
        let end = self.len.saturating_sub(after);
        let literal = self.text.as_flattened().get(before..end);
        literal.unwrap_or_default()
    }
}

/// The text in words, filled up with zero bytes; `None` if it does not fit.
#[inline]
fn words(text: &[u8]) -> Option<[[u8; 8]; WORDS]> {
    if text.len() > WORDS * 8 {
        return None;
    }
    Some(std::array::from_fn(|index| word(text, index * 8)))
}

/// Eight bytes of the text from `start` on, filled up with zero bytes.
#[inline]
fn word(text: &[u8], start: usize) -> [u8; 8] {
    let Some(rest) = text.get(start..) else {
        return [0; 8];
    };
    if let Some(whole) = rest.first_chunk::<8>() {
        return *whole;
    }
    let bits = match text.last_chunk::<8>() {
        _ if rest.is_empty() => 0,
        // The last eight bytes begin before `start`; what is too much is shifted out.
        Some(last) => u64::from_le_bytes(*last) >> (8 * (8 - rest.len())),
        None => rest
            .iter()
            .rev()
            .fold(0, |bits, byte| bits << 8 | u64::from(*byte)),
    };
    bits.to_le_bytes()
}
