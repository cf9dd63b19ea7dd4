//! Why a signature does not match: tries the known mistakes.

mod body;
mod mistake;

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use md5::{Digest as _, Md5};

use super::key::ApplicationKey;
use super::secret::ApplicationSecret;
use super::sign::Signer;
use super::string_to_sign::{ContentMd5, Signature, StringToSign};
use super::verify::SignedMessage;

pub use mistake::{BodyForm, Mistake};

/// A message whose signature is to be explained. Unlike for verifying, the
/// whole body and the secret are needed.
///
/// This is a tool for the desk: it says what a forger would like to hear.
///
/// ```
/// use sinch_verify_protocol::auth::{ContentMd5, Explain, Finding, Mistake, SignedMessage, Signer, StringToSign};
/// use sinch_verify_protocol::{ApplicationKey, ApplicationSecret};
///
/// let secret = ApplicationSecret::new("BeIukql3pTKJ8RGL5zo0DA==")?;
/// let body = br#"{"method":"sms"}"#;
/// let md5 = ContentMd5::of(body);
/// let sent = SignedMessage {
///     verb: "POST",
///     path_and_query: "/verification/v1/verifications",
///     content_type: b"application/json; charset=utf-8",
///     timestamp: b"2026-01-02T03:04:05.067Z",
///     content_md5: &md5,
/// };
/// // The sender signed the content type that it set, its HTTP client sent another.
/// let signature = Signer::new(ApplicationKey::new("key")?, &secret).signature(&StringToSign {
///     verb: "POST",
///     content_md5: &md5,
///     content_type: b"application/json",
///     timestamp: sent.timestamp,
///     path: b"/verification/v1/verifications",
/// });
/// let explain = Explain { message: &sent, body, host: None, secret: &secret };
/// let Finding::Mistake { mistake: Mistake::ContentType { signed }, .. } = explain.signature(&signature) else {
///     panic!("not found");
/// };
/// assert_eq!(signed, "application/json");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy)]
pub struct Explain<'a> {
    /// The message as received.
    pub message: &'a SignedMessage<'a>,
    /// Its body. Of one larger than [`Explain::MAX_BODY`] no other form is tried.
    pub body: &'a [u8],
    /// Its `Host` header, if there is one: some senders sign it with the path.
    pub host: Option<&'a str>,
    /// The application's secret.
    pub secret: &'a ApplicationSecret,
}

/// Shows no more than the message's.
impl fmt::Debug for Explain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Explain")
            .field("message", &self.message)
            .finish_non_exhaustive()
    }
}

/// The result of the search.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finding {
    /// The signature is right.
    Right,
    /// A known mistake gives this signature.
    Mistake {
        /// The mistake.
        mistake: Mistake,
        /// The string that the sender signed.
        signed: Vec<u8>,
    },
    /// No known mistake gives it: another secret, or other bytes than came.
    Unknown {
        /// The string that should have been signed.
        expected: Vec<u8>,
    },
}

/// The host of the service, for those who sign its whole address and send to another.
const SERVICE: &str = "verification.api.sinch.com";

