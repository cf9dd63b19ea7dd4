//! Why a signature does not match: tries the known mistakes.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest as _, Md5};

use super::sign::Signer;
use super::string_to_sign::{ContentMd5, Signature, StringToSign};
use super::verify::SignedMessage;
use super::{ApplicationKey, ApplicationSecret};

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
/// let explain = Explain { message: &sent, body, secret: &secret };
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
    /// Its body.
    pub body: &'a [u8],
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

/// A mistake that senders of signed messages make.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mistake {
    /// Another content type was signed than sent: often only its charset.
    ContentType {
        /// The one that was signed.
        signed: String,
    },
    /// The percent-decoded path was signed.
    DecodedPath,
    /// The path was signed with more characters percent-encoded than sent.
    EncodedPath,
    /// The query was signed too.
    WithQuery,
    /// The path was signed without its leading slash.
    NoLeadingSlash,
    /// The MD5 of zero bytes was signed for an empty body.
    Md5OfNothing,
    /// The MD5 line was left empty though there is a body.
    NoMd5,
    /// The MD5 was signed in hexadecimal.
    HexMd5,
    /// The lines were joined with CRLF.
    CrLf,
    /// There was a line end behind the last line.
    TrailingLineEnd,
    /// The secret was used as text, not base64-decoded.
    UndecodedSecret,
    /// The timestamp's value was signed with `x-timestamp:` before it twice.
    DoubledTimestampName,
    /// The timestamp line was signed without its name.
    NoTimestampName,
    /// The name of the timestamp was not in lower case.
    TimestampNameCase,
    /// The verb was signed in lower case.
    LowerCaseVerb,
    /// Another verb was signed than sent.
    Verb {
        /// The one that was signed.
        signed: &'static str,
    },
    /// The body was signed with a line end behind it, or without the one it has.
    BodyLineEnd,
}

impl Mistake {
    /// A name for programs, in lower case with hyphens.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::ContentType { .. } => "content-type",
            Self::DecodedPath => "decoded-path",
            Self::EncodedPath => "encoded-path",
            Self::WithQuery => "with-query",
            Self::NoLeadingSlash => "no-leading-slash",
            Self::Md5OfNothing => "md5-of-nothing",
            Self::NoMd5 => "no-md5",
            Self::HexMd5 => "hex-md5",
            Self::CrLf => "crlf",
            Self::TrailingLineEnd => "trailing-line-end",
            Self::UndecodedSecret => "undecoded-secret",
            Self::DoubledTimestampName => "doubled-timestamp-name",
            Self::NoTimestampName => "no-timestamp-name",
            Self::TimestampNameCase => "timestamp-name-case",
            Self::LowerCaseVerb => "lower-case-verb",
            Self::Verb { .. } => "verb",
            Self::BodyLineEnd => "body-line-end",
        }
    }
}

