//! The line ends that `.` stops at.
//!
//! The SDKs run on Java's regex engine, where `.` excludes LF, CR, U+0085, U+2028 and U+2029.
//! Rust's `.` excludes LF alone, which would let a CR into a code.

/// Where the first line end at or after byte `from` begins, or the length of the text.
pub(crate) fn next_line_end(text: &str, from: usize) -> usize {
    let bytes = text.as_bytes();
    let mut at = from;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\n' | b'\r' => return at,
            0xC2 if bytes.get(at + 1) == Some(&0x85) => return at,
            0xE2 if is_separator(bytes.get(at + 1..at + 3)) => return at,
            _ => at += 1,
        }
    }
    text.len()
}

/// Whether the character is a line end.
pub(crate) const fn is_line_end(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Whether the text holds any line end.
#[inline]
pub(crate) fn has_line_end(text: &str) -> bool {
    // A caller id is short and has none of these bytes, so a plain pass over it settles nearly
    // every case without a branch per byte.
    let suspicious = text
        .bytes()
        .fold(false, |seen, b| seen | (b == b'\n') | (b == b'\r') | (b >= 0x80));
    suspicious && next_line_end(text, 0) < text.len()
}

/// U+2028 is E2 80 A8 and U+2029 is E2 80 A9.
fn is_separator(rest: Option<&[u8]>) -> bool {
    matches!(rest, Some([0x80, 0xA8 | 0xA9]))
}
