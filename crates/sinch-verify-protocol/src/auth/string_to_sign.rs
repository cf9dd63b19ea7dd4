//! The five lines that a signature covers.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest as _, Md5};
use subtle::ConstantTimeEq as _;

/// The string to sign, borrowed from its five parts.
///
/// Five lines joined by a single LF, with none at the end: the verb in upper
/// case, the body's MD5 in base64 (empty for an empty body), the content type
/// exactly as sent (empty for none), `x-timestamp:` and the header's value,
/// the path. The path is used as given: the caller decides whether it
/// has a leading slash or a query.
///
/// ```
/// use sinch_verify_protocol::auth::{ContentMd5, StringToSign};
///
/// let string = StringToSign {
///     verb: "POST",
///     content_md5: &ContentMd5::of(br#"{"message":"Hello world"}"#),
///     content_type: b"application/json",
///     timestamp: b"2014-06-04T13:41:58Z",
///     path: b"/v1/sms/+46700000000",
/// };
/// assert_eq!(
///     string.to_string(),
///     "POST\njANzQ+rgAHyf1MWQFSwvYw==\napplication/json\nx-timestamp:2014-06-04T13:41:58Z\n/v1/sms/+46700000000"
/// );
/// ```
#[derive(Clone, Copy)]
pub struct StringToSign<'a> {
    /// The HTTP method, upper case.
    pub verb: &'a str,
    /// The body's MD5.
    pub content_md5: &'a ContentMd5,
    /// The `Content-Type` header's value, or nothing.
    pub content_type: &'a [u8],
    /// The `x-timestamp` header's value.
    pub timestamp: &'a [u8],
    /// The path.
    pub path: &'a [u8],
}

/// Leaves out the path, which may hold a phone number.
impl fmt::Debug for StringToSign<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StringToSign")
            .field("verb", &self.verb)
            .finish_non_exhaustive()
    }
}

impl<'a> StringToSign<'a> {
    /// What the five lines are, in order: for those who show them.
    pub const LINES: [&'static str; 5] = ["verb", "body's MD5", "content type", "timestamp", "path"];

    /// The parts that make up the string, in order.
    pub(super) fn parts(&self) -> [&'a [u8]; 9] {
        [
            self.verb.as_bytes(),
            b"\n",
            self.content_md5.as_bytes(),
            b"\n",
            self.content_type,
            b"\nx-timestamp:",
            self.timestamp,
            b"\n",
            self.path,
        ]
    }

    /// The string as bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.parts().concat()
    }
}

/// For people: bytes that are not UTF-8 are replaced.
impl fmt::Display for StringToSign<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.to_bytes()))
    }
}

/// The second line of the string to sign: the body's MD5 in base64, or empty
/// for an empty body.
///
/// An empty body has an *empty* line; some validators put the MD5 of zero
/// bytes there, which is wrong.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ContentMd5 {
    text: [u8; 24],
    len: u8,
}

impl ContentMd5 {
    /// The line for an empty body.
    pub const EMPTY: Self = Self {
        text: [0; 24],
        len: 0,
    };

    /// The line for `body`.
    #[must_use]
    pub fn of(body: &[u8]) -> Self {
        if body.is_empty() {
            Self::EMPTY
        } else {
            Self::of_digest(&Md5::digest(body).into())
        }
    }

    fn of_digest(digest: &[u8; 16]) -> Self {
        let mut text = [0; 24];
        // 16 bytes are always 24 characters of padded base64, so this fits.
        let len = STANDARD.encode_slice(digest, &mut text).unwrap_or(0);
        Self { text, len: len as u8 }
    }

    /// The line as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Base64 is ASCII.
        std::str::from_utf8(self.as_bytes()).unwrap_or_default()
    }

    /// The line as bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.text.get(..self.len.into()).unwrap_or_default()
    }
}

impl fmt::Debug for ContentMd5 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

/// Hashes a body while it is read.
///
/// ```
/// use sinch_verify_protocol::auth::{BodyHasher, ContentMd5};
///
/// let mut hasher = BodyHasher::new();
/// hasher.update(b"{\"message\":");
/// hasher.update(b"\"Hello world\"}");
/// assert_eq!(hasher.finish(), ContentMd5::of(br#"{"message":"Hello world"}"#));
/// ```
#[derive(Clone, Default)]
pub struct BodyHasher {
    md5: Md5,
    any: bool,
}

impl BodyHasher {
    /// Starts with an empty body.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next part of the body.
    pub fn update(&mut self, part: &[u8]) {
        self.any |= !part.is_empty();
        self.md5.update(part);
    }

    /// The line for the whole body.
    #[must_use]
    pub fn finish(self) -> ContentMd5 {
        if self.any {
            ContentMd5::of_digest(&self.md5.finalize().into())
        } else {
            ContentMd5::EMPTY
        }
    }
}

impl fmt::Debug for BodyHasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BodyHasher")
    }
}

/// A signature: 32 bytes, 44 characters of base64 on the wire.
///
/// Two are compared in constant time, with [`Signature::matches`].
#[derive(Clone, Copy)]
pub struct Signature([u8; 32]);

impl Signature {
    /// The length of the text, in bytes.
    pub const TEXT_LEN: usize = 44;

    pub(super) fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Reads the base64 of a signature: canonical, padded, of 32 bytes.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        let mut bytes = [0; 33];
        if text.len() != Self::TEXT_LEN {
            return None;
        }
        let len = STANDARD.decode_slice(text, &mut bytes).ok()?;
        bytes.get(..len)?.try_into().ok().map(Self)
    }

    /// Whether the two are the same, in a time that does not depend on them.
    #[must_use]
    pub fn matches(&self, other: &Self) -> bool {
        // Four words rather than 32 bytes: each comparison is a barrier to the optimizer.
        let difference = |at: usize| self.word(at) ^ other.word(at);
        (difference(0) | difference(8) | difference(16) | difference(24))
            .ct_eq(&0)
            .into()
    }

    fn word(&self, at: usize) -> u64 {
        let mut word = [0; 8];
        word.copy_from_slice(&self.0[at..at + 8]);
        u64::from_ne_bytes(word)
    }

    /// The bytes, which are a fine key for remembering a signature.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The base64 text.
    #[must_use]
    pub fn to_text(&self) -> SignatureText {
        let mut text = [0; Self::TEXT_LEN];
        // 32 bytes are always 44 characters of padded base64, so this fits.
        let _ = STANDARD.encode_slice(self.0, &mut text);
        SignatureText(text)
    }
}

/// Redacted: a fresh signature authorizes a request.
impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signature([redacted])")
    }
}

/// The base64 text of a signature, in place.
#[derive(Clone, Copy)]
pub struct SignatureText([u8; Signature::TEXT_LEN]);

impl SignatureText {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Base64 is ASCII.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Debug for SignatureText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SignatureText([redacted])")
    }
}
