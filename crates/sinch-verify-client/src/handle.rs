//! A verification under way, which knows its method.

mod follow;
mod saved;
mod wait;

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use sinch_verify_protocol::method::AnyMethod;
use sinch_verify_protocol::report::Reportable;
use sinch_verify_protocol::start::{MethodMarker, StartResponse};
use sinch_verify_protocol::verification::Source;
use sinch_verify_protocol::{PhoneNumber, Reference, Report, ReportOutcome, Started, Verification};

use crate::call::Repeat;
use crate::clock::Budget;
use crate::context::Context;
use crate::counts::EndOnce;
use crate::error::Error;
use crate::reconcile::{self, ReconciledStart};
use crate::verification_ref::VerificationRef;

pub use crate::fetch::FollowError;
pub use saved::Saved;

/// A started verification of method `M`; without one, of a method that is known at run time only.
///
/// It reports only what its method takes: an SMS a code, a flash call a caller id, a data
/// verification nothing. What the service answered to the start is reached through it, as
/// [`Started`].
///
/// ```no_run
/// use sinch_verify_client::{Client, Handle};
/// use sinch_verify_client::protocol::{Code, PhoneNumber, Start};
///
/// # async fn example(client: Client, number: PhoneNumber) -> Result<(), Box<dyn std::error::Error>> {
/// let handle = client.start(Start::sms(number)).await?;
/// println!("started {}", handle.id);
/// let outcome = handle.report(Code::new("4821")?).await?;
/// println!("verified: {}", outcome.is_verified());
/// # Ok(())
/// # }
/// ```
///
/// A code for a flash call does not compile, also not after the handle was saved and resumed:
///
/// ```compile_fail
/// # use sinch_verify_client::{Client, Saved};
/// # use sinch_verify_client::protocol::{Code, method::FlashCall};
/// # async fn example(client: Client, saved: Saved<FlashCall>) {
/// client.resume(saved).report(Code::new("4821").unwrap()).await;
/// # }
/// ```
#[derive(Clone)]
pub struct Handle<M: MethodMarker = AnyMethod> {
    context: Arc<Context>,
    started: Started<M>,
    /// Id, number and, but for what was saved by others, the reference.
    target: VerificationRef,
    found: Option<Box<Verification>>,
    /// When the start was sent, by the time of day and by a clock that never goes back.
    began: SystemTime,
    began_at: Instant,
    end: EndOnce,
}

impl<M: MethodMarker> Handle<M> {
    pub(crate) fn begun(
        context: Arc<Context>,
        begun: ReconciledStart<M>,
        (began, began_at): (SystemTime, Instant),
    ) -> Self {
        Self {
            context,
            target: begun.target,
            started: begun.started,
            found: begun.found,
            began,
            began_at,
            end: EndOnce::default(),
        }
    }

    /// The number under verification.
    #[must_use]
    pub fn number(&self) -> Option<PhoneNumber> {
        self.target.number()
    }

    /// Your reference, or the one that the client made.
    #[must_use]
    pub fn reference(&self) -> Option<&Reference> {
        self.target.reference.as_ref()
    }

    /// What a status query found, where the start's own answer was lost. The verification is under
    /// way, but its answer's details (an SMS template, say) are missing.
    #[must_use]
    pub fn found(&self) -> Option<&Verification> {
        self.found.as_deref()
    }

    /// What the service answered to the start.
    #[must_use]
    pub fn started(&self) -> &Started<M> {
        &self.started
    }

    /// The status now: by id, or with public authorization by method and number.
    ///
    /// # Errors
    ///
    /// See [`Error`]. With public authorization the service tells the number's latest verification
    /// only: where that is another one, its status is not given and the error says that this one is
    /// [not found](Error::is_not_found).
    pub async fn status(&self) -> Result<Verification, Error> {
        self.query(self.context.budget(), Repeat::ByPolicy).await
    }

    async fn query(&self, budget: Budget, repeat: Repeat) -> Result<Verification, Error> {
        let verification = reconcile::status(&self.context, &self.target, budget, repeat).await?;
        self.count_end(&verification);
        Ok(verification)
    }

    /// Counts the end of the verification, if the service says that it has ended.
    fn count_end(&self, verification: &Verification) {
        let (method, number) = (self.started.method(), self.target.number());
        self.end.count(method, number, verification);
    }
}

impl<M: Reportable> Handle<M> {
    /// Reports the code, or the caller id of the flash call. See
    /// [`Client::report`](crate::Client::report).
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub async fn report(&self, proof: M::Proof) -> Result<ReportOutcome, Error> {
        self.send(Report::by_id(self.started.id.clone(), proof)).await
    }

    /// Reports the proof and how it was found.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub async fn report_from(&self, source: Source, proof: M::Proof) -> Result<ReportOutcome, Error> {
        self.send(Report::by_id(self.started.id.clone(), proof).source(source))
            .await
    }

    async fn send(&self, report: Report<M>) -> Result<ReportOutcome, Error> {
        let outcome = reconcile::report(&self.context, &report, &self.target).await?;
        if let Some(verification) = outcome.verification() {
            self.count_end(verification);
        }
        Ok(outcome)
    }
}

/// What the service answered to the start.
impl<M: MethodMarker> Deref for Handle<M> {
    type Target = Started<M>;

    fn deref(&self) -> &Started<M> {
        &self.started
    }
}

impl<M: MethodMarker> From<Handle<M>> for Started<M> {
    fn from(handle: Handle<M>) -> Self {
        handle.started
    }
}

/// The body of the start's answer.
impl<M: MethodMarker> From<Handle<M>> for StartResponse {
    fn from(handle: Handle<M>) -> Self {
        handle.started.into()
    }
}

/// Shows the number masked.
impl<M: MethodMarker> fmt::Debug for Handle<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle")
            .field("method", self.started.method())
            .field("target", &self.target)
            .field("found", &self.found)
            .finish_non_exhaustive()
    }
}
