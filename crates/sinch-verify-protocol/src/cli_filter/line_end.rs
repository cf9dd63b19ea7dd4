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
    // A caller id is printable ASCII, which eight bytes at a time settle without a branch each.
    may_have_line_end(text.as_bytes()) && next_line_end(text, 0) < text.len()
}

/// Whether any byte is a control character or not ASCII; sometimes also says so in vain.
#[inline]
fn may_have_line_end(bytes: &[u8]) -> bool {
    const HIGH: u64 = u64::from_ne_bytes([0x80; 8]);
    const SPACE: u64 = u64::from_ne_bytes([b' '; 8]);

    // The subtraction sets the high bit of a byte below the space; a borrow from there can only
    // set more of them.
    let suspicious = |word: u64| (word.wrapping_sub(SPACE) | word) & HIGH;
    let (words, rest) = bytes.as_chunks::<8>();
    let seen = words
        .iter()
        .fold(0, |seen, word| seen | suspicious(u64::from_ne_bytes(*word)));
    match bytes.last_chunk::<8>() {
        // The last eight bytes cover the rest, and some of the words once more.
        Some(last) => (seen | suspicious(u64::from_ne_bytes(*last))) != 0,
        None => rest.iter().any(|byte| !(b' '..0x80).contains(byte)),
    }
}

/// U+2028 is E2 80 A8 and U+2029 is E2 80 A9.
fn is_separator(rest: Option<&[u8]>) -> bool {
    matches!(rest, Some([0x80, 0xA8 | 0xA9]))
}
