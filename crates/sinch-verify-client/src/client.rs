//! The client: one method per operation.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;
use sinch_verify_protocol::method::MethodMarker;
use sinch_verify_protocol::outcome::FlashCallOutcome;
use sinch_verify_protocol::{
    AcceptLanguage, BaseUrl, Credentials, Endpoint, Method, PhoneNumber, Reference, Report, Start,
    StatusById, StatusByNumber, StatusByReference, Verification, VerificationId,
};

use crate::builder::ClientBuilder;
use crate::clock::{Budget, Clock};
use crate::entropy::Entropy;
use crate::error::Error;
use crate::flow::Flow;
use crate::handle::{Handle, Saved};
use crate::retry::RetryPolicy;
use crate::skew::{ClockOffset, Skew};
use crate::transport::SharedTransport;
use crate::{call, settle};

/// A client of one application.
///
/// Cloning is cheap and shares the connections: make one client per application and keep it.
/// Every call needs a tokio runtime with I/O and time enabled.
///
/// A call may be several requests: see [`RetryPolicy`] for what is sent again, and when the status is
/// asked for instead. Dropping the future of a call gives the call up. The service may have seen it
/// all the same.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

/// What all clones share.
pub(crate) struct Inner {
    pub(crate) credentials: Credentials,
    pub(crate) base_url: BaseUrl,
    pub(crate) attempt_timeout: Duration,
    pub(crate) total_timeout: Duration,
    pub(crate) retry: RetryPolicy,
    pub(crate) languages: AcceptLanguage,
    pub(crate) plain_http_targets: bool,
    pub(crate) user_agent: HeaderValue,
    pub(crate) transport: SharedTransport,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) skew: Skew,
}

impl Inner {
    /// The time for a call that begins now.
    pub(crate) fn budget(&self) -> Budget {
        Budget::new(&*self.clock, self.total_timeout)
    }
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

    /// How far the service's clock is from this host's, as far as it was found out. Not zero means
    /// that the host's clock should be set: requests are signed with the service's time meanwhile.
    #[must_use]
    pub fn clock_offset(&self) -> ClockOffset {
        self.inner.skew.get()
    }

    /// Starts a verification: the service sends the message or makes the call.
    ///
    /// A start without a reference is given one, so that it can be asked for should its answer be
    /// lost: see [`Handle::found`] and [`Error::found`]. It is sent again only where no part of it
    /// left this machine, or where the service asked for it.
    ///
    /// A reference of your own names one start. Where it was used before, a lost answer leads to the
    /// older verification: it is taken for this start's only while it is pending and was begun no more
    /// than a second or two before the start; any other is [`Found::Doubtful`](crate::Found::Doubtful).
    ///
    /// # Errors
    ///
    /// See [`Error`]. [`Error::is_denied`] tells a refusal by your own callback,
    /// [`Error::is_rate_limited`] starts that follow each other too quickly.
    pub async fn start<M: MethodMarker>(&self, start: Start<M>) -> Result<Handle<M>, Error> {
        let opening = settle::Opening::new(&self.inner, start);
        let begun_at = (self.inner.clock.now(), self.inner.clock.instant());
        let begun = settle::start(&self.inner, &opening).await?;
        Ok(Handle::begun(self.clone(), opening.whose, begun, begun_at))
    }

    /// A whole verification of `number`: methods in order, with fallback, reports and waiting. See
    /// [`Flow`].
    pub fn verify(&self, number: PhoneNumber) -> Flow {
        Flow::new(self.clone(), number)
    }

    /// Takes a verification up again that another request, or another process, has
    /// [saved](Handle::save).
    #[must_use]
    pub fn resume<M: MethodMarker>(&self, saved: Saved<M>) -> Handle<M> {
        Handle::resumed(self.clone(), saved)
    }

    /// Reports the code or the caller id that proves the number.
    ///
    /// A wrong one is an answer as well as an error: while attempts are left the service refuses
    /// it with [`ApiError::NOT_PROCESSABLE`](sinch_verify_protocol::ApiError::NOT_PROCESSABLE), and
    /// the last wrong one may answer with a verification that failed.
    ///
    /// Where the answer is lost the status is asked for, and given as the answer if it tells an end;
    /// while it is pending the report is sent again. With public authorization that takes a report by
    /// number, or a [`Handle`]. After a report by number the status is that of the number's latest
    /// verification, whoever began it, so an end is no answer but
    /// [`Found::Doubtful`](crate::Found::Doubtful) in [`Error::found`]; a [`Handle`] knows the id.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub async fn report<M: MethodMarker>(&self, report: Report<M>) -> Result<Verification, Error> {
        let whose = settle::whose_report(&report);
        settle::report(&self.inner, &report, &whose).await
    }

    /// The status of a verification. Takes basic or signed authorization.
    ///
    /// # Errors
    ///
    /// See [`Error`]; [`Error::is_not_found`] for an id the service does not know.
    pub async fn status_by_id(&self, id: VerificationId) -> Result<Verification, Error> {
        self.send(StatusById { id }).await
    }

    /// The status of the verification with your own reference. Takes basic or signed
    /// authorization.
    ///
    /// The service takes a reference once: of two starts with the same one this is the first, whatever
    /// became of the second.
    ///
    /// # Errors
    ///
    /// See [`Error`]; [`Error::is_not_found`] for a reference the service does not know.
    pub async fn status_by_reference(&self, reference: Reference) -> Result<Verification, Error> {
        self.send(StatusByReference { reference }).await
    }

    /// The status of the number's latest verification by `method`. Takes public authorization
    /// too, and is answered for a limited time after the start.
    ///
    /// # Errors
    ///
    /// See [`Error`]; [`Error::is_not_found`] for a number without such a verification.
    pub async fn status_by_number(&self, method: Method, number: PhoneNumber) -> Result<Verification, Error> {
        let query = StatusByNumber { method, number };
        call::run(&self.inner, &query, Some(number.masked()), self.inner.budget()).await
    }

    /// Tells the service what became of a flash call, as mobile SDKs do.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub async fn flash_call_outcome(&self, outcome: FlashCallOutcome) -> Result<(), Error> {
        let number = outcome.number();
        call::run(&self.inner, &outcome, Some(number.masked()), self.inner.budget()).await
    }

    /// Sends any operation of the protocol, as often as [`RetryPolicy`] allows.
    ///
    /// It asks no status when an answer is lost: [`start`](Self::start) and
    /// [`report`](Self::report) do.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub async fn send<E: Endpoint>(&self, endpoint: E) -> Result<E::Response, Error> {
        call::run(&self.inner, &endpoint, None, self.inner.budget()).await
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.inner
    }
}

/// Shows no secret.
impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("base_url", &self.inner.base_url)
            .field("credentials", &self.inner.credentials)
            .field("attempt_timeout", &self.inner.attempt_timeout)
            .field("total_timeout", &self.inner.total_timeout)
            .field("retry", &self.inner.retry)
            .field("clock_offset", &self.inner.skew.get())
            .field("user_agent", &self.inner.user_agent)
            .finish_non_exhaustive()
    }
}
