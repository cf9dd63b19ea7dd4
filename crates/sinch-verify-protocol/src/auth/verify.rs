use std::fmt;
use std::time::{Duration, SystemTime};

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName};

use super::header::{Authorization, InvalidAuthorization};
use super::sign::Signer;
use super::string_to_sign::{ContentMd5, Signature, StringToSign};
use super::{ApplicationKey, ApplicationSecret, X_TIMESTAMP};
use crate::timestamp;

/// A signed message as it was received: raw header values, the body's MD5,
/// verb and path.
#[derive(Clone, Copy)]
pub struct SignedMessage<'a> {
    /// The HTTP method.
    pub verb: &'a str,
    /// The path, with its query if it has one.
    pub path_and_query: &'a str,
    /// The `Content-Type` header's value, or nothing.
    pub content_type: &'a [u8],
    /// The `x-timestamp` header's value.
    pub timestamp: &'a [u8],
    /// The body's MD5.
    pub content_md5: &'a ContentMd5,
}

/// Leaves out the path, which may hold a phone number.
impl fmt::Debug for SignedMessage<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedMessage")
            .field("verb", &self.verb)
            .finish_non_exhaustive()
    }
}

impl<'a> SignedMessage<'a> {
    /// The message in `headers`, with its authorization.
    ///
    /// # Errors
    ///
    /// When `Authorization` or `x-timestamp` is missing, comes twice or cannot
    /// be read, or `Content-Type` comes twice.
    pub fn from_headers(
        verb: &'a str,
        path_and_query: &'a str,
        headers: &'a HeaderMap,
        content_md5: &'a ContentMd5,
    ) -> Result<(Authorization<'a>, Self), VerifyError> {
        let authorization = Self::authorization(headers)?;
        let message = Self::beside_authorization(verb, path_and_query, headers, content_md5)?;
        Ok((authorization, message))
    }

    /// The authorization in `headers`.
    ///
    /// # Errors
    ///
    /// When `Authorization` is missing, comes twice or cannot be read.
    pub fn authorization(headers: &HeaderMap) -> Result<Authorization<'_>, VerifyError> {
        let value = single(headers, &AUTHORIZATION)?.ok_or(VerifyError::MissingAuthorization)?;
        Authorization::parse(value).map_err(VerifyError::Authorization)
    }

    /// The message in `headers`, for those who have read its authorization already.
    ///
    /// # Errors
    ///
    /// When `x-timestamp` is missing or comes twice, or `Content-Type` comes twice.
    pub fn beside_authorization(
        verb: &'a str,
        path_and_query: &'a str,
        headers: &'a HeaderMap,
        content_md5: &'a ContentMd5,
    ) -> Result<Self, VerifyError> {
        let timestamp = single(headers, &X_TIMESTAMP)?.ok_or(VerifyError::MissingTimestamp)?;
        let content_type = single(headers, &http::header::CONTENT_TYPE)?.unwrap_or_default();
        Ok(Self {
            verb,
            path_and_query,
            content_type,
            timestamp,
            content_md5,
        })
    }

    /// The path without its query.
    #[must_use]
    pub fn path(&self) -> &'a str {
        let whole = self.path_and_query;
        memchr::memchr(b'?', whole.as_bytes()).map_or(whole, |at| &whole[..at])
    }

    /// The string that the sender should have signed: a query is no part of it.
    ///
    /// ```
    /// use sinch_verify_protocol::auth::{ContentMd5, SignedMessage};
    ///
    /// let message = SignedMessage {
    ///     verb: "POST",
    ///     path_and_query: "/callback?tenant=7",
    ///     content_type: b"application/json",
    ///     timestamp: b"2026-01-02T03:04:05.067Z",
    ///     content_md5: &ContentMd5::of(b"{}"),
    /// };
    /// assert_eq!(message.string_to_sign().path, b"/callback");
    /// ```
    #[must_use]
    pub fn string_to_sign(&self) -> StringToSign<'a> {
        StringToSign {
            verb: self.verb,
            content_md5: self.content_md5,
            content_type: self.content_type,
            timestamp: self.timestamp,
            path: self.path().as_bytes(),
        }
    }
}

/// The one value of a header; two would let a proxy and us read different ones.
fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a [u8]>, VerifyError> {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    if values.next().is_some() {
        return Err(VerifyError::RepeatedHeader);
    }
    Ok(first.map(|value| value.as_bytes()))
}

/// Checks signatures of one application.
///
/// ```
/// use std::time::SystemTime;
/// use sinch_verify_protocol::{ApplicationKey, ApplicationSecret};
/// use sinch_verify_protocol::auth::{ContentMd5, PathPolicy, SignedMessage, Signer, Verifier, Window};
///
/// let key = ApplicationKey::new("669E367E-6BBA-48AB-AF15-266871C28135")?;
/// let secret = ApplicationSecret::new("BeIukql3pTKJ8RGL5zo0DA==")?;
/// let now = SystemTime::now();
/// let signed = Signer::new(key.clone(), &secret).sign("POST", "/callback", b"application/json", b"{}", now);
///
/// let message = SignedMessage {
///     verb: "POST",
///     path_and_query: "/callback",
///     content_type: b"application/json",
///     timestamp: signed.timestamp.as_bytes(),
///     content_md5: &ContentMd5::of(b"{}"),
/// };
/// let verifier = Verifier::new(key, &secret);
/// verifier.verify(&message, &signed.signature, now, Window::default(), PathPolicy::default())?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Verifier(Signer);

impl Verifier {
    /// A verifier for `key`, which keeps no copy of the secret.
    #[must_use]
    pub fn new(key: ApplicationKey, secret: &ApplicationSecret) -> Self {
        Self(Signer::new(key, secret))
    }

