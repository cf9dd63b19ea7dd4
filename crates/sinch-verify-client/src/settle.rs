//! Starts and reports, whose missing answers are settled by a status query.

use http::HeaderValue;
use http::header::CONTENT_LANGUAGE;
use sinch_verify_protocol::method::{Reportable, VerifyMethod};
use sinch_verify_protocol::phone_number::Masked;
use sinch_verify_protocol::start::StartResponse;
use sinch_verify_protocol::{
    Endpoint as _, Reference, Report, Start, Started, Status, Verification, VerificationId, WireObject as _,
};
use tracing::Instrument as _;

use crate::call::{Ask, Call};
use crate::client::Inner;
use crate::clock::Budget;
use crate::entropy::Entropy;
use crate::error::Error;
use crate::found::{Found, Whose};

/// A start that was answered, or that is known to have arrived.
pub(crate) struct Begun<M: VerifyMethod> {
    pub(crate) started: Started<M>,
    /// What the status query said, where the answer itself was lost.
    pub(crate) found: Option<Verification>,
}

/// Sends a start, which has a reference.
pub(crate) async fn start<M: VerifyMethod>(
    inner: &Inner,
    start: &Start<M>,
    whose: &Whose,
) -> Result<Begun<M>, Error> {
    let number = Masked::new(start.number().as_str());
    let mut call = Call::new::<Start<M>>(inner, Some(number), inner.budget());
    let span = call.record.span().clone();
    async move {
        let halt = match call.exchange(start).await {
            Ok(started) => return Ok(Begun { started, found: None }),
            Err(halt) => halt,
        };
        let found = match halt.ask {
            Some(ask) if whose.can_ask(&inner.credentials) => {
                let found = look_for(inner, whose, &ask, call.budget).await;
                if let Found::Verification(verification) = &found
                    && let Some(started) = recover(verification)
                {
                    return Ok(Begun {
                        started,
                        found: Some(Verification::clone(verification)),
                    });
                }
                Some(found)
            }
            _ => None,
        };
        Err(call.failed(halt.kind).with_found(found).with_whose(whose.clone()))
    }
    .instrument(span)
    .await
}

/// Sends a report.
pub(crate) async fn report<M: Reportable>(
    inner: &Inner,
    report: &Report<M>,
    whose: &Whose,
) -> Result<Verification, Error> {
    let mut call = Call::new::<Report<M>>(inner, None, inner.budget());
    let span = call.record.span().clone();
    async move {
        loop {
            let halt = match call.exchange(report).await {
                Ok(verification) => return Ok(verification),
                Err(halt) => halt,
            };
            let found = match &halt.ask {
                Some(ask) if whose.can_ask(&inner.credentials) => {
                    let found = look_once(inner, whose, ask, call.budget).await;
                    match &found {
                        Found::Verification(verification) if verification.status != Status::Pending => {
                            return Ok(Verification::clone(verification));
                        }
                        Found::Verification(_) if ask.again => continue,
                        _ => Some(found),
                    }
                }
                _ => None,
            };
            return Err(call.failed(halt.kind).with_found(found).with_whose(whose.clone()));
        }
    }
    .instrument(span)
    .await
}

/// A reference that nobody used before: 128 random bits.
pub(crate) fn fresh_reference(entropy: &dyn Entropy) -> Reference {
    let text = format!("{:016x}{:016x}", entropy.next_u64(), entropy.next_u64());
    #[expect(clippy::expect_used, reason = "32 hexadecimal digits are a reference")]
    let reference = Reference::new(&text).expect("32 hexadecimal digits");
    reference
}

/// What the start would have answered, for a method whose answer holds nothing but the id that the
/// app cannot do without: not so for a flash call and its filter, or for a data verification and its
/// address.
fn recover<M: VerifyMethod>(found: &Verification) -> Option<Started<M>> {
    let alive = matches!(
        found.status,
        Status::Pending | Status::Successful | Status::Unknown(_)
    );
    alive.then(|| rebuild(&StartResponse::new(found.id.clone(), M::METHOD), None))?
}

/// The answer to a start, from its body.
pub(crate) fn rebuild<M: VerifyMethod>(body: &StartResponse, language: Option<&str>) -> Option<Started<M>> {
    let mut response = http::Response::new(body.to_json().into());
    if let Some(value) = language.and_then(|language| HeaderValue::from_str(language).ok()) {
        response.headers_mut().insert(CONTENT_LANGUAGE, value);
    }
    Start::<M>::from_http(&response).ok()
}

/// Asks until the verification is there: the service may still be at work on the start, which waits
/// for the application's callback.
async fn look_for(inner: &Inner, whose: &Whose, ask: &Ask, budget: Budget) -> Found {
    let mut question = 1;
    let mut wait = ask.wait;
    loop {
        let found = look_once(inner, whose, &Ask { wait, again: false }, budget).await;
        if !matches!(found, Found::Nothing) || question >= inner.retry.questions() {
            return found;
        }
        question += 1;
        wait = inner.retry.pause(question, inner.entropy.next_u64());
    }
}

async fn look_once(inner: &Inner, whose: &Whose, ask: &Ask, budget: Budget) -> Found {
    // Where the wait does not fit, there is at least the question, which the budget then limits.
    budget.sleep(&*inner.clock, ask.wait).await;
    match whose.ask(inner, budget).await {
        Ok(Some(verification)) => Found::Verification(Box::new(verification)),
        Ok(None) => Found::Nothing,
        Err(error) => Found::Unknown(error),
    }
}

/// How a report's verification can be asked for.
pub(crate) fn whose_report<M: Reportable>(report: &Report<M>) -> Whose {
    Whose {
        id: report.id().cloned(),
        reference: None,
        number: report.number().map(|number| (M::METHOD, *number)),
    }
}

/// How a start's verification can be asked for.
pub(crate) fn whose_start<M: VerifyMethod>(start: &Start<M>) -> Whose {
    let body = start.body();
    Whose {
        id: None::<VerificationId>,
        reference: body
            .reference
            .as_deref()
            .and_then(|text| Reference::new(text).ok()),
        number: body
            .identity
            .phone_number()
            .ok()
            .map(|number| (M::METHOD, number)),
    }
}
