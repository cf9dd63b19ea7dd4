use std::borrow::Cow;
use std::fmt;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use bytes::{Buf as _, Bytes, BytesMut};
use http::header::{CONTENT_TYPE, HOST, HeaderName, HeaderValue, TRANSFER_ENCODING};
use http::request::Parts;
use http::{HeaderMap, Method, Request};
use http_body::Body;
use http_body_util::BodyExt as _;
use sinch_verify_protocol::auth::{
    Authorization, BodyHasher, ContentMd5, PathForm, PathPolicy, Signature, SignedMessage, VerifyError,
    Window,
};
use sinch_verify_protocol::wire::Anomaly;
use sinch_verify_protocol::{ApplicationKey, Event};

use crate::external_path::ExternalPath;
use crate::guard::ReplayGuard;
use crate::handler::BoxError;
use crate::keys::KeyRing;
use crate::rejection::{Reason, Rejection};
use crate::{task, telemetry};

/// Receives callbacks: checks that they are authentic, fresh and new, then decodes them.
///
/// For programs that answer by themselves. A [`CallbackService`](crate::CallbackService)
/// receives in the same way, and answers too. Clones share keys and guard.
///
/// ```
/// use bytes::Bytes;
/// use sinch_verify_callback::protocol::auth::VerifyError;
/// use sinch_verify_callback::{Full, Reason, Receiver};
///
/// # let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
/// # runtime.block_on(async {
/// let key = "669E367E-6BBA-48AB-AF15-266871C28135";
/// let receiver = Receiver::builder(key, "BeIukql3pTKJ8RGL5zo0DA==").build_receiver()?;
///
/// let (head, body) = http::Request::post("/callback").body(Full::<Bytes>::from("{}"))?.into_parts();
/// let rejection = receiver.receive(&head, body).await.unwrap_err();
/// assert_eq!(rejection.reason(), &Reason::Unauthorized(VerifyError::MissingAuthorization));
/// assert_eq!(rejection.to_http_response().status(), 401);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Receiver {
    keys: Arc<ArcSwap<KeyRing>>,
    checks: Checks,
}

/// The authorizations that a [`Receiver`] accepts.
///
/// Accept basic authorization only where the application is set to it in Sinch's dashboard, and only behind
/// HTTPS: it sends the secret with every callback, and covers neither body, path nor time. So a recorded
/// callback is taken again at any time. Only the event's name and its verification id protect against a
/// repeat: a request event gets the decision of before, for as long as the [`ReplayGuard`] remembers it, and
/// other events reach the handler again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AcceptedAuth {
    /// Signatures only.
    #[default]
    Signed,
    /// Signatures, and basic authorization with key and secret.
    SignedOrBasic,
}

/// What a [`Receiver`] checks besides signatures.
#[derive(Clone)]
pub(crate) struct Checks {
    pub(crate) accepted_auth: AcceptedAuth,
    pub(crate) guard: Option<ReplayGuard>,
    pub(crate) window: Window,
    pub(crate) paths: PathPolicy,
    pub(crate) external_path: ExternalPath,
    pub(crate) max_body: usize,
    pub(crate) body_deadline: Duration,
    pub(crate) clock: Arc<dyn Fn() -> SystemTime + Send + Sync>,
}

impl Receiver {
    /// The default limit of a body: 64 KiB.
    pub const MAX_BODY: usize = 64 * 1024;

    /// The default time limit of a body, from the moment its head was read: 5 seconds.
    pub const BODY_DEADLINE: Duration = Duration::from_secs(5);

    pub(crate) fn new(keys: KeyRing, checks: Checks) -> Self {
        Self {
            keys: Arc::new(ArcSwap::from_pointee(keys)),
            checks,
        }
    }

    /// Replaces the keys, in this receiver and in all its clones. Takes no lock: a
    /// callback that is being checked is checked against the old keys or the new ones.
    ///
    /// ```
    /// # use sinch_verify_callback::{KeyRing, Receiver};
    /// # use sinch_verify_callback::protocol::{ApplicationKey, ApplicationSecret};
    /// # fn f(receiver: &Receiver, key: ApplicationKey) -> Result<(), Box<dyn std::error::Error>> {
    /// let new_secret = ApplicationSecret::new("JViE5vDor0Sw3WllZka15Q==")?;
    /// receiver.replace_keys(KeyRing::new(key, &new_secret));
    /// # Ok(()) }
    /// ```
    pub fn replace_keys(&self, keys: KeyRing) {
        self.keys.store(Arc::new(keys));
    }

