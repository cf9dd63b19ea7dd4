//! Verifications that are to be refused, and what is to be refused around them.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use sinch_verify_callback::testing::{Tamper, request_event};
use sinch_verify_protocol::method::Sms;
use sinch_verify_protocol::seconds::Expiry;
use sinch_verify_protocol::start::SmsOptions;
use sinch_verify_protocol::{
    Code, Method, Reason, Report, ReportOutcome, Start, Status, VerificationId, WireObject as _,
};

use super::Flow;
use super::expectation::Expectation;
use super::steps::{Steps, unmade};
use super::verify::{by_report, proves_nothing};
use crate::callbacks::{Misbehaviour, Token};
use crate::failure::{Failure, FailureKind};
use crate::measure::Interval;
use crate::phone::Phone;
use crate::runfile::Setting;
use crate::wire::Wire;

/// Wrong codes that a verification stands, unless the service is set otherwise.
const ATTEMPTS: u32 = 3;
/// Starts for one number in a storm.
const STORM: u32 = 5;
/// The shortest expiry that a start can ask for.
const EXPIRY: Duration = Duration::from_secs(1);
/// How much later than that a verification may still be seen pending.
const EXPIRY_SLACK: Duration = Duration::from_secs(3);
/// The time between two looks at a verification that is to expire.
const LOOK: Duration = Duration::from_millis(50);

/// Reports wrong codes: in even slots one fewer than is stood, and then the right one, which still
/// counts; in odd ones as many as end the verification.
pub(super) async fn wrong_code<W: Wire, P: Phone>(steps: &mut Steps<'_, W, P>) -> Result<(), Failure> {
    let gives_up = steps.job.slot % 2 == 1;
    let id = steps.start(Start::<Sms>::sms(steps.number())).await?.id.clone();
    let right = steps.phone(&id).await?.code.ok_or_else(proves_nothing)?;
    let wrong = other_than(&right)?;
    for _ in 1..ATTEMPTS {
        let reported = steps.report(by_sms(&id, wrong.clone())).await?;
        told_otherwise(&reported, &Status::Pending, "a wrong code with attempts left")?;
    }
    let (last, expected) = if gives_up {
        (wrong, Expectation::ended(Status::Fail, Reason::InvalidCode))
    } else {
        (right, Expectation::successful())
    };
    let reported = steps.report(by_sms(&id, last)).await?;
    steps.result(&id, &expected).await?;
    let seen = steps.status(&id, Method::Sms).await?;
    expected.check(Some(&reported), &seen)
}