impl Explain<'_> {
    /// The largest body of which other forms are tried, in bytes: as large as the service's requests may be.
    pub const MAX_BODY: usize = 64 * 1024;

    /// Looks for the mistake that gives `signature`.
    ///
    /// About 120 strings are tried at most, each with the secret decoded and as text.
    #[must_use]
    pub fn signature(&self, signature: &Signature) -> Finding {
        let expected = self.lines();
        let joined = expected.join(&b'\n');
        let decoded = self.signer(self.secret.expose_bytes());
        if decoded.signature_of(&[&joined]).matches(signature) {
            return Finding::Right;
        }
        let undecoded = self.signer(self.secret.expose_text().as_bytes());
        if undecoded.signature_of(&[&joined]).matches(signature) {
            return Finding::Mistake {
                mistake: Mistake::UndecodedSecret,
                signed: joined,
            };
        }
        let mut search = Search {
            expected,
            // With the text of the secret as well: some senders make that mistake and another.
            signers: [decoded, undecoded],
            signature,
            found: None,
        };
        self.try_lines(&mut search);
        self.try_joins(&mut search);
        self.try_body_forms(&mut search);
        match search.found {
            Some((mistake, signed)) => Finding::Mistake { mistake, signed },
            None => Finding::Unknown { expected: joined },
        }
    }

    /// Looks for the mistake that gives the signature whose text is this, as it stands in the
    /// `Authorization` header. It may be of a form that [`Signature::parse`] refuses.
    ///
    /// A wrong form alone is found by name; beside another mistake, that one is.
    #[must_use]
    pub fn signature_text(&self, text: &[u8]) -> Finding {
        if let Some(signature) = Signature::parse(text) {
            return self.signature(&signature);
        }
        let expected = || self.lines().join(&b'\n');
        let Some((signature, mistake)) = in_another_form(text) else {
            return Finding::Unknown { expected: expected() };
        };
        match self.signature(&signature) {
            Finding::Right => Finding::Mistake {
                mistake,
                signed: expected(),
            },
            other => other,
        }
    }

    /// The first line in which `theirs`, a sender's own string, differs from
    /// the string that should have been signed.
    #[must_use]
    pub fn difference(&self, theirs: &[u8]) -> Option<LineDifference> {
        let ours = self.lines();
        let theirs: Vec<&[u8]> = theirs.split(|byte| *byte == b'\n').collect();
        let text = |line: Option<&[u8]>| line.map(|line| String::from_utf8_lossy(line).into_owned());
        (0..ours.len().max(theirs.len())).find_map(|at| {
            let (expected, given) = (ours.get(at).map(Vec::as_slice), theirs.get(at).copied());
            (expected != given).then(|| LineDifference {
                line: StringToSign::LINES.get(at).copied().unwrap_or("a line too many"),
                expected: text(expected),
                given: text(given),
            })
        })
    }

    fn signer(&self, secret: &[u8]) -> Signer {
        Signer::with_key_bytes(ApplicationKey::placeholder(), secret)
    }

    /// The five lines that should have been signed.
    fn lines(&self) -> Vec<Vec<u8>> {
        let string = self.message.string_to_sign();
        string
            .to_bytes()
            .splitn(StringToSign::LINES.len(), |byte| *byte == b'\n')
            .map(<[u8]>::to_vec)
            .collect()
    }

    /// Tries the mistakes that are made in one line.
    fn try_lines(&self, search: &mut Search<'_>) {
        for signed in self.content_types() {
            search.line(2, signed.clone().into_bytes(), Mistake::ContentType { signed });
        }
        let path = self.message.path();
        if let Some(decoded) = crate::percent::decode(path) {
            search.line(4, decoded.into_owned().into_bytes(), Mistake::DecodedPath);
        }
        for encoded in encoded_forms(path) {
            search.line(4, encoded.into_bytes(), Mistake::EncodedPath);
        }
        let slash = match path.strip_suffix('/') {
            Some(without) => without.to_owned(),
            None => format!("{path}/"),
        };
        search.line(4, slash.into_bytes(), Mistake::TrailingSlash);
        for host in self.host.into_iter().chain([SERVICE]) {
            for scheme in ["https", "http"] {
                for path in [path, self.message.path_and_query] {
                    let url = format!("{scheme}://{host}{path}");
                    search.line(4, url.into_bytes(), Mistake::FullUrl);
                }
            }
        }
        search.line(
            4,
            self.message.path_and_query.as_bytes().to_vec(),
            Mistake::WithQuery,
        );
        search.line(
            4,
            path.trim_start_matches('/').as_bytes().to_vec(),
            Mistake::NoLeadingSlash,
        );
        if self.body.is_empty() {
            search.line(
                1,
                STANDARD.encode(Md5::digest(b"")).into_bytes(),
                Mistake::Md5OfNothing,
            );
        } else {
            search.line(1, Vec::new(), Mistake::NoMd5);
            let hex: String = Md5::digest(self.body)
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect();
            search.line(1, hex.into_bytes(), Mistake::HexMd5);
        }
        let stamp = self.message.timestamp;
        search.line(
            3,
            [b"x-timestamp:x-timestamp:", stamp].concat(),
            Mistake::DoubledTimestampName,
        );
        search.line(3, stamp.to_vec(), Mistake::NoTimestampName);
        search.line(3, [b"X-Timestamp:", stamp].concat(), Mistake::TimestampNameCase);
        for name in [&b"x-timestamp: "[..], b"X-Timestamp: "] {
            search.line(3, [name, stamp].concat(), Mistake::TimestampBlank);
        }
        search.line(
            0,
            self.message.verb.to_ascii_lowercase().into_bytes(),
            Mistake::LowerCaseVerb,
        );
        for signed in ["GET", "POST", "PUT", "PATCH"] {
            search.line(0, signed.as_bytes().to_vec(), Mistake::Verb { signed });
        }
        let trimmed = self.body.trim_ascii_end();
        for body in [
            trimmed.to_vec(),
            [trimmed, b"\n"].concat(),
            [trimmed, b"\r\n"].concat(),
        ] {
            search.line(1, ContentMd5::of(&body).as_bytes().to_vec(), Mistake::BodyLineEnd);
        }
    }

    /// Tries other ends of lines.
    fn try_joins(&self, search: &mut Search<'_>) {
        let joined = |end: &[u8]| search.expected.join(end);
        let (lf, crlf) = (joined(b"\n"), joined(b"\r\n"));
        let tries = [
            (Mistake::LiteralLineEnds, joined(b"\\n")),
            (Mistake::TrailingLineEnd, [&*lf, b"\n"].concat()),
            (Mistake::TrailingLineEnd, [&*crlf, b"\r\n"].concat()),
            (Mistake::CrLf, crlf),
        ];
        for (mistake, signed) in tries {
            search.string(mistake, signed);
        }
    }

    /// Tries other forms of the body.
    fn try_body_forms(&self, search: &mut Search<'_>) {
        if self.body.len() > Self::MAX_BODY {
            return;
        }
        for (signed, body) in body::forms(self.body) {
            if search.found.is_some() {
                return;
            }
            let md5 = ContentMd5::of(&body).as_bytes().to_vec();
            search.line(1, md5, Mistake::BodyForm { signed });
        }
    }

    /// The spellings of the content type that senders sign.
    fn content_types(&self) -> Vec<String> {
        let sent = String::from_utf8_lossy(self.message.content_type).into_owned();
        let bare = sent.split(';').next().unwrap_or_default().trim().to_owned();
        let bare = if bare.is_empty() {
            "application/json".to_owned()
        } else {
            bare
        };
        let mut forms = vec![
            bare.clone(),
            String::new(),
            "null".to_owned(),
            "application/json".to_owned(),
        ];
        for charset in ["utf-8", "UTF-8"] {
            forms.push(format!("{bare}; charset={charset}"));
            forms.push(format!("{bare};charset={charset}"));
        }
        forms.push(sent.to_ascii_lowercase());
        forms
    }
}

