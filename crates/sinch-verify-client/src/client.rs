//! The client: one method per operation.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;
use sinch_verify_protocol::method::{Reportable, VerifyMethod};
use sinch_verify_protocol::outcome::FlashCallOutcome;
use sinch_verify_protocol::phone_number::Masked;
use sinch_verify_protocol::{
    BaseUrl, Credentials, Endpoint, Method, PhoneNumber, Reference, Report, Start, Started, StatusById,
    StatusByNumber, StatusByReference, Verification, VerificationId,
};

use crate::builder::ClientBuilder;
use crate::call;
use crate::clock::Clock;
use crate::error::Error;
use crate::transport::SharedTransport;

/// A client of one application.
///
/// Cloning is cheap and shares the connections: make one client per application and keep it.
/// Every call needs a tokio runtime with I/O and time enabled.
///
/// Dropping the future of a call gives the call up. The service may have seen it all the same.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

/// What all clones share.
pub(crate) struct Inner {
    pub(crate) credentials: Credentials,
    pub(crate) base_url: BaseUrl,
    pub(crate) attempt_timeout: Duration,
    pub(crate) user_agent: HeaderValue,
    pub(crate) transport: SharedTransport,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Client {
    /// A builder: [credentials](ClientBuilder::credentials) are required, the rest has defaults.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }

    pub(crate) fn new(inner: Inner) -> Self {
        Self {
            inner: Arc::new(inner),
        }
    }

    /// Where the client sends its requests.
    #[must_use]
    pub fn base_url(&self) -> &BaseUrl {
        &self.inner.base_url
    }

    /// Starts a verification: the service sends the message or makes the call.
    ///
    /// # Errors
    ///
    /// See [`Error`]. [`Error::is_denied`] tells a refusal by your own callback,
    /// [`Error::is_rate_limited`] starts that follow each other too quickly.
    pub async fn start<M: VerifyMethod>(&self, start: Start<M>) -> Result<Started<M>, Error> {
        let number = Masked::new(start.number().as_str());
        call::run(&self.inner, &start, Some(number)).await
    }

    /// Reports the code or the caller id that proves the number.
    ///
    /// A wrong one is an answer as well as an error: while attempts are left the service refuses
    /// it with [`ApiError::NOT_PROCESSABLE`](sinch_verify_protocol::ApiError::NOT_PROCESSABLE), and
    /// the last wrong one may answer with a verification that failed.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub async fn report<M: Reportable>(&self, report: Report<M>) -> Result<Verification, Error> {
        call::run(&self.inner, &report, None).await
    }

    /// The status of a verification. Takes basic or signed authorization.
    ///
    /// # Errors
    ///
    /// See [`Error`]; [`Error::is_not_found`] for an id the service does not know.
    pub async fn status_by_id(&self, id: VerificationId) -> Result<Verification, Error> {
        call::run(&self.inner, &StatusById { id }, None).await
    }

    /// The status of the verification with your own reference. Takes basic or signed
    /// authorization.
    ///
    /// # Errors
    ///
    /// See [`Error`]; [`Error::is_not_found`] for a reference the service does not know.
    pub async fn status_by_reference(&self, reference: Reference) -> Result<Verification, Error> {
        call::run(&self.inner, &StatusByReference { reference }, None).await
    }

    /// The status of the number's latest verification by `method`. Takes public authorization
    /// too, and is answered for a limited time after the start.
    ///
    /// # Errors
    ///
    /// See [`Error`]; [`Error::is_not_found`] for a number without such a verification.
    pub async fn status_by_number(&self, method: Method, number: PhoneNumber) -> Result<Verification, Error> {
        let query = StatusByNumber { method, number };
        call::run(&self.inner, &query, Some(number.masked())).await
    }

    /// Tells the service what became of a flash call, as mobile SDKs do.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub async fn flash_call_outcome(&self, outcome: FlashCallOutcome) -> Result<(), Error> {
        call::run(&self.inner, &outcome, None).await
    }

    /// Sends any operation of the protocol.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub async fn send<E: Endpoint>(&self, endpoint: E) -> Result<E::Response, Error> {
        call::run(&self.inner, &endpoint, None).await
    }
}

/// Shows no secret.
impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("base_url", &self.inner.base_url)
            .field("credentials", &self.inner.credentials)
            .field("attempt_timeout", &self.inner.attempt_timeout)
            .field("user_agent", &self.inner.user_agent)
            .finish_non_exhaustive()
    }
}
