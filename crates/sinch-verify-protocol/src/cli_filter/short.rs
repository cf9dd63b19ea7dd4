//! The everyday filters: one short literal, with a wildcard before it, after it, both or neither.

use super::line_end::has_line_end;

/// Enough for two wildcards and the longest phone number; makes a `CliFilter` 40 bytes.
const CAPACITY: usize = 28;

const WILDCARD: &str = "(.*)";

/// A filter of at most [`CAPACITY`] bytes, kept as its own text: the literal is a slice of it.
#[derive(Clone, Copy)]
pub(super) struct Short {
    text: [u8; CAPACITY],
    len: u8,
    leading: bool,
    trailing: bool,
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
        let mut text = [0; CAPACITY];
        text.get_mut(..filter.len())?.copy_from_slice(filter.as_bytes());
        let (rest, leading) = match filter.strip_prefix(WILDCARD) {
            Some(rest) => (rest, true),
            None => (filter, false),
        };
        let (literal, trailing) = match rest.strip_suffix(WILDCARD) {
            Some(literal) => (literal, true),
            None => (rest, false),
        };
        let fits = literal.bytes().all(is_literal);
        fits.then_some(Self {
            text,
            len: u8::try_from(filter.len()).ok()?,
            leading,
            trailing,
        })
    }

    #[inline]
    pub(super) fn matches(&self, number: &str) -> bool {
        let (literal, number_bytes) = (self.literal(), number.as_bytes());
        let found = match (self.leading, self.trailing) {
            (false, false) => return number_bytes == literal,
            (true, true) => memchr::memmem::find(number_bytes, literal).is_some(),
            (true, false) => number_bytes.ends_with(literal),
            (false, true) => number_bytes.starts_with(literal),
        };
        // The literal has no line end, so one anywhere would be in a wildcard's part.
        found && !has_line_end(number)
    }

    pub(super) fn as_str(&self) -> &str {
        // The text was copied from a `str`, so the fallback is never taken.
        std::str::from_utf8(&self.text[..usize::from(self.len)]).unwrap_or_default()
    }

    pub(super) fn is_wildcard(&self) -> bool {
        (self.leading || self.trailing) && self.literal().is_empty()
    }

    #[inline]
    fn literal(&self) -> &[u8] {
        let start = if self.leading { WILDCARD.len() } else { 0 };
        let cut = if self.trailing { WILDCARD.len() } else { 0 };
        let end = usize::from(self.len).saturating_sub(cut);
        self.text.get(start..end).unwrap_or_default()
    }
}