    /// The application's key.
    #[must_use]
    pub fn key(&self) -> &ApplicationKey {
        self.0.key()
    }

    /// Checks that `signature` covers `message` and that the message is fresh.
    /// Says which form of the path was signed.
    ///
    /// # Errors
    ///
    /// Why the message is not believed. Log it if you like, but do not show it
    /// to the sender: it helps to forge.
    pub fn verify(
        &self,
        message: &SignedMessage<'_>,
        signature: &Signature,
        now: SystemTime,
        window: Window,
        paths: PathPolicy,
    ) -> Result<PathForm, VerifyError> {
        window.check(message.timestamp, now)?;
        self.check_signature(message, signature, paths)
    }

    /// Checks the signature alone, at whatever time it was made.
    ///
    /// # Errors
    ///
    /// [`VerifyError::Mismatch`] when no allowed form of the path gives this
    /// signature.
    pub fn check_signature(
        &self,
        message: &SignedMessage<'_>,
        signature: &Signature,
        paths: PathPolicy,
    ) -> Result<PathForm, VerifyError> {
        let documented = message.string_to_sign();
        let matches = |path: &str| {
            let string = StringToSign {
                path: path.as_bytes(),
                ..documented
            };
            self.0.signature(&string).matches(signature)
        };
        let (whole, path) = (message.path_and_query, message.path());
        if matches(path) {
            return Ok(PathForm::AsReceived);
        }
        if paths.with_query && path.len() != whole.len() && matches(whole) {
            return Ok(PathForm::WithQuery);
        }
        if paths.decoded && path.contains('%') {
            let decoded = crate::percent::decode(path);
            if decoded.is_some_and(|path| matches(&path)) {
                return Ok(PathForm::Decoded);
            }
        }
        Err(VerifyError::Mismatch)
    }
}

/// Which form of the path a signature covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PathForm {
    /// As received, without the query. The documented form.
    AsReceived,
    /// Percent-decoded: what the Java SDK signs.
    Decoded,
    /// With the query: what the .NET SDK signs.
    WithQuery,
}

/// The forms of the path that are taken beside [`PathForm::AsReceived`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PathPolicy {
    /// Also take the percent-decoded path.
    pub decoded: bool,
    /// Also take the path with its query.
    pub with_query: bool,
}

impl PathPolicy {
    /// Takes every form that an official SDK signs.
    #[must_use]
    pub fn any_sdk() -> Self {
        Self {
            decoded: true,
            with_query: true,
        }
    }
}

/// How far a timestamp may be from now. The service publishes no figure; these
/// defaults are ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// How old a message may be; 5 minutes by default.
    pub past: Duration,
    /// How far ahead the sender's clock may be; 1 minute by default.
    pub future: Duration,
}

impl Default for Window {
    fn default() -> Self {
        Self {
            past: Duration::from_secs(300),
            future: Duration::from_secs(60),
        }
    }
}

impl Window {
    /// Checks that a raw `x-timestamp` is inside the window. Gives its time.
    ///
    /// # Errors
    ///
    /// When the timestamp cannot be read, is too old, or too far ahead.
    pub fn check(&self, timestamp: &[u8], now: SystemTime) -> Result<SystemTime, VerifyError> {
        let then = timestamp::parse_bytes(timestamp).map_err(|_| VerifyError::BadTimestamp)?;
        match now.duration_since(then) {
            Ok(age) if age > self.past => Err(VerifyError::Stale { by: age - self.past }),
            Err(ahead) if ahead.duration() > self.future => Err(VerifyError::Future {
                by: ahead.duration() - self.future,
            }),
            Ok(_) | Err(_) => Ok(then),
        }
    }
}

/// Why a signed message is not believed. For your log, not for the sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum VerifyError {
    /// No `Authorization` header.
    MissingAuthorization,
    /// The `Authorization` header cannot be read.
    Authorization(InvalidAuthorization),
    /// The scheme is readable, but carries no signature.
    NotSigned,
    /// A header that must come once came twice.
    RepeatedHeader,
    /// No application has this key.
    UnknownKey,
    /// No `x-timestamp` header.
    MissingTimestamp,
    /// The `x-timestamp` header is no timestamp.
    BadTimestamp,
    /// Too old.
    Stale {
        /// How far outside the window.
        by: Duration,
    },
    /// Too far ahead.
    Future {
        /// How far outside the window.
        by: Duration,
    },
    /// The signature covers something else, or was made with another secret.
    Mismatch,
    /// The secret of basic authorization is not that of the application.
    WrongSecret,
}

impl fmt::Display for VerifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MissingAuthorization => f.write_str("no Authorization header"),
            Self::Authorization(_) => f.write_str("cannot read the Authorization header"),
            Self::NotSigned => f.write_str("authorization carries no signature"),
            Self::RepeatedHeader => f.write_str("a header that is signed came more than once"),
            Self::UnknownKey => f.write_str("no application has this key"),
            Self::MissingTimestamp => f.write_str("no x-timestamp header"),
            Self::BadTimestamp => f.write_str("x-timestamp is not of the form 2026-01-02T03:04:05.067Z"),
            Self::Stale { by } => write!(f, "x-timestamp is too old by {:.1} s", by.as_secs_f64()),
            Self::Future { by } => write!(f, "x-timestamp is too far ahead by {:.1} s", by.as_secs_f64()),
            Self::Mismatch => f.write_str("signature does not match"),
            Self::WrongSecret => f.write_str("basic authorization has a wrong secret"),
        }
    }
}

impl std::error::Error for VerifyError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Authorization(error) => Some(error),
            _ => None,
        }
    }
}
