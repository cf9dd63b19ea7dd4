use std::fmt;
use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::Request;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::string_to_sign::{ContentMd5, Signature, StringToSign};
use super::{ApplicationKey, ApplicationSecret, X_TIMESTAMP};
use crate::error::DecodeError;
use crate::timestamp::XTimestamp;
use crate::untrusted::hide_words;

/// How a client shows who it is.
///
/// ```
/// use std::time::SystemTime;
/// use sinch_verify_protocol::{
///     ApplicationKey, ApplicationSecret, BaseUrl, Credentials, Endpoint, PhoneNumber, Start,
/// };
///
/// let key = ApplicationKey::new("669E367E-6BBA-48AB-AF15-266871C28135")?;
/// let secret = ApplicationSecret::new("BeIukql3pTKJ8RGL5zo0DA==")?;
/// let credentials = Credentials::signed(key, secret);
///
/// let number: PhoneNumber = "+46700000001".parse()?;
/// let mut request = Start::sms(number).to_http(&BaseUrl::default())?;
/// credentials.authorize(&mut request, SystemTime::now())?;
/// assert!(request.headers()["authorization"].is_sensitive());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Credentials {
    /// The key alone: for devices. The backend decides in the callback.
    Public(ApplicationKey),
    /// Key and secret as they are.
    Basic(ApplicationKey, ApplicationSecret),
    /// A signature for every request.
    Signed(Signer),
}

impl Credentials {
    /// The key alone.
    #[must_use]
    pub fn public(key: ApplicationKey) -> Self {
        Self::Public(key)
    }

    /// Key and secret as they are.
    #[must_use]
    pub fn basic(key: ApplicationKey, secret: ApplicationSecret) -> Self {
        Self::Basic(key, secret)
    }

    /// A signature for every request.
    #[must_use]
    // By value: the caller gives the secret away, and it is zeroed here.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "takes the secret over, so that it is zeroed"
    )]
    pub fn signed(key: ApplicationKey, secret: ApplicationSecret) -> Self {
        Self::Signed(Signer::new(key, &secret))
    }

    /// The application's key.
    #[must_use]
    pub fn key(&self) -> &ApplicationKey {
        match self {
            Self::Public(key) | Self::Basic(key, _) => key,
            Self::Signed(signer) => signer.key(),
        }
    }

    /// Adds the headers that authorize `request`, in place of those it has.
    ///
    /// Call it last and for every attempt: a signature covers the body, the
    /// content type, the path and the time.
    ///
    /// # Errors
    ///
    /// When a header value cannot be made, which a valid key rules out.
    pub fn authorize(&self, request: &mut Request<Bytes>, now: SystemTime) -> Result<(), AuthorizeError> {
        let value = match self {
            Self::Public(key) => HeaderValue::from_str(&format!("{SCHEME}{key}")),
            Self::Basic(key, secret) => {
                let pair = Zeroizing::new(format!("{key}:{}", secret.expose_text()));
                let pair = Zeroizing::new(STANDARD.encode(pair.as_bytes()));
                HeaderValue::from_str(&Zeroizing::new(format!("Basic {}", *pair)))
            }
            Self::Signed(signer) => {
                let signed = signer.sign_request(request, now);
                let timestamp = HeaderValue::from_bytes(signed.timestamp.as_bytes());
                let timestamp = timestamp.map_err(|_| AuthorizeError(()))?;
                request.headers_mut().insert(X_TIMESTAMP, timestamp);
                let mut buffer = [0; Signer::MAX_AUTHORIZATION];
                HeaderValue::from_bytes(signer.write_authorization(&signed, &mut buffer))
            }
        };
        let mut value = value.map_err(|_| AuthorizeError(()))?;
        value.set_sensitive(true);
        request.headers_mut().insert(AUTHORIZATION, value);
        Ok(())
    }

    /// `text` with `[redacted]` in place of these credentials' secret, wherever it stands as a word of
    /// base64, in either alphabet and with or without padding. A public key alone has no secret.
    ///
    /// For text of a service that repeats what it was sent, or what it knows.
    /// [`untrusted::mask`](crate::untrusted::mask) hides signatures and `Basic` headers.
    #[must_use]
    pub fn redact(&self, text: &str) -> String {
        let signer = match self {
            Self::Public(_) => return text.to_owned(),
            Self::Basic(key, secret) => &Signer::new(key.clone(), secret),
            Self::Signed(signer) => signer,
        };
        // A signer keeps no secret to compare with, but only the secret signs as it does.
        let signature = signer.signature_of(&[]);
        hide_words(text, |word| {
            ApplicationSecret::lenient(word).is_ok_and(|secret| {
                let other = Signer::new(signer.key.clone(), &secret);
                other.signature_of(&[]).matches(&signature)
            })
        })
    }
}

