//! Verifications that are to be refused, and what is to be refused around them.

use std::time::{Duration, SystemTime};

use http::StatusCode;
use sinch_verify_callback::testing::{Tamper, request_event};
use sinch_verify_protocol::method::Sms;
use sinch_verify_protocol::seconds::Expiry;
use sinch_verify_protocol::start::SmsOptions;
use sinch_verify_protocol::{
    Code, Method, Reason, Report, ReportOutcome, Start, Status, VerificationId, WireObject as _,
};
use tokio::time::Instant;

use super::Flow;
use super::expectation::Expectation;
use super::verify::{by_report, proves_nothing};
use crate::callbacks::CallbackAnswer;
use crate::model::{Failure, FailureKind, Setting};

/// Wrong codes that a verification stands, unless the service is set otherwise.
const ATTEMPTS: u32 = 3;
/// Starts for one number in a storm.
const STORM: u32 = 5;
/// The shortest expiry that a start can ask for.
const EXPIRY: Duration = Duration::from_secs(1);
/// How much later than that a verification may still be seen pending.
const EXPIRY_SLACK: Duration = Duration::from_secs(3);
/// How long a slow answer takes: within any service's patience, and the receiver's own deadline.
const SLOW: Duration = Duration::from_millis(200);
/// The time between two looks at a verification that is to expire.
const LOOK: Duration = Duration::from_millis(50);

/// Reports wrong codes: in even slots one fewer than is stood, and then the right one, which still
/// counts; in odd ones as many as end the verification.
pub(super) async fn wrong_code(mut flow: Flow<'_>) -> Result<(), Failure> {
    let gives_up = flow.index() % 2 == 1;
    let id = flow.start(Start::sms(flow.number())).await?.id.clone();
    let right = flow.phone(&id).await?.code.ok_or_else(proves_nothing)?;
    let wrong = other_than(&right)?;
    for _ in 1..ATTEMPTS {
        let reported = flow.report(by_sms(&id, wrong.clone())).await?;
        check_answer(&reported, &Status::Pending, "a wrong code with attempts left")?;
    }
    let (last, expected) = if gives_up {
        (wrong, Expectation::ended(Status::Fail, Reason::InvalidCode))
    } else {
        (right, Expectation::successful())
    };
    let reported = flow.report(by_sms(&id, last)).await?;
    flow.result(&id, &expected).await?;
    let seen = flow.status(&id, Method::Sms).await?;
    expected.check(Some(&reported), &seen)
}

/// Fails where the report was answered with another status.
fn check_answer(reported: &ReportOutcome, expected: &Status, what: &str) -> Result<(), Failure> {
    match reported.verification() {
        Some(answer) if answer.status != *expected => {
            let detail = format!("{what} was answered {}", answer.status);
            Err(Failure::quoting(FailureKind::OutcomeMismatch, &detail))
        }
        _ => Ok(()),
    }
}

fn by_sms(id: &VerificationId, code: Code) -> Report<Sms> {
    Report::by_id(id.clone(), code)
}

/// A code of the same length that differs in its last character.
fn other_than(code: &Code) -> Result<Code, Failure> {
    let mut text = code.expose().to_owned();
    let other = if text.pop() == Some('0') { '1' } else { '0' };
    text.push(other);
    Code::new(&text).map_err(|error| Failure::unmade(&error))
}

/// Starts again and again for one number: each start replaces the one before, and the last can be
/// verified. A service that limits starts for one number may refuse all but the first.
pub(super) async fn resend_storm(mut flow: Flow<'_>) -> Result<(), Failure> {
    let mut id = flow.start(Start::sms(flow.number())).await?.id.clone();
    let mut replaced = None;
    for _ in 1..STORM {
        match flow.start(Start::sms(flow.number())).await {
            Ok(started) => replaced = Some(std::mem::replace(&mut id, started.id.clone())),
            Err(refusal) if is_limit(refusal.kind()) => break,
            Err(failure) => return Err(failure),
        }
    }
    // A device cannot ask by id.
    if let Some(replaced) = replaced.filter(|_| flow.setting() == Setting::Backend) {
        let seen = flow.status(&replaced, Method::Sms).await?;
        Expectation::aborted().check(None, &seen)?;
    }
    by_last_code(flow, &id).await
}

fn is_limit(kind: FailureKind) -> bool {
    matches!(kind, FailureKind::Http(429) | FailureKind::Api(42900..=42999))
}

