//! What a test of a handler or a receiver needs: a signer, events, and ways to
//! spoil what is signed.

mod events;
mod tamper;

use std::time::SystemTime;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Method, Request, Uri};
use sinch_verify_protocol::auth::Signer;
use sinch_verify_protocol::{ApplicationKey, ApplicationSecret};

pub use events::{methods, request_event, result_event, sms_delivered_event};
pub use tamper::{Tamper, UnknownTamper};

/// Makes signed callbacks.
///
/// ```
/// use std::time::SystemTime;
/// use sinch_verify_callback::protocol::{ApplicationKey, ApplicationSecret, VerificationId, WireObject};
/// use sinch_verify_callback::testing::{CallbackSigner, request_event};
/// use sinch_verify_callback::{CallbackService, Decision, Full, Method, RequestEvent};
///
/// # let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
/// # runtime.block_on(async {
/// let (key, secret) = ("669E367E-6BBA-48AB-AF15-266871C28135", "BeIukql3pTKJ8RGL5zo0DA==");
/// let decide = |_: RequestEvent| async { Decision::Allow };
/// let service = CallbackService::builder(key, secret).handler(decide).build()?;
///
/// let event = request_event(VerificationId::new("1")?, Method::Sms, "+46700000001".parse()?);
/// let signer = CallbackSigner::new(ApplicationKey::new(key)?, &ApplicationSecret::new(secret)?);
/// let request = signer.post("/callback".parse()?, event.to_json(), SystemTime::now());
///
/// let (head, body) = request.into_parts();
/// let response = service.respond(&head, Full::new(body)).await;
/// assert_eq!(response.body(), r#"{"action":"allow"}"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct CallbackSigner {
    signer: Signer,
}

impl CallbackSigner {
    /// The content type of recorded callbacks.
    pub const CONTENT_TYPE: HeaderValue = Signer::CALLBACK_CONTENT_TYPE;

    /// A signer for one application.
    #[must_use]
    pub fn new(key: ApplicationKey, secret: &ApplicationSecret) -> Self {
        Self {
            signer: Signer::new(key, secret),
        }
    }

    /// A callback to `uri`, a whole URL or a path, signed at `now`.
    #[must_use]
    pub fn post(&self, uri: Uri, body: impl Into<Bytes>, now: SystemTime) -> Request<Bytes> {
        let mut request = Request::new(body.into());
        *request.method_mut() = Method::POST;
        *request.uri_mut() = uri;
        request.headers_mut().insert(CONTENT_TYPE, Self::CONTENT_TYPE);
        self.sign(&mut request, now);
        request
    }

    /// Signs a request as it stands, in place of the signature it has: for
    /// callbacks that differ in some other way.
    pub fn sign(&self, request: &mut Request<Bytes>, now: SystemTime) {
        self.signer.sign_callback(request, now);
    }
}