    /// Receives a callback.
    ///
    /// Reads no more of the body than is allowed, and only when the head is in order.
    /// Needs a tokio runtime only for a body that is not complete yet, or a replay
    /// store that waits.
    ///
    /// # Errors
    ///
    /// When the callback is not authentic, not fresh, a replay, too large, incomplete,
    /// of another content type or HTTP method, or not an event; and when the replay
    /// store is in doubt and the guard refuses then.
    pub async fn receive<'a, B>(&self, head: impl Into<Head<'a>>, body: B) -> Result<Callback, Rejection>
    where
        B: Body,
        B::Error: Into<BoxError>,
    {
        let received = self.run_checks(head.into(), pin!(body)).await;
        match &received {
            Ok(callback) => telemetry::accepted(&callback.event, &callback.anomalies),
            Err(rejection) => telemetry::rejected(rejection),
        }
        received
    }

    async fn run_checks<B>(&self, head: Head<'_>, body: Pin<&mut B>) -> Result<Callback, Rejection>
    where
        B: Body,
        B::Error: Into<BoxError>,
    {
        let head = self.check_head(head, (self.checks.clock)())?;
        let body = task::within(self.checks.body_deadline, pin!(self.read(body))).await;
        let (body, content_md5) = body.ok_or_else(|| {
            Rejection::new(Reason::Body {
                message: "it is not complete at its deadline".to_owned(),
            })
        })??;
        let verified = self.verify(&head, &content_md5)?;
        if let (Some(guard), Some(signed)) = (&self.checks.guard, &verified.signed) {
            let lifetime = self.signature_lifetime();
            guard.admit(&signed.signature, signed.timestamp, lifetime).await?;
        }
        verified.decode(&body)
    }

    /// The first step of [`Receiver::receive`]: checks HTTP method, form of the headers,
    /// content type and timestamp, or the secret of basic authorization.
    ///
    /// # Errors
    ///
    /// When one of them is wrong.
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
        let proof = match SignedMessage::authorization(headers)? {
            Authorization::Signed { key, signature } => {
                // The body's MD5 is not known yet, and is put in its place by `verify`.
                let message = SignedMessage::beside_authorization(
                    method.as_str(),
                    path_and_query,
                    headers,
                    &ContentMd5::EMPTY,
                )?;
                check_json(message.content_type)?;
                Proof::Signature {
                    key,
                    signature,
                    path: self.checks.external_path.apply(path_and_query),
                    message,
                    timestamp: self.checks.window.check(message.timestamp, now)?,
                }
            }
            Authorization::Basic { pair } if self.checks.accepted_auth == AcceptedAuth::SignedOrBasic => {
                let application = self.keys.load().verify_pair(&pair, now)?;
                if is_repeated(headers, &CONTENT_TYPE) {
                    return Err(VerifyError::RepeatedHeader.into());
                }
                let content_type = headers.get(CONTENT_TYPE).map_or(&[][..], HeaderValue::as_bytes);
                check_json(content_type)?;
                Proof::Secret { application }
            }
            _ => return Err(VerifyError::NotSigned.into()),
        };
        Ok(CheckedHead { proof, now })
    }

    /// The step of [`Receiver::receive`] after the body was read: checks the signature of a
    /// callback whose body has this MD5. It asks no replay guard, and decodes nothing.
    /// Basic authorization covers no body, and is checked with the head.
    ///
    /// # Errors
    ///
    /// When the signature covers something else, or no application has the key.
    pub fn verify(&self, head: &CheckedHead<'_>, content_md5: &ContentMd5) -> Result<Verified, Rejection> {
        let (application, signed) = match &head.proof {
            Proof::Secret { application } => (Arc::clone(application), None),
            Proof::Signature {
                key,
                signature,
                path,
                message,
                timestamp,
            } => {
                let message = SignedMessage {
                    path_and_query: path,
                    content_md5,
                    ..*message
                };
                let keys = self.keys.load();
                let (application, path_form) =
                    keys.verify(key, &message, signature, head.now, self.checks.paths)?;
                let signed = Signed {
                    signature: *signature,
                    path_form,
                    timestamp: *timestamp,
                };
                (application, Some(signed))
            }
        };
        Ok(Verified {
            application,
            signed,
            received_at: head.now,
        })
    }

    /// How long a signature must be remembered. A timestamp that is as far
    /// ahead as the window lets it be is fresh for `future + past`; the other
    /// `future` is for the clock of another receiver, which may be behind ours.
    fn signature_lifetime(&self) -> Duration {
        let Window { past, future } = self.checks.window;
        past.saturating_add(future.saturating_mul(2))
    }

    /// Reads a body up to the limit, and hashes it on the way.
    async fn read<B>(&self, mut body: Pin<&mut B>) -> Result<(Bytes, ContentMd5), Rejection>
    where
        B: Body,
        B::Error: Into<BoxError>,
    {
        // The `Content-Length`, where there is one: a body that is too large is not read at all.
        self.check_len(usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX))?;
        let mut hasher = BodyHasher::new();
        let mut whole = Bytes::new();
        let mut parts = BytesMut::new();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| {
                Rejection::new(Reason::Body {
                    message: error.into().to_string(),
                })
            })?;
            let Ok(mut data) = frame.into_data() else { continue };
            self.check_len(whole.len() + parts.len() + data.remaining())?;
            // No copy for `Bytes`, which is what servers give.
            let data = data.copy_to_bytes(data.remaining());
            hasher.update(&data);
            if whole.is_empty() && parts.is_empty() {
                whole = data;
            } else {
                // Most bodies come in one part: only the second one needs a buffer.
                parts.extend_from_slice(&whole);
                whole = Bytes::new();
                parts.extend_from_slice(&data);
            }
        }
        let body = if parts.is_empty() { whole } else { parts.freeze() };
        Ok((body, hasher.finish()))
    }

    fn check_len(&self, len: usize) -> Result<(), Rejection> {
        let limit = self.checks.max_body;
        if len > limit {
            return Err(Rejection::new(Reason::TooLarge { limit }));
        }
        Ok(())
    }

    pub(crate) fn guard(&self) -> Option<&ReplayGuard> {
        self.checks.guard.as_ref()
    }
}

