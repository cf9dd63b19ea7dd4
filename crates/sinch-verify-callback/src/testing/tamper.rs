use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue};
use http::{Method, Request, Uri};
use sinch_verify_protocol::ApplicationSecret;
use sinch_verify_protocol::auth::{Signature, X_TIMESTAMP};

use super::CallbackSigner;

macro_rules! tampers {
    ($( $(#[$meta:meta])* $variant:ident = $name:literal, )*) => {
        /// Turns a signed callback into one that no receiver may take.
        ///
        /// A receiver answers each of them with 401, and all of them alike.
        ///
        /// ```
        /// # use std::time::SystemTime;
        /// # use sinch_verify_callback::testing::{CallbackSigner, Tamper};
        /// # use sinch_verify_callback::protocol::{ApplicationKey, ApplicationSecret};
        /// # use sinch_verify_callback::{Full, Receiver};
        /// # let (key, secret) = ("669E367E-6BBA-48AB-AF15-266871C28135", "BeIukql3pTKJ8RGL5zo0DA==");
        /// # let receiver = Receiver::builder(key, secret).build_receiver()?;
        /// # let signer = CallbackSigner::new(ApplicationKey::new(key)?, &ApplicationSecret::new(secret)?);
        /// # let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
        /// # runtime.block_on(async {
        /// let now = SystemTime::now();
        /// for tamper in Tamper::ALL {
        ///     let mut request = signer.post("/callback".parse()?, r#"{"event":"x"}"#, now);
        ///     tamper.apply(&signer, &mut request, now);
        ///     let body = Full::new(request.body().clone());
        ///     let rejection = receiver.receive(&request, body).await.unwrap_err();
        ///     assert_eq!(rejection.status(), 401, "{tamper}");
        /// }
        /// # Ok::<(), Box<dyn std::error::Error>>(())
        /// # })?;
        /// # Ok::<(), Box<dyn std::error::Error>>(())
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Tamper {
            $( $(#[$meta])* $variant, )*
        }

        impl Tamper {
            /// All of them.
            pub const ALL: &'static [Self] = &[$( Self::$variant ),*];

            /// The name, in lower case with hyphens.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $( Self::$variant => $name, )*
                }
            }
        }
    };
}

tampers! {
    /// Signed for PUT, sent with POST.
    Verb = "verb",
    /// Signed for a path with one other bit.
    Path = "path",
    /// One bit of the content type.
    ContentType = "content-type",
    /// One bit of the timestamp.
    Timestamp = "timestamp",
    /// One bit of the body.
    Body = "body",
    /// One bit of the signature.
    Signature = "signature",
    /// One bit of the application's key.
    Key = "key",
    /// Signed an hour ago.
    Stale = "stale",
    /// Signed an hour from now.
    Future = "future",
    /// Signed with a secret that the application no longer has.
    RotatedKey = "rotated-key",
    /// No `Authorization`.
    NoAuthorization = "missing-authorization",
    /// No `x-timestamp`.
    NoTimestamp = "missing-timestamp",
    /// `Authorization` twice.
    TwoAuthorizations = "two-authorizations",
    /// `x-timestamp` twice.
    TwoTimestamps = "two-timestamps",
    /// `Content-Type` twice.
    TwoContentTypes = "two-content-types",
    /// Another scheme before a right signature.
    WrongScheme = "wrong-scheme",
    /// The body, cut short.
    TruncatedBody = "truncated",
    /// No body.
    EmptyBody = "empty-body",
    /// A signature of 29 bytes.
    ShortSignature = "short-signature",
    /// A signature of 35 bytes.
    LongSignature = "long-signature",
    /// The right signature, in base64 that sets bits which must be zero.
    LooseBase64 = "loose-base64",
}

impl Tamper {
    /// Changes `request`, which `signer` signed.
    pub fn apply(self, signer: &CallbackSigner, request: &mut Request<Bytes>, now: SystemTime) {
        const HOUR: Duration = Duration::from_secs(3600);
        match self {
            Self::Verb => {
                *request.method_mut() = Method::PUT;
                signer.sign(request, now);
                *request.method_mut() = Method::POST;
            }
            Self::Path => sign_for_another_path(signer, request, now),
            Self::ContentType => edit(request, &CONTENT_TYPE, flip_last),
            Self::Timestamp => edit(request, &X_TIMESTAMP, |stamp| {
                // The last digit: what follows is a zone.
                if let Some(digit) = stamp.iter_mut().rfind(|byte| byte.is_ascii_digit()) {
                    *digit ^= 1;
                }
            }),
            Self::Body => {
                let mut body = request.body().to_vec();
                let middle = body.len() / 2;
                match body.get_mut(middle) {
                    Some(byte) => *byte ^= 1,
                    None => body.push(b' '),
                }
                *request.body_mut() = body.into();
            }
            Self::Signature => edit_signature(request, |text| {
                // Two letters whose values differ in one bit.
                if let Some(letter) = text.first_mut() {
                    *letter = if *letter == b'A' { b'B' } else { b'A' };
                }
            }),
            Self::Key => edit(request, &AUTHORIZATION, |value| {
                // The last of the key. Digits and letters stay what they are.
                if let Some(colon) = value.iter().position(|&byte| byte == b':')
                    && let Some(byte) = value.get_mut(colon.saturating_sub(1))
                {
                    *byte = if *byte == b'0' { b'1' } else { b'0' };
                }
            }),
            Self::Stale => signer.sign(request, now.checked_sub(HOUR).unwrap_or(SystemTime::UNIX_EPOCH)),
            Self::Future => signer.sign(request, now.checked_add(HOUR).unwrap_or(now)),
            Self::RotatedKey => {
                // 16 bytes in base64, so a secret.
                if let Ok(old) = ApplicationSecret::new("YSBzZWNyZXQgb2Ygb2xkIQ==") {
                    CallbackSigner::new(signer.signer.key().clone(), &old).sign(request, now);
                }
            }
            Self::NoAuthorization => drop(request.headers_mut().remove(AUTHORIZATION)),
            Self::NoTimestamp => drop(request.headers_mut().remove(X_TIMESTAMP)),
            Self::TwoAuthorizations => double(request, AUTHORIZATION),
            Self::TwoTimestamps => double(request, X_TIMESTAMP),
            Self::TwoContentTypes => double(request, CONTENT_TYPE),
            Self::WrongScheme => edit(request, &AUTHORIZATION, |value| {
                let rest = value.split_off(value.iter().position(|&byte| byte == b' ').unwrap_or(0));
                *value = [b"Instance", &*rest].concat();
            }),
            Self::TruncatedBody => {
                let half = request.body().len() / 2;
                request.body_mut().truncate(half);
            }
            Self::EmptyBody => request.body_mut().clear(),
            Self::ShortSignature => edit_signature(request, |text| text.truncate(Signature::TEXT_LEN - 4)),
            Self::LongSignature => edit_signature(request, |text| text.splice(0..0, *b"AAAA").for_each(drop)),
            Self::LooseBase64 => edit_signature(request, |text| {
                // The last letter before the padding has two bits that must be
                // zero, so it is every fourth of the alphabet; take its successor.
                if let Some(letter) = text.iter_mut().rfind(|byte| **byte != b'=') {
                    *letter = if *letter == b'8' { b'9' } else { *letter + 1 };
                }
            }),
        }
    }
}

/// Signs for a path that is one bit off, and sends to the right one.
fn sign_for_another_path(signer: &CallbackSigner, request: &mut Request<Bytes>, now: SystemTime) {
    let uri = request.uri().clone();
    let mut path = uri.path().as_bytes().to_vec();
    match path.last_mut() {
        Some(last) if last.is_ascii_alphanumeric() && path_byte(*last ^ 1) => *last ^= 1,
        _ => path.push(b'a'),
    }
    if let Ok(other) = Uri::try_from(path) {
        *request.uri_mut() = other;
        signer.sign(request, now);
    }
    *request.uri_mut() = uri;
}

fn path_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
}

fn flip_last(value: &mut Vec<u8>) {
    match value.last_mut() {
        Some(last) if (*last ^ 1).is_ascii_graphic() => *last ^= 1,
        _ => value.push(b';'),
    }
}

fn edit_signature(request: &mut Request<Bytes>, change: impl FnOnce(&mut Vec<u8>)) {
    edit(request, &AUTHORIZATION, |value| {
        let colon = value.iter().position(|&byte| byte == b':').unwrap_or(value.len());
        let mut signature = value.split_off((colon + 1).min(value.len()));
        change(&mut signature);
        value.append(&mut signature);
    });
}

/// Changes the value of a header that the signer set.
fn edit(request: &mut Request<Bytes>, name: &HeaderName, change: impl FnOnce(&mut Vec<u8>)) {
    let mut value = request
        .headers()
        .get(name)
        .map_or_else(Vec::new, |value| value.as_bytes().to_vec());
    change(&mut value);
    // What is changed here stays printable.
    if let Ok(mut value) = HeaderValue::from_bytes(&value) {
        value.set_sensitive(*name == AUTHORIZATION);
        request.headers_mut().insert(name, value);
    }
}

fn double(request: &mut Request<Bytes>, name: HeaderName) {
    if let Some(value) = request.headers().get(&name).cloned() {
        request.headers_mut().append(name, value);
    }
}

impl fmt::Display for Tamper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Tamper {
    type Err = UnknownTamper;

    fn from_str(name: &str) -> Result<Self, UnknownTamper> {
        let found = Self::ALL.iter().copied().find(|one| one.name() == name);
        found.ok_or(UnknownTamper(()))
    }
}

/// No [`Tamper`] has this name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownTamper(());

impl fmt::Display for UnknownTamper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no tampering has this name; one is `body`")
    }
}

impl std::error::Error for UnknownTamper {}
