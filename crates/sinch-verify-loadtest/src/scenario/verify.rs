//! Verifications that are to succeed.

use bytes::Bytes;
use http::Request;
use sinch_verify_protocol::method::{Form, MethodInfo};
use sinch_verify_protocol::report::Target;
use sinch_verify_protocol::{Report, Start, Verification};

use super::Flow;
use super::expectation::Expectation;
use crate::model::{Failure, FailureKind};

/// A verification by a method: start, report what reached the phone or fetch the address, wait for the
/// result event, query the status.
pub(super) async fn verify(flow: Flow<'_>, info: &'static MethodInfo) -> Result<(), Failure> {
    match info.form {
        Form::Address => by_fetch(flow, info).await,
        _ => by_report(flow, info).await,
    }
}

/// The flow of a method that ends by a report.
pub(super) async fn by_report(mut flow: Flow<'_>, info: &'static MethodInfo) -> Result<(), Failure> {
    let expected = Expectation::successful();
    let id = flow.start(Start::by(info, flow.number())).await?.id.clone();
    let delivered = flow.phone(&id).await?;
    let proof = delivered.proof(info).ok_or_else(proves_nothing)?;
    let report = Report::new(Target::Id(id.clone()), &info.method, proof);
    let reported = flow
        .report(report.map_err(|error| Failure::unmade(&error))?)
        .await?;
    flow.result(&id, &expected).await?;
    let seen = flow.status(&id, info.method.clone()).await?;
    expected.check(Some(&reported), &seen)
}

/// The flow of a data verification, which ends when its address is fetched.
async fn by_fetch(mut flow: Flow<'_>, info: &'static MethodInfo) -> Result<(), Failure> {
    let expected = Expectation::successful();
    let started = flow.start(Start::by(info, flow.number())).await?;
    let details = started.seamless.as_ref();
    let address = details.and_then(|details| details.target_uri.as_ref());
    let address = address.ok_or_else(|| {
        let detail = "the start's answer has no address to fetch";
        Failure::new(FailureKind::CodeMissing, detail)
    })?;
    let request = Request::get(address.as_str()).body(Bytes::new())?;
    let answer = flow.send("fetch", request).await?;
    Verification::from_http(&answer).map_err(|error| Failure::from(&error))?;
    flow.result(&started.id, &expected).await?;
    let seen = flow.status(&started.id, info.method.clone()).await?;
    expected.check(None, &seen)
}

pub(super) fn proves_nothing() -> Failure {
    Failure::new(FailureKind::CodeMissing, "what reached the phone proves nothing")
}