async fn by_last_code(mut flow: Flow<'_>, id: &VerificationId) -> Result<(), Failure> {
    let expected = Expectation::successful();
    let code = flow.phone(id).await?.code.ok_or_else(proves_nothing)?;
    let reported = flow.report(by_sms(id, code)).await?;
    flow.result(id, &expected).await?;
    let seen = flow.status(id, Method::Sms).await?;
    expected.check(Some(&reported), &seen)
}

/// Never reports in time: the verification expires, and a late report changes nothing.
pub(super) async fn expire(mut flow: Flow<'_>) -> Result<(), Failure> {
    let expected = Expectation::ended(Status::Fail, Reason::Expired);
    let expiry = Expiry::new(EXPIRY).map_err(|error| Failure::unmade(&error))?;
    let start = Start::sms(flow.number()).options(SmsOptions::default().expiry(expiry));
    let id = flow.start(start).await?.id.clone();
    let started = Instant::now();
    let code = flow.phone(&id).await?.code.ok_or_else(proves_nothing)?;
    tokio::time::sleep(EXPIRY).await;
    let seen = loop {
        let seen = flow.status(&id, Method::Sms).await?;
        if seen.status != Status::Pending || started.elapsed() > EXPIRY + EXPIRY_SLACK {
            break seen;
        }
        tokio::time::sleep(LOOK).await;
    };
    expected.check(None, &seen)?;
    flow.result(&id, &expected).await?;
    // Refused, or answered with how it ended; never verified.
    let reported = flow.report(by_sms(&id, code)).await?;
    check_answer(&reported, &Status::Fail, "a report after the expiry")
}

/// The callback denies.
pub(super) async fn deny(mut flow: Flow<'_>) -> Result<(), Failure> {
    let expected = Expectation::ended(Status::Denied, Reason::DeniedByCallback);
    let start = Start::sms(flow.number());
    flow.refused_start(start, &expected).await
}

/// The callback receiver answers wrongly, in one way after the other; only a slow answer is no harm.
pub(super) async fn bad_callback(mut flow: Flow<'_>) -> Result<(), Failure> {
    if let CallbackAnswer::Slow(_) = bad_callback_answer(flow.index()) {
        return by_report(flow, &Sms::INFO).await;
    }
    let expected = Expectation::ended(Status::Denied, Reason::InvalidCallback);
    let start = Start::sms(flow.number());
    flow.refused_start(start, &expected).await
}

/// The ways in which the callback receiver answers wrongly, in turn.
pub(super) fn bad_callback_answer(index: u64) -> CallbackAnswer {
    match index % 5 {
        0 => CallbackAnswer::Status(500),
        1 => CallbackAnswer::BrokenJson,
        2 => CallbackAnswer::WrongSecret,
        3 => CallbackAnswer::Slow(SLOW),
        _ => CallbackAnswer::Never,
    }
}

/// Sends callbacks to our receiver that it must refuse: one that it took already, one signed an hour
/// ago, and one that was changed. The verification they are about is not harmed.
pub(super) async fn replay(mut flow: Flow<'_>) -> Result<(), Failure> {
    let receiver = flow.receiver()?;
    let id = flow.start(Start::sms(flow.number())).await?.id.clone();
    let mut event = request_event(id.clone(), Method::Sms, flow.number());
    event.custom = Some(flow.custom()?.as_str().to_owned().into());
    let now = SystemTime::now();
    let good = receiver
        .signer()
        .post(receiver.url().clone(), event.to_json(), now);
    let spoiled = |tamper: Tamper| {
        let mut request = good.clone();
        tamper.apply(receiver.signer(), &mut request, now);
        request
    };
    let (stale, changed) = (spoiled(Tamper::Stale), spoiled(Tamper::Body));
    let taken = flow.send("cb-refused", good.clone()).await?;
    if taken.status() != StatusCode::OK {
        let detail = format!("an authentic callback was answered {}", taken.status().as_u16());
        return Err(Failure::new(FailureKind::Signature, detail));
    }
    for (what, request) in [("repeated", good), ("stale", stale), ("changed", changed)] {
        let answer = flow.send("cb-refused", request).await?;
        if answer.status() != StatusCode::UNAUTHORIZED {
            let detail = format!("a {what} callback was answered {}", answer.status().as_u16());
            return Err(Failure::new(FailureKind::Signature, detail));
        }
    }
    by_last_code(flow, &id).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_codes_are_as_long_and_never_the_same() {
        for text in ["0000", "4821", "4820", "ABCX", "1"] {
            let code = Code::new(text).unwrap();
            let other = other_than(&code).unwrap();
            assert_ne!(other, code);
            assert_eq!(other.expose().len(), text.len());
        }
    }
}
