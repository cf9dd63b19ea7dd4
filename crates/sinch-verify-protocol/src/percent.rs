//! Percent-encoding of one path segment, and back.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// All but the unreserved characters and `+`, which every SDK sends as it is.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'+');

/// Appends `text` to `path` as one segment.
pub(crate) fn push_segment(path: &mut String, text: &str) {
    path.push('/');
    path.extend(utf8_percent_encode(text, ESCAPED));
}

/// Decodes `%XX` escapes; `None` where an escape is broken or the result is
/// not UTF-8.
pub(crate) fn decode(text: &str) -> Option<Cow<'_, str>> {
    let is_escape = |after: &str| after.bytes().take(2).filter(u8::is_ascii_hexdigit).count() == 2;
    let is_whole = text.split('%').skip(1).all(is_escape);
    is_whole.then(|| percent_decode_str(text).decode_utf8().ok())?
}
