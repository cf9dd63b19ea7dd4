use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use http::header::{HOST, HeaderName, TRANSFER_ENCODING};
use http::request::Parts;
use http::{HeaderMap, Method, Request};
use sinch_verify_protocol::auth::{
    Authorization, ContentMd5, PathForm, PathPolicy, Signature, SignedMessage, VerifyError, Window,
};
use sinch_verify_protocol::{ApplicationKey, Event};

use crate::external_path::ExternalPath;
use crate::keys::KeyRing;
use crate::rejection::{Reason, Rejection};

/// Takes callbacks: checks that they are authentic and fresh, then reads them.
///
/// Pure: bytes and the time come in, an event or a rejection goes out. Clones
/// share their keys.
///
/// ```
/// use std::time::SystemTime;
/// use sinch_verify_callback::{KeyRing, Reason, Receiver};
/// use sinch_verify_callback::protocol::auth::VerifyError;
/// use sinch_verify_callback::protocol::{ApplicationKey, ApplicationSecret};
///
/// let key = ApplicationKey::new("669E367E-6BBA-48AB-AF15-266871C28135")?;
/// let secret = ApplicationSecret::new("BeIukql3pTKJ8RGL5zo0DA==")?;
/// let receiver = Receiver::new(KeyRing::new(key, &secret));
///
/// let request = http::Request::post("/callback").body(b"{}".as_slice())?;
/// let rejection = receiver.receive(&request, request.body(), SystemTime::now()).unwrap_err();
/// assert_eq!(rejection.reason(), &Reason::Unauthorized(VerifyError::MissingAuthorization));
/// assert_eq!(rejection.to_http_response().status(), 401);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Receiver {
    keys: Arc<ArcSwap<KeyRing>>,
    window: Window,
    paths: PathPolicy,
    external_path: ExternalPath,
    max_body: usize,
}

impl Receiver {
    /// The largest body that is taken unless told otherwise: 64 KiB.
    pub const MAX_BODY: usize = 64 * 1024;

    /// A receiver for the callbacks of the applications in `keys`.
    ///
    /// Takes timestamps from 5 minutes ago to 1 minute ahead, bodies of up to
    /// 64 KiB, and signatures over the path without its query.
    #[must_use]
    pub fn new(keys: KeyRing) -> Self {
        Self {
            keys: Arc::new(ArcSwap::from_pointee(keys)),
            window: Window::default(),
            paths: PathPolicy::default(),
            external_path: ExternalPath::default(),
            max_body: Self::MAX_BODY,
        }
    }

    /// Takes timestamps inside `window`.
    #[must_use]
    pub fn with_window(mut self, window: Window) -> Self {
        self.window = window;
        self
    }

    /// Also takes signatures over other forms of the path.
    #[must_use]
    pub fn with_path_policy(mut self, paths: PathPolicy) -> Self {
        self.paths = paths;
        self
    }

    /// Says what the path is from outside, where a proxy changes it.
    #[must_use]
    pub fn with_external_path(mut self, path: ExternalPath) -> Self {
        self.external_path = path;
        self
    }

    /// Takes bodies of up to `bytes` bytes.
    #[must_use]
    pub fn with_max_body(mut self, bytes: usize) -> Self {
        self.max_body = bytes;
        self
    }

    /// Takes the callbacks of the applications in `keys` from now on, in this
    /// receiver and in all its clones. Nothing waits: a callback that is being
    /// checked is checked against the keys before or after.
    ///
    /// ```
    /// # use sinch_verify_callback::{KeyRing, Receiver};
    /// # use sinch_verify_callback::protocol::{ApplicationKey, ApplicationSecret};
    /// # let key = ApplicationKey::new("669E367E-6BBA-48AB-AF15-266871C28135")?;
    /// # let secret = ApplicationSecret::new("BeIukql3pTKJ8RGL5zo0DA==")?;
    /// # let new_secret = ApplicationSecret::new("JViE5vDor0Sw3WllZka15Q==")?;
    /// let receiver = Receiver::new(KeyRing::new(key.clone(), &secret));
    /// let handle = receiver.clone(); // keep this one, and serve with the other
    /// handle.replace_keys(KeyRing::new(key, &new_secret));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn replace_keys(&self, keys: KeyRing) {
        self.keys.store(Arc::new(keys));
    }

    /// The largest body that is taken, in bytes.
    #[must_use]
    pub fn max_body(&self) -> usize {
        self.max_body
    }

    /// Checks a callback and reads it.
    ///
    /// # Errors
    ///
    /// When the callback is not authentic, not fresh, too large, of another
    /// content type or HTTP method, or not an event.
    pub fn receive<'a>(
        &self,
        head: impl Into<Head<'a>>,
        body: &[u8],
        now: SystemTime,
    ) -> Result<Callback, Rejection> {
        let head = self.check_head(head, now)?;
        self.check_len(body.len())?;
        self.verify(&head, &ContentMd5::of(body))?.decode(body)
    }

    /// Checks what can be checked before the body is read: HTTP method, form
    /// of the headers, content type, timestamp. The body of a request that
    /// fails here need not be read at all.
    ///
    /// # Errors
    ///
    /// As [`Receiver::receive`].
    pub fn check_head<'a>(
        &self,
        head: impl Into<Head<'a>>,
        now: SystemTime,
    ) -> Result<CheckedHead<'a>, Rejection> {
        let Head {
            method,
            path_and_query,
            headers,
        } = head.into();
        if method != Method::POST {
            return Err(Rejection::new(Reason::Method {
                method: method.clone(),
            }));
        }
        if is_repeated(headers, &HOST) || is_repeated(headers, &TRANSFER_ENCODING) {
            return Err(Rejection::new(Reason::Ambiguous));
        }
        // The body's MD5 is not known yet, and is put in its place by `verify`.
        let (authorization, message) =
            SignedMessage::from_headers(method.as_str(), path_and_query, headers, &ContentMd5::EMPTY)?;
        let Authorization::Signed { key, signature } = authorization else {
            return Err(VerifyError::NotSigned.into());
        };
        if !is_json(message.content_type) {
            return Err(Rejection::new(Reason::ContentType));
        }
        let timestamp = self.window.check(message.timestamp, now)?;
        Ok(CheckedHead {
            key,
            signature,
            path: self.external_path.apply(path_and_query),
            message,
            timestamp,
            now,
        })
    }

    /// Checks the signature of a callback whose body is known by its MD5: it
    /// may have been hashed while it streamed. Does not read the event.
    ///
    /// # Errors
    ///
    /// When the signature covers something else, or no application has the key.
    pub fn verify(&self, head: &CheckedHead<'_>, content_md5: &ContentMd5) -> Result<Verified, Rejection> {
        let message = SignedMessage {
            path_and_query: &head.path,
            content_md5,
            ..head.message
        };
        let (application, path_form) =
            self.keys
                .load()
                .verify(head.key, &message, &head.signature, head.now, self.paths)?;
        Ok(Verified {
            application,
            signature: head.signature,
            path_form,
            timestamp: head.timestamp,
            lifetime: self.signature_lifetime(),
        })
    }

    /// How long a signature must be remembered. A timestamp that is as far
    /// ahead as the window lets it be is fresh for `future + past`; the other
    /// `future` is for the clock of another receiver, which may be behind ours.
    fn signature_lifetime(&self) -> Duration {
        let Window { past, future } = self.window;
        past.saturating_add(future.saturating_mul(2))
    }

    pub(crate) fn check_len(&self, len: usize) -> Result<(), Rejection> {
        if len > self.max_body {
            return Err(Rejection::new(Reason::TooLarge { limit: self.max_body }));
        }
        Ok(())
    }
}