impl DecodeError {
    /// Hides the secret of `credentials` in what the service wrote, should the service have repeated it:
    /// in message, reference and status of an [`ApiError`](crate::ApiError). Nothing else in these errors
    /// is the service's text as it came.
    pub fn redact(&mut self, credentials: &Credentials) {
        if let Self::Api { error, .. } = self {
            let texts = [&mut error.message, &mut error.reference, &mut error.status];
            for text in texts.into_iter().flatten() {
                *text = credentials.redact(text);
            }
        }
    }
}

/// A header value could not be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuthorizeError(());

impl fmt::Display for AuthorizeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("make the Authorization header of the application key")
    }
}

impl std::error::Error for AuthorizeError {}

/// The scheme of signed requests, with the space behind it.
const SCHEME: &str = "Application ";

/// Signs requests and callbacks of one application.
///
/// The key state of the HMAC is computed once. Signing does not touch the heap.
#[derive(Clone)]
pub struct Signer {
    key: ApplicationKey,
    hmac: Hmac<Sha256>,
}

impl Signer {
    /// A signer for `key`, which keeps no copy of the secret.
    #[must_use]
    pub fn new(key: ApplicationKey, secret: &ApplicationSecret) -> Self {
        Self::with_key_bytes(key, secret.expose_bytes())
    }

    pub(super) fn with_key_bytes(key: ApplicationKey, bytes: &[u8]) -> Self {
        // HMAC takes keys of any length; the other arm is there for the types only.
        let hmac = Hmac::new_from_slice(bytes).unwrap_or_else(|_| Hmac::new(&Default::default()));
        Self { key, hmac }
    }

    /// The application's key.
    #[must_use]
    pub fn key(&self) -> &ApplicationKey {
        &self.key
    }

    /// Signs a message that is about to be sent.
    #[must_use]
    pub fn sign(&self, verb: &str, path: &str, content_type: &[u8], body: &[u8], now: SystemTime) -> Signed {
        let timestamp = XTimestamp::new(now);
        let content_md5 = ContentMd5::of(body);
        let signature = self.signature(&StringToSign {
            verb,
            content_md5: &content_md5,
            content_type,
            timestamp: timestamp.as_bytes(),
            path: path.as_bytes(),
        });
        Signed { timestamp, signature }
    }

    fn sign_request(&self, request: &Request<Bytes>, now: SystemTime) -> Signed {
        let content_type = request.headers().get(CONTENT_TYPE);
        let content_type = content_type.map_or(&b""[..], HeaderValue::as_bytes);
        let (verb, path) = (request.method().as_str(), request.uri().path());
        self.sign(verb, path, content_type, request.body(), now)
    }

    /// The longest `Authorization` value for a request, in bytes.
    pub const MAX_AUTHORIZATION: usize = SCHEME.len() + ApplicationKey::MAX_LEN + 1 + Signature::TEXT_LEN;

