//! Complete verifications, step by step. There is no load generator in here.
//!
//! A flow is written once and runs over any [`Wire`] and any [`Phone`]: under goose, over the lean
//! transport, and in tests against an emulator.

mod expectation;
mod steps;

use sinch_verify_protocol::method::{Callout, FlashCall, Reportable, Sms};
use sinch_verify_protocol::{ApiError, PhoneNumber, Report, Start, StatusById};

use crate::failure::{Failure, FailureKind};
use crate::measure::Interval;
use crate::names::named;
use crate::phone::{Delivered, Phone};
use crate::wire::Wire;

pub use expectation::{Expectation, Reported};
pub use steps::Steps;

named! {
    /// A complete verification, from the start to the final status.
    pub enum Flow as "flow" {
        /// Start by SMS, read the code, report it by id, ask for the status by id.
        Sms = "sms",
        /// Start by flash call, see the caller id, report it by id, ask for the status by id.
        FlashCall = "flashcall",
        /// Start by callout, hear the code, report it by id, ask for the status by id.
        Callout = "callout",
    }
}

impl Flow {
    /// How the verification ends when all goes well.
    #[must_use]
    pub fn expectation(self) -> Expectation {
        match self {
            Self::Sms | Self::FlashCall | Self::Callout => Expectation::successful(),
        }
    }

    /// Verifies `number`, which no other flow may use at the same time.
    ///
    /// # Errors
    ///
    /// When a step fails, or the verification does not end as [expected](Self::expectation).
    pub async fn run<W: Wire, P: Phone>(
        self,
        steps: &mut Steps<'_, W, P>,
        number: PhoneNumber,
    ) -> Result<(), Failure> {
        let expected = self.expectation();
        match self {
            Self::Sms => {
                let start = Start::<Sms>::sms(number);
                by_report(steps, &start, number, |phone| phone.code, expected).await
            }
            Self::FlashCall => {
                let start = Start::<FlashCall>::flash_call(number);
                by_report(steps, &start, number, |phone| phone.cli, expected).await
            }
            Self::Callout => {
                let start = Start::<Callout>::callout(number);
                by_report(steps, &start, number, |phone| phone.code, expected).await
            }
        }
    }
}

/// The flow of a backend without the mobile SDK, for a method that ends by a report.
async fn by_report<M, W, P>(
    steps: &mut Steps<'_, W, P>,
    start: &Start<M>,
    number: PhoneNumber,
    proof: fn(Delivered) -> Option<M::Proof>,
    expected: Expectation,
) -> Result<(), Failure>
where
    M: Reportable,
    M::Details: Send,
    M::Proof: Send,
    W: Wire,
    P: Phone,
{
    let id = steps.call(Interval::Start, start).await?.id;
    let proof = proof(steps.phone(&number, &id).await?)
        .ok_or_else(|| Failure::new(FailureKind::CodeMissing, "what reached the phone proves nothing"))?;
    let report = Report::<M>::by_id(id.clone(), proof);
    let reported = match steps.call(Interval::Report, &report).await {
        Ok(verification) => Reported::Answered(verification.status),
        // A wrong proof may be refused or answered; either way the status tells how it stands.
        Err(failure) if failure.kind() == FailureKind::Api(ApiError::NOT_PROCESSABLE) => Reported::Refused,
        Err(failure) => return Err(failure),
    };
    let seen = steps.call(Interval::Status, &StatusById { id }).await?;
    expected.check(&reported, &seen)
}
