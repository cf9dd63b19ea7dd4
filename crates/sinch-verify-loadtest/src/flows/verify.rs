//! Verifications that are to succeed.

use bytes::Bytes;
use http::Request;
use sinch_verify_protocol::method::MethodInfo;
use sinch_verify_protocol::report::Target;
use sinch_verify_protocol::{Report, Start, Verification};

use super::expectation::Expectation;
use super::steps::{Steps, unmade};
use crate::failure::{Failure, FailureKind};
use crate::measure::Interval;
use crate::phone::Phone;
use crate::wire::Wire;

/// The flow of a method that ends by a report: start, phone, report, result event, status.
pub(super) async fn by_report<W: Wire, P: Phone>(
    info: &MethodInfo,
    steps: &mut Steps<'_, W, P>,
) -> Result<(), Failure> {
    let expected = Expectation::successful();
    let id = steps.start(Start::by(info, steps.number())).await?.id.clone();
    let delivered = steps.phone(&id).await?;
    let proof = delivered.proof(info).ok_or_else(proves_nothing)?;
    let report = Report::new(Target::Id(id.clone()), &info.method, proof).map_err(|error| unmade(&error))?;
    let reported = steps.report(report).await?;
    steps.result(&id, &expected).await?;
    let seen = steps.status(&id, info.method.clone()).await?;
    expected.check(Some(&reported), &seen)
}

/// The flow of a data verification: start, fetch the address, result event, status.
pub(super) async fn by_fetch<W: Wire, P: Phone>(
    info: &MethodInfo,
    steps: &mut Steps<'_, W, P>,
) -> Result<(), Failure> {
    let expected = Expectation::successful();
    let started = steps.start(Start::by(info, steps.number())).await?;
    let details = started.seamless.as_ref();
    let address = details.and_then(|details| details.target_uri.as_ref());
    let address = address.ok_or_else(|| {
        let detail = "the start's answer has no address to fetch";
        Failure::new(FailureKind::CodeMissing, detail)
    })?;
    let request = Request::get(address.as_str())
        .body(Bytes::new())
        .map_err(|error| unmade(&error))?;
    let answer = steps.send(Interval::Fetch, "seamless_fetch", request).await?;
    Verification::from_http(&answer).map_err(|error| Failure::from(&error))?;
    steps.result(&started.id, &expected).await?;
    let seen = steps.status(&started.id, info.method.clone()).await?;
    expected.check(None, &seen)
}

pub(super) fn proves_nothing() -> Failure {
    Failure::new(FailureKind::CodeMissing, "what reached the phone proves nothing")
}