/// A search for the string that was signed.
struct Search<'a> {
    /// The five lines that should have been signed.
    expected: Vec<Vec<u8>>,
    signers: [Signer; 2],
    signature: &'a Signature,
    found: Option<(Mistake, Vec<u8>)>,
}

impl Search<'_> {
    /// Tries another text in one line.
    fn line(&mut self, at: usize, text: Vec<u8>, mistake: Mistake) {
        let mut lines = self.expected.clone();
        if let Some(line) = lines.get_mut(at).filter(|line| **line != text) {
            *line = text;
            self.string(mistake, lines.join(&b'\n'));
        }
    }

    fn string(&mut self, mistake: Mistake, signed: Vec<u8>) {
        let gives_it = |signer: &Signer| signer.signature_of(&[&signed]).matches(self.signature);
        if self.found.is_none() && self.signers.iter().any(gives_it) {
            self.found = Some((mistake, signed));
        }
    }
}

/// A signature in hexadecimal, in url-safe base64, or without padding.
fn in_another_form(text: &[u8]) -> Option<(Signature, Mistake)> {
    let signature = |bytes: Vec<u8>| bytes.try_into().ok().map(Signature::new);
    if let Some(signature) = from_hex(text).and_then(signature) {
        return Some((signature, Mistake::HexSignature));
    }
    let forms = [
        (STANDARD_NO_PAD, Mistake::UnpaddedSignature),
        (URL_SAFE, Mistake::UrlSafeSignature),
        (URL_SAFE_NO_PAD, Mistake::UrlSafeSignature),
    ];
    forms.into_iter().find_map(|(form, mistake)| {
        let bytes = form.decode(text).ok()?;
        Some((signature(bytes)?, mistake))
    })
}

fn from_hex(text: &[u8]) -> Option<Vec<u8>> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    let (pairs, []) = text.as_chunks::<2>() else {
        return None;
    };
    let byte = |[high, low]: &[u8; 2]| u8::try_from(digit(high)? * 16 + digit(low)?).ok();
    pairs.iter().map(byte).collect()
}

/// The forms of `path` that have more of it percent-encoded.
fn encoded_forms(path: &str) -> Vec<String> {
    vec![
        path.replace('+', "%2B"),
        path.replace('+', "%2b"),
        path.replace(' ', "%20"),
        path.replace(':', "%3A"),
    ]
}

/// The first line that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LineDifference {
    /// Which line.
    pub line: &'static str,
    /// What it should be; `None` past the last line.
    pub expected: Option<String>,
    /// What the sender has; `None` past its last line.
    pub given: Option<String>,
}

impl fmt::Display for LineDifference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |line: &Option<String>| {
            line.as_ref()
                .map_or_else(|| "nothing".to_owned(), |line| format!("{line:?}"))
        };
        write!(
            f,
            "{}: expected {}, given {}",
            self.line,
            text(&self.expected),
            text(&self.given)
        )
    }
}
