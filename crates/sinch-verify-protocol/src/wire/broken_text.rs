//! Text that is not valid Unicode, in fields that no verdict depends on.

use std::borrow::Cow;
use std::ops::Range;

/// `body` with U+FFFD in place of what is not Unicode, and the top-level fields in which that was; `None`
/// where nothing is broken, or something is in a field that is not `free`.
///
/// Fields are found by their quotes and brackets alone, because no JSON reader takes such a body.
pub(super) fn mended(body: &[u8], free: impl Fn(&str) -> bool) -> Option<(Vec<u8>, Vec<String>)> {
    let (mut out, mut fields) = (Vec::with_capacity(body.len() + 16), Vec::new());
    let mut written = 0;
    for Field { key, value } in fields_of(body) {
        let text = mend(&body[value.clone()]);
        let Cow::Owned(text) = text else { continue };
        let key = serde_json::from_slice::<String>(&body[key]).ok()?;
        if !free(&key) {
            return None;
        }
        out.extend_from_slice(&body[written..value.start]);
        out.extend(text);
        written = value.end;
        fields.push(key);
    }
    out.extend_from_slice(&body[written..]);
    (!fields.is_empty()).then_some((out, fields))
}

/// A field of the document: where its key, with the quotes, and its value stand.
struct Field {
    key: Range<usize>,
    value: Range<usize>,
}

fn fields_of(body: &[u8]) -> Vec<Field> {
    let mut fields = Vec::new();
    let (mut depth, mut at) = (0_usize, 0);
    let mut key = None;
    let mut value_start = None;
    while let Some(byte) = body.get(at) {
        match byte {
            b'"' => {
                let end = end_of_string(body, at);
                if depth == 1 && value_start.is_none() {
                    key = Some(at..end);
                }
                at = end;
                continue;
            }
            b'{' | b'[' => depth += 1,
            b':' if depth == 1 => value_start = Some(at + 1),
            b',' | b'}' if depth == 1 => {
                if let (Some(key), Some(start)) = (key.take(), value_start.take()) {
                    fields.push(Field {
                        key,
                        value: start..at,
                    });
                }
                depth -= usize::from(*byte == b'}');
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        at += 1;
    }
    fields
}

/// Where the string that begins at `start` ends, behind its closing quote.
fn end_of_string(body: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(byte) = body.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    body.len()
}

/// A value without broken UTF-8 and without halves of surrogate pairs.
fn mend(value: &[u8]) -> Cow<'_, [u8]> {
    let text = match String::from_utf8_lossy(value) {
        Cow::Borrowed(_) => Cow::Borrowed(value),
        Cow::Owned(text) => Cow::Owned(text.into_bytes()),
    };
    let halves = halves_of_pairs(&text);
    if halves.is_empty() {
        return text;
    }
    let mut out = text.into_owned();
    for at in halves {
        out[at..at + 4].copy_from_slice(b"fffd");
    }
    Cow::Owned(out)
}

/// Where the four digits of an escape are that is half of a surrogate pair.
fn halves_of_pairs(value: &[u8]) -> Vec<usize> {
    let mut halves = Vec::new();
    let mut at = 0;
    while let Some(backslash) = memchr::memchr(b'\\', value.get(at..).unwrap_or_default()) {
        let escape = at + backslash;
        at = escape + 2;
        match unit(value, escape) {
            Some(0xD800..=0xDBFF) if matches!(unit(value, escape + 6), Some(0xDC00..=0xDFFF)) => {
                at = escape + 12;
            }
            Some(0xD800..=0xDFFF) => halves.push(escape + 2),
            _ => {}
        }
    }
    halves
}

/// The UTF-16 unit of the escape `\uXXXX` that stands at `at`.
fn unit(value: &[u8], at: usize) -> Option<u16> {
    let digits = value.get(at..at + 6)?.strip_prefix(b"\\u")?;
    let all_hex = digits.iter().all(u8::is_ascii_hexdigit);
    let digits = std::str::from_utf8(digits).ok().filter(|_| all_hex)?;
    u16::from_str_radix(digits, 16).ok()
}