impl Explain<'_> {
    /// Looks for the mistake that gives `signature`.
    #[must_use]
    pub fn signature(&self, signature: &Signature) -> Finding {
        let decoded = self.signer(self.secret.expose_bytes());
        let expected = self.lines();
        if decoded.signature_of(&[&expected.join(&b'\n')]).matches(signature) {
            return Finding::Right;
        }
        let undecoded = self.signer(self.secret.expose_text().as_bytes());
        if undecoded
            .signature_of(&[&expected.join(&b'\n')])
            .matches(signature)
        {
            return Finding::Mistake {
                mistake: Mistake::UndecodedSecret,
                signed: expected.join(&b'\n'),
            };
        }
        // With the text of the secret as well: some senders make that mistake and another.
        for signer in [&decoded, &undecoded] {
            for (mistake, signed) in self.candidates(&expected) {
                if signer.signature_of(&[&signed]).matches(signature) {
                    return Finding::Mistake { mistake, signed };
                }
            }
        }
        Finding::Unknown {
            expected: expected.join(&b'\n'),
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

    /// Every known mistake with the string it leads to.
    fn candidates(&self, expected: &[Vec<u8>]) -> Vec<(Mistake, Vec<u8>)> {
        let mut out = Vec::new();
        let mut with = |line: usize, text: Vec<u8>, mistake: Mistake| {
            let mut lines = expected.to_vec();
            if let Some(place) = lines.get_mut(line).filter(|place| **place != text) {
                *place = text;
                out.push((mistake, lines.join(&b'\n')));
            }
        };
        for signed in self.content_types() {
            with(2, signed.clone().into_bytes(), Mistake::ContentType { signed });
        }
        let path = self.message.path();
        if let Some(decoded) = crate::percent::decode(path) {
            with(4, decoded.into_owned().into_bytes(), Mistake::DecodedPath);
        }
        for encoded in encoded_forms(path) {
            with(4, encoded.into_bytes(), Mistake::EncodedPath);
        }
        with(
            4,
            self.message.path_and_query.as_bytes().to_vec(),
            Mistake::WithQuery,
        );
        with(
            4,
            path.trim_start_matches('/').as_bytes().to_vec(),
            Mistake::NoLeadingSlash,
        );
        if self.body.is_empty() {
            with(
                1,
                STANDARD.encode(Md5::digest(b"")).into_bytes(),
                Mistake::Md5OfNothing,
            );
        } else {
            with(1, Vec::new(), Mistake::NoMd5);
            let hex: String = Md5::digest(self.body)
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect();
            with(1, hex.into_bytes(), Mistake::HexMd5);
        }
        let stamp = self.message.timestamp;
        with(
            3,
            [b"x-timestamp:x-timestamp:", stamp].concat(),
            Mistake::DoubledTimestampName,
        );
        with(3, stamp.to_vec(), Mistake::NoTimestampName);
        with(3, [b"X-Timestamp:", stamp].concat(), Mistake::TimestampNameCase);
        with(
            0,
            self.message.verb.to_ascii_lowercase().into_bytes(),
            Mistake::LowerCaseVerb,
        );
        for signed in ["GET", "POST", "PUT", "PATCH"] {
            with(0, signed.as_bytes().to_vec(), Mistake::Verb { signed });
        }
        let trimmed = self.body.trim_ascii_end();
        for body in [
            trimmed.to_vec(),
            [trimmed, b"\n"].concat(),
            [trimmed, b"\r\n"].concat(),
        ] {
            with(1, ContentMd5::of(&body).as_bytes().to_vec(), Mistake::BodyLineEnd);
        }
        out.push((Mistake::CrLf, expected.join(&b"\r\n"[..])));
        out.push((
            Mistake::TrailingLineEnd,
            [expected.join(&b'\n'), b"\n".to_vec()].concat(),
        ));
        out.push((
            Mistake::TrailingLineEnd,
            [expected.join(&b"\r\n"[..]), b"\r\n".to_vec()].concat(),
        ));
        out
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

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ContentType { signed } if signed.is_empty() => {
                f.write_str("no content type was signed, though one was sent")
            }
            Self::ContentType { signed } => {
                write!(
                    f,
                    "the content type {signed:?} was signed, another was sent; it counts to the letter"
                )
            }
            Self::DecodedPath => f.write_str("the percent-decoded path was signed; sign it as sent"),
            Self::EncodedPath => {
                f.write_str("the path was signed with more of it percent-encoded than was sent")
            }
            Self::WithQuery => f.write_str("the query was signed; sign the path alone"),
            Self::NoLeadingSlash => f.write_str("the path was signed without its leading slash"),
            Self::Md5OfNothing => {
                f.write_str("the MD5 of zero bytes was signed; an empty body has an empty line")
            }
            Self::NoMd5 => f.write_str("the line of the body's MD5 was empty, though there is a body"),
            Self::HexMd5 => f.write_str("the body's MD5 was signed in hexadecimal; it must be base64"),
            Self::CrLf => f.write_str("the lines were joined with CRLF; join them with LF"),
            Self::TrailingLineEnd => f.write_str("a line end stood behind the last line"),
            Self::UndecodedSecret => f.write_str("the secret was used as text; decode its base64 first"),
            Self::DoubledTimestampName => f.write_str("`x-timestamp:` stood twice before the timestamp"),
            Self::NoTimestampName => f.write_str("`x-timestamp:` was missing before the timestamp"),
            Self::TimestampNameCase => f.write_str("the name `x-timestamp` was not in lower case"),
            Self::LowerCaseVerb => f.write_str("the verb was signed in lower case"),
            Self::Verb { signed } => write!(f, "the verb {signed} was signed, another was sent"),
            Self::BodyLineEnd => {
                f.write_str("the body that was signed and the one that was sent differ by a line end")
            }
        }
    }
}
