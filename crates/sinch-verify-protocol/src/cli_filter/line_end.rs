//! The line ends that `.` stops at.
//!
//! The SDKs run on Java's regex engine, where `.` excludes LF, CR, U+0085, U+2028 and U+2029.
//! Rust's `.` excludes LF alone, which would let a CR into a code.

/// Where the first line end at or after byte `from` begins, or the length of the text.
pub(crate) fn next_line_end(text: &str, from: usize) -> usize {
    let rest = text.get(from..).unwrap_or_default();
    // Every line end begins with one of these bytes, so nothing before the first is decoded.
    let begins = |byte| matches!(byte, b'\n' | b'\r' | 0xC2 | 0xE2);
    let Some(first) = rest.bytes().position(begins) else {
        return text.len();
    };
    let from = from + first;
    let rest = text.get(from..).unwrap_or_default();
    rest.find(is_line_end).map_or(text.len(), |at| from + at)
}

/// Whether the character is a line end.
pub(crate) const fn is_line_end(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}