    /// Writes the `Authorization` header's value for a request into `buffer`,
    /// without the heap, and returns it.
    ///
    /// ```
    /// use std::time::SystemTime;
    /// use sinch_verify_protocol::auth::Signer;
    /// use sinch_verify_protocol::{ApplicationKey, ApplicationSecret};
    ///
    /// let secret = ApplicationSecret::new("BeIukql3pTKJ8RGL5zo0DA==")?;
    /// let signer = Signer::new(ApplicationKey::new("my-key")?, &secret);
    /// let signed = signer.sign("GET", "/verification/v1/verifications/id/1", b"", b"", SystemTime::now());
    /// let mut buffer = [0; Signer::MAX_AUTHORIZATION];
    /// let value = signer.write_authorization(&signed, &mut buffer);
    /// assert!(value.starts_with(b"Application my-key:"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn write_authorization<'b>(
        &self,
        signed: &Signed,
        buffer: &'b mut [u8; Self::MAX_AUTHORIZATION],
    ) -> &'b [u8] {
        let mut len = 0;
        for part in [SCHEME, self.key.as_str(), ":"] {
            // A key has at most MAX_LEN bytes, so every part fits, and the signature behind them.
            if let Some(place) = buffer.get_mut(len..len + part.len()) {
                place.copy_from_slice(part.as_bytes());
                len += part.len();
            }
        }
        if let Some(place) = buffer.get_mut(len..) {
            len += STANDARD
                .encode_slice(signed.signature.as_bytes(), place)
                .unwrap_or(0);
        }
        buffer.get(..len).unwrap_or_default()
    }

    /// The content type of recorded callbacks, to the letter: it is signed.
    pub const CALLBACK_CONTENT_TYPE: HeaderValue =
        HeaderValue::from_static("application/json; charset=utf-8");

    /// Signs a callback as it stands, in place of the signature it has: the
    /// service's side of [`Credentials::authorize`].
    ///
    /// Call it last: the signature covers the verb, the body, the content type,
    /// the path and the time. A query goes along unsigned.
    ///
    /// ```
    /// use std::time::SystemTime;
    /// use bytes::Bytes;
    /// use sinch_verify_protocol::auth::Signer;
    /// use sinch_verify_protocol::{ApplicationKey, ApplicationSecret};
    ///
    /// let secret = ApplicationSecret::new("BeIukql3pTKJ8RGL5zo0DA==")?;
    /// let signer = Signer::new(ApplicationKey::new("my-key")?, &secret);
    /// let mut callback = http::Request::post("/callback")
    ///     .header("content-type", Signer::CALLBACK_CONTENT_TYPE)
    ///     .body(Bytes::from_static(b"{}"))?;
    /// signer.sign_callback(&mut callback, SystemTime::now());
    /// assert!(callback.headers()["authorization"].to_str()?.starts_with("application my-key:"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn sign_callback(&self, request: &mut Request<Bytes>, now: SystemTime) {
        let signed = self.sign_request(request, now);
        // Keys, signatures and timestamps are printable ASCII, so these are header values.
        if let (Ok(mut authorization), Ok(timestamp)) = (
            HeaderValue::try_from(signed.callback_authorization(&self.key)),
            HeaderValue::from_bytes(signed.timestamp.as_bytes()),
        ) {
            authorization.set_sensitive(true);
            request.headers_mut().insert(AUTHORIZATION, authorization);
            request.headers_mut().insert(X_TIMESTAMP, timestamp);
        }
    }

    /// The signature of a string.
    #[must_use]
    pub fn signature(&self, string: &StringToSign<'_>) -> Signature {
        self.signature_of(&string.parts())
    }

    /// The signature of a string in parts.
    pub(super) fn signature_of(&self, parts: &[&[u8]]) -> Signature {
        let mut hmac = self.hmac.clone();
        // One update of everything costs half of nine small ones.
        let mut together = [0; 256];
        let mut len = 0;
        for part in parts {
            match together.get_mut(len..len + part.len()) {
                Some(place) => {
                    place.copy_from_slice(part);
                    len += part.len();
                }
                None => {
                    hmac.update(&together[..len]);
                    hmac.update(part);
                    len = 0;
                }
            }
        }
        hmac.update(&together[..len]);
        Signature::new(hmac.finalize().into_bytes().into())
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer")
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

/// What signing gives: the values of the two headers.
#[derive(Clone, Copy, Debug)]
pub struct Signed {
    /// The `x-timestamp` header's value.
    pub timestamp: XTimestamp,
    /// The signature.
    pub signature: Signature,
}

impl Signed {
    /// The `Authorization` header's value for a request.
    #[must_use]
    pub fn authorization(&self, key: &ApplicationKey) -> String {
        format!("{SCHEME}{key}:{}", self.signature.to_text().as_str())
    }

    /// The `Authorization` header's value for a callback: the scheme in lower
    /// case, since one official validator takes nothing else.
    #[must_use]
    pub fn callback_authorization(&self, key: &ApplicationKey) -> String {
        format!("application {key}:{}", self.signature.to_text().as_str())
    }
}
