//! JSON bodies: read, with the path of what is wrong; and written as an answer.

use std::fmt;

use serde::Deserialize;

use crate::untrusted::{escape, hide_words, is_control};

/// A body is not the JSON that was expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonError {
    /// Where, such as `identity.endpoint`; `.` is the document.
    pub path: String,
    /// What was wrong there.
    pub message: String,
    /// The start of the body; digits, long words and values are masked.
    pub sample: String,
}

impl JsonError {
    pub(crate) fn new(path: &str, message: impl Into<String>, body: &[u8]) -> Self {
        Self {
            path: path.to_owned(),
            message: message.into(),
            sample: sample(body),
        }
    }
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "JSON at `{}`: {}", escape(&self.path), escape(&self.message))
    }
}

impl std::error::Error for JsonError {}

/// The character U+FEFF in UTF-8, which some editors and libraries put before a document.
pub(crate) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// `document` without one byte order mark before it, which JSON allows readers to skip.
#[must_use]
pub fn without_byte_order_mark(document: &[u8]) -> &[u8] {
    document.strip_prefix(BYTE_ORDER_MARK).unwrap_or(document)
}

/// Reads one JSON document. A second, slower pass reads what is not UTF-8, and finds the path to a fault.
pub(crate) fn decode<'de, T: Deserialize<'de>>(body: &'de [u8]) -> Result<T, JsonError> {
    let document = without_byte_order_mark(body);
    // UTF-8 is checked once, and not again for each key and each text.
    let text = std::str::from_utf8(document).ok();
    match text.and_then(|text| serde_json::from_str(text).ok()) {
        Some(value) => Ok(value),
        None => decode_with_path(document),
    }
}

#[cold]
fn decode_with_path<'de, T: Deserialize<'de>>(body: &'de [u8]) -> Result<T, JsonError> {
    if body.trim_ascii().is_empty() {
        let message = "the body is empty, a JSON object was expected";
        return Err(JsonError::new(".", message, body));
    }
    if is_utf16(body) {
        return Err(JsonError::new(".", "the body is UTF-16; send it as UTF-8", body));
    }
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let decoded = serde_path_to_error::deserialize::<_, T>(&mut deserializer);
    Err(match decoded {
        Ok(value) => match deserializer.end() {
            Ok(()) => return Ok(value),
            Err(behind) => JsonError::new(".", clean(&behind), body),
        },
        Err(slow) => {
            // A document that breaks off has an unknown last step, shown as `?`.
            let path = slow.path().to_string();
            let mut path = match path.trim_end_matches('?').trim_end_matches('.') {
                "" => ".".to_owned(),
                known => known.to_owned(),
            };
            let message = clean(slow.inner());
            // serde reports a missing field at its parent; the field is the place to look.
            if let Some(field) = message
                .strip_prefix("missing field `")
                .and_then(|rest| rest.strip_suffix('`'))
            {
                path = if path == "." {
                    field.to_owned()
                } else {
                    format!("{path}.{field}")
                };
            }
            JsonError::new(&path, message, body)
        }
    })
}

/// Whether `document` is JSON in UTF-16: it begins with the mark of that, or with an ASCII character and
/// a zero byte.
#[must_use]
pub fn is_utf16(document: &[u8]) -> bool {
    matches!(
        document,
        [0xFE, 0xFF, ..] | [0xFF, 0xFE, ..] | [0, _, ..] | [_, 0, ..]
    )
}

/// The message without serde_json's ` at line 1 column 20`, and without the
/// value that serde did not like: it may be a number or a code.
fn clean(error: &serde_json::Error) -> String {
    let mut text = error.to_string();
    if let Some(at) = text.rfind(" at line ").filter(|_| error.line() > 0) {
        text.truncate(at);
    }
    if text.starts_with("invalid type: ") || text.starts_with("invalid value: ") {
        let expected = text.rfind(", expected ").map_or("", |at| &text[at..]);
        let value = text.find(['`', '"']).unwrap_or(text.len());
        return format!(
            "{}{expected}",
            text[..value.min(text.len() - expected.len())].trim_end()
        );
    }
    text
}

/// The first characters of a body, fit for a log: the shape of it, on one line, with every letter and
/// digit of a value masked. What stands before a colon is a key; a page that is no JSON keeps its words,
/// unless they are as long as credentials, and loses its digits.
pub(crate) fn sample(body: &[u8]) -> String {
    const LENGTH: usize = 120;
    // Words are hidden before the text is cut: the beginning of a secret is no word to recognise.
    let head = String::from_utf8_lossy(&body[..body.len().min(LENGTH * 10)]);
    let head: String = hide_words(&head, |word| word.len() >= 16)
        .chars()
        .take(LENGTH)
        .collect();
    let json = head.trim_start().starts_with(['{', '[', '"']);
    let mut inside = false;
    let mut out = String::with_capacity(head.len());
    for (at, c) in head.char_indices() {
        if c == '"' && !head[..at].ends_with('\\') {
            inside = !inside;
        }
        let is_key = || {
            let closing = head[at..].find('"').map(|end| at + end + 1);
            closing.is_some_and(|end| head[end..].trim_start().starts_with(':'))
        };
        out.push(match c {
            c if is_control(c) => ' ',
            c if c.is_numeric() => '#',
            c if json && inside && c.is_alphanumeric() && !is_key() => 'x',
            c => c,
        });
    }
    out
}

/// An answer with this body.
#[cfg(feature = "server")]
pub(crate) fn response<T: serde::Serialize>(
    status: http::StatusCode,
    body: &T,
) -> http::Response<bytes::Bytes> {
    use http::header::{CONTENT_TYPE, HeaderValue};

    // As much as nearly every answer fits into, so that it does not grow on the way.
    let mut text = Vec::with_capacity(768);
    let (status, text) = match serde_json::to_writer(&mut text, body) {
        Ok(()) => (status, text),
        // Our own types always encode; if one ever does not, the caller must not hang.
        Err(_) => (
            http::StatusCode::INTERNAL_SERVER_ERROR,
            br#"{"errorCode":50000,"message":"Internal server error."}"#.to_vec(),
        ),
    };
    let mut response = http::Response::new(text.into());
    *response.status_mut() = status;
    response.headers_mut().insert(
        CONTENT_TYPE,
        HeaderValue::from_static("application/json; charset=utf-8"),
    );
    response
}