impl fmt::Debug for Checks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Checks")
            .field("guard", &self.guard)
            .field("window", &self.window)
            .field("external_path", &self.external_path)
            .field("max_body", &self.max_body)
            .field("body_deadline", &self.body_deadline)
            .finish_non_exhaustive()
    }
}

fn is_repeated(headers: &HeaderMap, name: &HeaderName) -> bool {
    headers.get_all(name).iter().nth(1).is_some()
}

/// Checks that a content type is `application/json`, with any parameters.
fn check_json(content_type: &[u8]) -> Result<(), Rejection> {
    let essence = content_type.split(|&b| b == b';').next().unwrap_or_default();
    match essence.trim_ascii().eq_ignore_ascii_case(b"application/json") {
        true => Ok(()),
        false => Err(Rejection::new(Reason::ContentType)),
    }
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

/// A head that is in order. [`Receiver::verify`] says whether it is authentic.
#[derive(Clone, Debug)]
pub struct CheckedHead<'a> {
    proof: Proof<'a>,
    now: SystemTime,
}

/// What a head holds to show that its sender knows the secret.
#[derive(Clone, Debug)]
enum Proof<'a> {
    /// A signature, which is checked once the body is there.
    Signature {
        key: &'a str,
        signature: Signature,
        path: Cow<'a, str>,
        message: SignedMessage<'a>,
        timestamp: SystemTime,
    },
    /// The secret of this application, which was checked.
    Secret { application: Arc<ApplicationKey> },
}

/// A callback that was received: the event, and the application that sent it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Callback {
    /// The event.
    pub event: Event,
    /// What is not as documented in its body and was tolerated all the same.
    pub anomalies: Vec<Anomaly>,
    /// The application that sent it, and how that is known.
    pub verified: Verified,
}

/// What is known about an authentic, fresh callback before its body is decoded.
#[derive(Clone, Debug)]
pub struct Verified {
    application: Arc<ApplicationKey>,
    /// `None` with basic authorization.
    signed: Option<Signed>,
    received_at: SystemTime,
}

/// A signature that was checked.
#[derive(Clone, Debug)]
struct Signed {
    signature: Signature,
    path_form: PathForm,
    timestamp: SystemTime,
}

impl Verified {
    /// The application whose secret signed it, or authorizes it.
    #[must_use]
    pub fn application(&self) -> &ApplicationKey {
        &self.application
    }

    pub(crate) fn application_shared(&self) -> Arc<ApplicationKey> {
        Arc::clone(&self.application)
    }

    /// When its head was read, by this receiver's clock.
    pub(crate) fn received_at(&self) -> SystemTime {
        self.received_at
    }

    /// Which form of the path was signed; `None` with basic authorization, which signs nothing.
    #[must_use]
    pub fn path_form(&self) -> Option<PathForm> {
        self.signed.as_ref().map(|signed| signed.path_form)
    }

    /// Decodes the event. `body` must be the bytes whose MD5 was verified, if they are signed.
    fn decode(self, body: &[u8]) -> Result<Callback, Rejection> {
        match Event::receive(body) {
            Ok(received) => Ok(Callback {
                event: received.value,
                anomalies: received.anomalies,
                verified: self,
            }),
            Err(error) => Err(Rejection::new(Reason::Undecodable(Box::new(error)))),
        }
    }
}
