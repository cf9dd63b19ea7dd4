//! Percent-encoding of one path segment, and back.

use std::borrow::Cow;

/// Appends `text` to `path` as one segment: everything but unreserved
/// characters and `+` is percent-encoded. `+` stays literal, as every SDK
/// sends it.
pub(crate) fn push_segment(path: &mut String, text: &str) {
    path.push('/');
    let is_literal =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+');
    // What ids, numbers and methods are made of.
    if text.bytes().all(is_literal) {
        path.push_str(text);
        return;
    }
    for byte in text.bytes() {
        if is_literal(byte) {
            path.push(byte.into());
        } else {
            path.push('%');
            for nibble in [byte >> 4, byte & 15] {
                path.push(
                    char::from_digit(nibble.into(), 16)
                        .unwrap_or('0')
                        .to_ascii_uppercase(),
                );
            }
        }
    }
}

/// Decodes `%XX` escapes; `None` where an escape is broken or the result is
/// not UTF-8.
pub(crate) fn decode(text: &str) -> Option<Cow<'_, str>> {
    if memchr::memchr(b'%', text.as_bytes()).is_none() {
        return Some(Cow::Borrowed(text));
    }
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let mut nibble = || char::from(bytes.next()?).to_digit(16);
            let value = nibble()? * 16 + nibble()?;
            out.push(u8::try_from(value).ok()?);
        } else {
            out.push(byte);
        }
    }
    String::from_utf8(out).ok().map(Cow::Owned)
}
