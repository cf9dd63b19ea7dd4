use std::fmt;

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
    /// The same JSON was signed in another form than it was sent: it was written again in between.
    BodyForm {
        /// What the form that was signed has and the one that was sent has not.
        signed: Vec<BodyForm>,
    },
    /// The path was signed with a slash at its end that was not sent, or without the one that was.
    TrailingSlash,
    /// The whole URL was signed in place of the path.
    FullUrl,
    /// The lines were joined with a backslash and an `n`.
    LiteralLineEnds,
    /// The timestamp was signed with a blank before it.
    TimestampBlank,
    /// The signature is right and was written in hexadecimal.
    HexSignature,
    /// The signature is right and was written in url-safe base64.
    UrlSafeSignature,
    /// The signature is right and was written without its padding.
    UnpaddedSignature,
}

/// A form in which a body of JSON is signed and not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BodyForm {
    /// Without blanks and line ends between values.
    Compact,
    /// With `, ` and `: ` between values.
    Spaced,
    /// On lines of their own, indented by two or four blanks or a tab.
    Indented,
    /// Every character outside ASCII as `\uXXXX`.
    AsciiEscaped,
    /// `/` as `\/`.
    SlashEscaped,
    /// `+` as `\u002B`, and perhaps other characters that matter to HTML.
    PlusEscaped,
    /// Without escapes that JSON does not need.
    Unescaped,
    /// Signed in Latin-1 and sent in UTF-8, or the other way round.
    Latin1,
    /// Encoded in UTF-8 twice before it was signed, or between signing and sending.
    Utf8Twice,
}

impl BodyForm {
    fn name(self) -> &'static str {
        match self {
            Self::Compact => "body-compact",
            Self::Spaced => "body-spaced",
            Self::Indented => "body-indented",
            Self::AsciiEscaped => "body-ascii-escaped",
            Self::SlashEscaped => "body-slash-escaped",
            Self::PlusEscaped => "body-plus-escaped",
            Self::Unescaped => "body-unescaped",
            Self::Latin1 => "body-latin-1",
            Self::Utf8Twice => "body-utf-8-twice",
        }
    }
}

impl Mistake {
    /// A name for programs, in lower case with hyphens. Of several forms of a body, the first one's.
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
            Self::BodyForm { signed } => signed.first().map_or("body-form", |form| form.name()),
            Self::TrailingSlash => "trailing-slash",
            Self::FullUrl => "full-url",
            Self::LiteralLineEnds => "literal-line-ends",
            Self::TimestampBlank => "timestamp-blank",
            Self::HexSignature => "hex-signature",
            Self::UrlSafeSignature => "url-safe-signature",
            Self::UnpaddedSignature => "unpadded-signature",
        }
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
            Self::BodyForm { signed } => {
                let forms: Vec<_> = signed.iter().map(ToString::to_string).collect();
                write!(
                    f,
                    "the body was signed {}, and sent in another form; sign the bytes that are sent",
                    forms.join(" and ")
                )
            }
            Self::TrailingSlash => {
                f.write_str("the path that was signed and the one that was sent differ by a slash at the end")
            }
            Self::FullUrl => f.write_str("the whole URL was signed; sign the path alone"),
            Self::LiteralLineEnds => {
                f.write_str("the lines were joined with a backslash and an `n`; join them with LF")
            }
            Self::TimestampBlank => f.write_str("a blank stood between `x-timestamp:` and the timestamp"),
            Self::HexSignature => {
                f.write_str("the signature is right, but in hexadecimal; it must be base64")
            }
            Self::UrlSafeSignature => f.write_str(
                "the signature is right, but in url-safe base64; it has `+` and `/` in place of `-` and `_`",
            ),
            Self::UnpaddedSignature => f.write_str("the signature is right, but without the `=` at its end"),
        }
    }
}

/// Fits after "the body was signed".
impl fmt::Display for BodyForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Compact => "compact, without blanks between values",
            Self::Spaced => "with blanks behind `,` and `:`",
            Self::Indented => "indented",
            Self::AsciiEscaped => "with characters outside ASCII as `\\uXXXX`",
            Self::SlashEscaped => "with `/` as `\\/`",
            Self::PlusEscaped => "with `+` as `\\u002B`",
            Self::Unescaped => "without the escapes that JSON does not need",
            Self::Latin1 => "in Latin-1 instead of UTF-8, or the reverse",
            Self::Utf8Twice => "in UTF-8 that was encoded twice instead of once, or the reverse",
        })
    }
}
