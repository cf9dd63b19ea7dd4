//! Status queries about verifications that are there already.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sinch_verify_protocol::{
    Method, PhoneNumber, Reference, Start, StatusById, StatusByNumber, StatusByReference, VerificationId,
};

use super::Flow;
use crate::model::{Failure, FailureKind, Setting};

/// How many verifications each shard starts before the run.
pub(super) const PENDING: usize = 64;

/// The verifications that were started before the run, and stay pending.
#[derive(Debug, Default)]
pub(super) struct Pending(Mutex<Vec<Verification>>);

#[derive(Clone, Debug)]
struct Verification {
    id: VerificationId,
    reference: Reference,
    number: PhoneNumber,
}

impl Pending {
    fn lock(&self) -> MutexGuard<'_, Vec<Verification>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Starts one verification to query.
pub(super) async fn prepare(mut flow: Flow<'_>, pending: Arc<Pending>) -> Result<(), Failure> {
    let (number, reference) = (flow.number(), flow.reference()?);
    let start = Start::sms(number).reference(reference.clone());
    let id = flow.start(start).await?.id.clone();
    pending.lock().push(Verification {
        id,
        reference,
        number,
    });
    Ok(())
}

/// Queries one of them by id, by reference, and by method and number. A device can query in the last way
/// only.
pub(super) async fn query(mut flow: Flow<'_>, pending: Arc<Pending>) -> Result<(), Failure> {
    let index = usize::try_from(flow.index()).unwrap_or_default();
    let verification = {
        let pending = pending.lock();
        let place = index.checked_rem(pending.len());
        place.and_then(|place| pending.get(place)).cloned()
    };
    let Some(Verification {
        id,
        reference,
        number,
    }) = verification
    else {
        let detail = "there is no verification to query";
        return Err(Failure::new(FailureKind::Request, detail));
    };
    let mut answers = Vec::with_capacity(3);
    if flow.setting() == Setting::Backend {
        answers.push(flow.call("status", &StatusById { id: id.clone() }).await?);
        answers.push(
            flow.call("status-by-reference", &StatusByReference { reference })
                .await?,
        );
    }
    let method = Method::Sms;
    answers.push(
        flow.call("status-by-number", &StatusByNumber { method, number })
            .await?,
    );
    if answers.iter().all(|answer| answer.id == id) {
        return Ok(());
    }
    Err(Failure::mismatch("a status is that of another verification"))
}
