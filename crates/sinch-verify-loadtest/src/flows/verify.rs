//! Verifications that are to succeed.

use bytes::Bytes;
use http::Request;
use sinch_verify_protocol::method::{Reportable, Seamless};
use sinch_verify_protocol::{Method, Start, Verification};

use super::expectation::Expectation;
use super::steps::{Steps, unmade};
use crate::failure::{Failure, FailureKind};
use crate::measure::Interval;
use crate::phone::{Delivered, Phone};
use crate::wire::Wire;

/// The flow of a method that ends by a report: start, phone, report, result event, status.
pub(super) async fn by_report<M, W, P>(
    steps: &mut Steps<'_, W, P>,
    start: Start<M>,
    proof: fn(&Delivered) -> Option<M::Proof>,
) -> Result<(), Failure>
where
    M: Reportable,
    M::Details: Send,
    M::Proof: Send,
    W: Wire,
    P: Phone,
{
    let expected = Expectation::successful();
    let id = steps.start(start).await?.id;
    let proof = proof(&steps.phone(&id).await?).ok_or_else(proves_nothing)?;
    let reported = steps.report::<M>(&id, proof).await?;
    steps.result(&id, &expected).await?;
    let seen = steps.status(&id, M::METHOD).await?;
    expected.check(Some(&reported), &seen)
}

/// The flow of a data verification: start, fetch the address, result event, status.
pub(super) async fn by_fetch<W: Wire, P: Phone>(steps: &mut Steps<'_, W, P>) -> Result<(), Failure> {
    let expected = Expectation::successful();
    let started = steps.start(Start::<Seamless>::seamless(steps.number())).await?;
    let address = started.details.target_uri.ok_or_else(|| {
        let detail = "the start's answer has no address to fetch";
        Failure::new(FailureKind::CodeMissing, detail)
    })?;
    let request = Request::get(address.as_str())
        .body(Bytes::new())
        .map_err(|error| unmade(&error))?;
    let answer = steps.send(Interval::Fetch, "seamless_fetch", request).await?;
    Verification::from_http(&answer).map_err(|error| Failure::from(&error))?;
    steps.result(&started.id, &expected).await?;
    let seen = steps.status(&started.id, Method::Seamless).await?;
    expected.check(None, &seen)
}

pub(super) fn proves_nothing() -> Failure {
    Failure::new(FailureKind::CodeMissing, "what reached the phone proves nothing")
}
