//! The client: one method per operation.

use std::fmt;
use std::sync::Arc;

use sinch_verify_protocol::call_outcome::FlashCallOutcome;
use sinch_verify_protocol::phone_number::Masked;
use sinch_verify_protocol::start::MethodMarker;
use sinch_verify_protocol::{
    BaseUrl, Endpoint, Method, PhoneNumber, Reference, Report, ReportOutcome, Start, StatusById,
    StatusByNumber, StatusByReference, Verification, VerificationId,
};

use crate::call::{self, Repeat};
use crate::context::Context;
use crate::counts;
use crate::error::{Error, Lookup};
use crate::flow::{CodeSource, Flow, Running, SavedFlow};
use crate::handle::{Handle, Saved};
use crate::reconcile;
use crate::skew::ClockOffset;

/// A client of one application.
///
/// Cloning is cheap and shares the connections: make one client per application and keep it.
/// Every call needs a tokio runtime with I/O and time enabled.
///
/// A call may be several requests: see [`RetryPolicy`](crate::RetryPolicy) for what is sent again, and when the status is
/// asked for instead. Dropping the future of a call gives the call up. The service may have seen it
/// all the same.
#[derive(Clone)]
pub struct Client {
    context: Arc<Context>,
}

impl Client {
    pub(crate) fn new(context: Context) -> Self {
        Self {
            context: Arc::new(context),
        }
    }

    /// Where the client sends its requests.
    #[must_use]
    pub fn base_url(&self) -> &BaseUrl {
        &self.context.base_url
    }

    /// How far the service's clock is from this host's, as far as it was found out. Not zero means
    /// that the host's clock should be set: requests are signed with the service's time meanwhile. A
    /// difference of more than [`ClockOffset::MAX`] is not signed with, and is told by
    /// [`Error::ignored_clock_offset`].
    #[must_use]
    pub fn clock_offset(&self) -> ClockOffset {
        self.context.skew.get()
    }

    /// Starts a verification: the service sends the message or makes the call.
    ///
    /// A start without a reference is given one, so that it can be asked for should its answer be
    /// lost: see [`Handle::found`] and [`Error::lookup`]. It is sent again only where no part of it
    /// left this machine, or where the service asked for it.
    ///
    /// A reference of your own names one start. Where it was used before, a lost answer leads to the
    /// older verification: it is taken for this start's only while it is pending and was begun no more
    /// than a second or two before the start; any other is [`Lookup::Doubtful`].
    ///
    /// # Errors
    ///
    /// See [`Error`]. [`Error::is_denied`] tells a refusal by your own callback,
    /// [`Error::is_rate_limited`] starts that follow each other too quickly.
    pub async fn start<M: MethodMarker>(&self, start: Start<M>) -> Result<Handle<M>, Error> {
        let began = (self.context.clock.now(), self.context.clock.instant());
        let begun = reconcile::start(&self.context, start).await?;
        Ok(Handle::begun(Arc::clone(&self.context), begun, began))
    }

    /// A whole verification of `number`: methods in order, with fallback, reports and waiting. See
    /// [`Flow`].
    pub fn verify(&self, number: PhoneNumber) -> Flow {
        Flow::new(Arc::clone(&self.context), number)
    }

    /// Takes a verification up again that another request, or another process, has
    /// [saved](Handle::save).
    #[must_use]
    pub fn resume<M: MethodMarker>(&self, saved: Saved<M>) -> Handle<M> {
        Handle::resumed(Arc::clone(&self.context), saved)
    }

    /// Goes on with a flow that another request, or another process, has
    /// [saved](crate::flow::Running::until_idle). Its deadlines go on by the time of day, and what `source`
    /// has at once goes before what fell due in the meantime.
    pub fn resume_flow<S: CodeSource>(&self, saved: SavedFlow, source: S) -> Running<S> {
        Running::resumed(Arc::clone(&self.context), saved, source)
    }

    /// Reports the code or the caller id that proves the number.
    ///
    /// A wrong one is an answer: [`ReportOutcome::Refused`]. The last wrong one may end the verification:
    /// [`ReportOutcome::Ended`].
    ///
    /// Where the answer is lost the client queries the status. An end is the answer; while the status is
    /// pending the report is sent again. With public authorization that takes a report by number, or a
    /// [`Handle`]. After a report by number the status is that of the number's latest verification, which
    /// another start may have begun, so an end is no answer but
    /// [`Lookup::Doubtful`] in [`Error::lookup`]; a [`Handle`] knows the id.
    ///
    /// A report that the service refuses at the first sending is refused, whatever the status is.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub async fn report<M: MethodMarker>(&self, report: Report<M>) -> Result<ReportOutcome, Error> {
        let outcome = reconcile::report(&self.context, &report, &(&report).into()).await?;
        if let Some(verification) = outcome.verification() {
            counts::end(report.method(), report.number().copied(), verification);
        }
        Ok(outcome)
    }

    /// Looks up the verification that `error` is about.
    ///
    /// It settles a [denial](Error::is_denied): a verification with status `DENIED` was refused by
    /// your callback, and its reason says how; [`Lookup::Nothing`] means that none was begun, as for a
    /// start with public authorization where no callback URL is set. It serves for every error of a
    /// start, and of a report whose verification can be looked up. What may be another verification is
    /// [`Lookup::Doubtful`], as in [`Error::lookup`].
    ///
    /// # Errors
    ///
    /// When the query fails. [`Lookup::Nothing`] is no error, and is also the result for an error that is
    /// about no verification, such as that of a status query.
    pub async fn confirm(&self, error: &Error) -> Result<Lookup, Error> {
        let budget = self.context.budget();
        reconcile::look_up(&self.context, error.target(), budget, Repeat::ByPolicy).await
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
        self.run(&query, Some(number.masked())).await
    }

    /// Reports the outcome of a flash call, as mobile SDKs do.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub async fn flash_call_outcome(&self, outcome: FlashCallOutcome) -> Result<(), Error> {
        let number = outcome.number();
        self.run(&outcome, Some(number.masked())).await
    }

    /// Sends any operation of the protocol, as often as [`RetryPolicy`](crate::RetryPolicy) allows.
    ///
    /// It asks no status when an answer is lost: [`start`](Self::start) and
    /// [`report`](Self::report) do.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub async fn send<E: Endpoint>(&self, endpoint: E) -> Result<E::Response, Error> {
        self.run(&endpoint, None).await
    }

    async fn run<E: Endpoint>(&self, endpoint: &E, number: Option<Masked<'_>>) -> Result<E::Response, Error> {
        let budget = self.context.budget();
        let answer = call::run(&self.context, endpoint, number, budget, Repeat::ByPolicy).await;
        answer.map(|(response, _)| response)
    }
}

/// Shows no secret.
impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("base_url", &self.context.base_url)
            .field("credentials", &self.context.credentials)
            .field("attempt_timeout", &self.context.attempt_timeout)
            .field("total_timeout", &self.context.total_timeout)
            .field("retry", &self.context.retry)
            .field("clock_offset", &self.context.skew.get())
            .field("user_agent", &self.context.user_agent)
            .finish_non_exhaustive()
    }
}
