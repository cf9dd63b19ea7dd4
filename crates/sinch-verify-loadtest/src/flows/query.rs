//! Questions about verifications that are there already.

use sinch_verify_protocol::{
    Method, PhoneNumber, Reference, StatusById, StatusByNumber, StatusByReference, VerificationId,
};

use super::steps::Steps;
use crate::failure::{Failure, FailureKind};
use crate::measure::Interval;
use crate::phone::Phone;
use crate::runfile::Setting;
use crate::wire::Wire;

/// A verification that was made before the run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Its id.
    pub id: VerificationId,
    /// The reference it was started with.
    pub reference: Reference,
    /// Its number.
    pub number: PhoneNumber,
}

/// Asks by id, by reference, and by method and number. A device can ask in the last way only.
pub(super) async fn query<W: Wire, P: Phone>(steps: &mut Steps<'_, W, P>) -> Result<(), Failure> {
    let all = &steps.cast.known;
    let index = usize::try_from(steps.job.slot).unwrap_or_default();
    let Some(known) = index.checked_rem(all.len()).and_then(|index| all.get(index)) else {
        let detail = "there is no verification to ask for";
        return Err(Failure::new(FailureKind::Request, detail));
    };
    let mut answers = Vec::with_capacity(3);
    if steps.cast.setting == Setting::Backend {
        let by_id = StatusById { id: known.id.clone() };
        answers.push(steps.call(Interval::Status, &by_id).await?);
        let by_reference = StatusByReference {
            reference: known.reference.clone(),
        };
        answers.push(steps.call(Interval::StatusByReference, &by_reference).await?);
    }
    let by_number = StatusByNumber {
        method: Method::Sms,
        number: known.number,
    };
    answers.push(steps.call(Interval::StatusByNumber, &by_number).await?);
    if answers.iter().all(|answer| answer.id == known.id) {
        return Ok(());
    }
    let detail = "a status is that of another verification";
    Err(Failure::new(FailureKind::OutcomeMismatch, detail))
}