/// A mismatch, where the report was answered with another status.
fn told_otherwise(reported: &ReportOutcome, expected: &Status, what: &str) -> Result<(), Failure> {
    match reported.verification() {
        Some(told) if told.status != *expected => {
            let detail = format!("{what} was answered {}", told.status);
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
    Code::new(&text).map_err(|error| unmade(&error))
}

/// Starts again and again for one number: each start replaces the one before, and the last can be
/// verified. A service that limits starts for one number may refuse all but the first.
pub(super) async fn resend_storm<W: Wire, P: Phone>(steps: &mut Steps<'_, W, P>) -> Result<(), Failure> {
    let mut id = steps.start(Start::<Sms>::sms(steps.number())).await?.id.clone();
    let mut replaced = None;
    for _ in 1..STORM {
        match steps.start(Start::<Sms>::sms(steps.number())).await {
            Ok(started) => replaced = Some(std::mem::replace(&mut id, started.id.clone())),
            Err(refusal) if is_limit(refusal.kind()) => break,
            Err(failure) => return Err(failure),
        }
    }
    // A device cannot ask by id.
    if let Some(replaced) = replaced.filter(|_| steps.cast.setting == Setting::Backend) {
        let seen = steps.status(&replaced, Method::Sms).await?;
        Expectation::aborted().check(None, &seen)?;
    }
    by_last_code(steps, &id).await
}

fn is_limit(kind: FailureKind) -> bool {
    matches!(kind, FailureKind::Http(429) | FailureKind::Api(42900..=42999))
}

async fn by_last_code<W: Wire, P: Phone>(
    steps: &mut Steps<'_, W, P>,
    id: &VerificationId,
) -> Result<(), Failure> {
    let expected = Expectation::successful();
    let code = steps.phone(id).await?.code.ok_or_else(proves_nothing)?;
    let reported = steps.report(by_sms(id, code)).await?;
    steps.result(id, &expected).await?;
    let seen = steps.status(id, Method::Sms).await?;
    expected.check(Some(&reported), &seen)
}

/// Never reports in time: the verification expires, and a late report changes nothing.
pub(super) async fn expire<W: Wire, P: Phone>(steps: &mut Steps<'_, W, P>) -> Result<(), Failure> {
    let expected = Expectation::ended(Status::Fail, Reason::Expired);
    let expiry = Expiry::new(EXPIRY).map_err(|error| unmade(&error))?;
    let start = Start::sms(steps.number()).options(SmsOptions::default().expiry(expiry));
    let id = steps.start(start).await?.id.clone();
    let started = steps.cast.clock.now();
    let code = steps.phone(&id).await?.code.ok_or_else(proves_nothing)?;
    tokio::time::sleep(EXPIRY).await;
    let seen = loop {
        let seen = steps.status(&id, Method::Sms).await?;
        let waited = steps.cast.clock.now().saturating_duration_since(started);
        if seen.status != Status::Pending || waited > EXPIRY + EXPIRY_SLACK {
            break seen;
        }
        tokio::time::sleep(LOOK).await;
    };
    expected.check(None, &seen)?;
    steps.result(&id, &expected).await?;
    // Refused, or answered with how it ended; never verified.
    let reported = steps.report(by_sms(&id, code)).await?;
    told_otherwise(&reported, &Status::Fail, "a report after the expiry")
}

/// The callback denies.
pub(super) async fn deny<W: Wire, P: Phone>(steps: &mut Steps<'_, W, P>) -> Result<(), Failure> {
    let expected = Expectation::ended(Status::Denied, Reason::DeniedByCallback);
    steps
        .denied_start(Start::<Sms>::sms(steps.number()), &expected)
        .await
}

/// The callback receiver misbehaves, in one way after the other.
pub(super) async fn bad_callback<W: Wire, P: Phone>(steps: &mut Steps<'_, W, P>) -> Result<(), Failure> {
    if Misbehaviour::of(steps.job.slot).is_survived() {
        return by_report(&Sms::INFO, steps).await;
    }
    let expected = Expectation::ended(Status::Denied, Reason::InvalidCallback);
    steps
        .denied_start(Start::<Sms>::sms(steps.number()), &expected)
        .await
}

/// Sends callbacks to our receiver that it must refuse: one that it took already, one signed an hour
/// ago, and one that was changed. The verification they are about is not harmed.
pub(super) async fn replay<W: Wire, P: Phone>(steps: &mut Steps<'_, W, P>) -> Result<(), Failure> {
    let Some(peer) = steps.cast.callbacks.clone() else {
        return Err(Failure::new(
            FailureKind::Request,
            "there is no callback receiver to replay to",
        ));
    };
    let id = steps.start(Start::<Sms>::sms(steps.number())).await?.id.clone();
    let mut event = request_event(id.clone(), Method::Sms, steps.number());
    let token = Token {
        run: steps.cast.run.clone(),
        flow: Flow::Replay,
        slot: steps.job.slot,
    };
    event.custom = Some(token.to_string().into());
    let now = steps.cast.clock.wall();
    let good = peer.signer.post(peer.url.clone(), event.to_json(), now);
    let spoiled = |tamper: Tamper| {
        let mut request = good.clone();
        tamper.apply(&peer.signer, &mut request, now);
        request
    };
    let (stale, changed) = (spoiled(Tamper::Stale), spoiled(Tamper::Body));
    let taken = post(steps, good.clone()).await?;
    if taken.status() != StatusCode::OK {
        let detail = format!("an authentic callback was answered {}", taken.status().as_u16());
        return Err(Failure::new(FailureKind::Signature, detail));
    }
    for (what, request) in [("repeated", good), ("stale", stale), ("changed", changed)] {
        let answer = post(steps, request).await?;
        if answer.status() != StatusCode::UNAUTHORIZED {
            let detail = format!("a {what} callback was answered {}", answer.status().as_u16());
            return Err(Failure::new(FailureKind::Signature, detail));
        }
    }
    by_last_code(steps, &id).await
}

async fn post<W: Wire, P: Phone>(
    steps: &mut Steps<'_, W, P>,
    request: Request<Bytes>,
) -> Result<Response<Bytes>, Failure> {
    steps.send(Interval::Refused, "callback", request).await
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