fn is_repeated(headers: &HeaderMap, name: &HeaderName) -> bool {
    headers.get_all(name).iter().nth(1).is_some()
}

/// Whether a content type is `application/json`, with any parameters.
fn is_json(content_type: &[u8]) -> bool {
    let essence = content_type.split(|&b| b == b';').next().unwrap_or_default();
    essence.trim_ascii().eq_ignore_ascii_case(b"application/json")
}

/// The head of a request.
#[derive(Clone, Copy, Debug)]
pub struct Head<'a> {
    /// The HTTP method.
    pub method: &'a Method,
    /// The path as received, escapes and all, with its query if it has one.
    pub path_and_query: &'a str,
    /// The headers.
    pub headers: &'a HeaderMap,
}

impl<'a> From<&'a Parts> for Head<'a> {
    fn from(parts: &'a Parts) -> Self {
        Self {
            method: &parts.method,
            path_and_query: path_and_query(&parts.uri),
            headers: &parts.headers,
        }
    }
}

impl<'a, B> From<&'a Request<B>> for Head<'a> {
    fn from(request: &'a Request<B>) -> Self {
        Self {
            method: request.method(),
            path_and_query: path_and_query(request.uri()),
            headers: request.headers(),
        }
    }
}

fn path_and_query(uri: &http::Uri) -> &str {
    uri.path_and_query().map_or("/", |path| path.as_str())
}

/// A head that is in order. Whether it is authentic is known with the body.
#[derive(Clone, Debug)]
pub struct CheckedHead<'a> {
    key: &'a str,
    signature: Signature,
    path: Cow<'a, str>,
    message: SignedMessage<'a>,
    timestamp: SystemTime,
    now: SystemTime,
}

/// A callback that was taken: the event, and who signed it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Callback {
    /// The event.
    pub event: Event,
    /// Who signed it.
    pub verified: Verified,
}

/// A callback that is authentic and fresh, but was not yet read.
#[derive(Clone, Debug)]
pub struct Verified {
    application: Arc<ApplicationKey>,
    signature: Signature,
    path_form: PathForm,
    timestamp: SystemTime,
    lifetime: Duration,
}

impl Verified {
    /// The application whose secret signed it.
    #[must_use]
    pub fn application(&self) -> &ApplicationKey {
        &self.application
    }

    pub(crate) fn application_shared(&self) -> Arc<ApplicationKey> {
        Arc::clone(&self.application)
    }

    /// The signature: the same for a callback that is replayed, another for
    /// one that is sent again, since that has a new timestamp.
    #[must_use]
    pub fn signature(&self) -> &Signature {
        &self.signature
    }

    /// When the sender signed it, by the sender's clock: its `x-timestamp`.
    #[must_use]
    pub fn timestamp(&self) -> SystemTime {
        self.timestamp
    }

    /// How long the signature must be remembered, so that a replay is refused
    /// for as long as its timestamp is fresh.
    #[must_use]
    pub fn lifetime(&self) -> Duration {
        self.lifetime
    }

    /// Which form of the path was signed.
    #[must_use]
    pub fn path_form(&self) -> PathForm {
        self.path_form
    }

    /// Reads the event. `body` must be the bytes whose MD5 was verified.
    ///
    /// # Errors
    ///
    /// When the body is not the JSON of an event.
    pub fn decode(self, body: &[u8]) -> Result<Callback, Rejection> {
        match Event::decode(body) {
            Ok(event) => Ok(Callback {
                event,
                verified: self,
            }),
            Err(error) => Err(Rejection::new(Reason::Undecodable(Box::new(error)))),
        }
    }
}
