//! Starts and reports, whose missing answers are settled by a status query.

use std::time::Duration;

use sinch_verify_protocol::method::MethodMarker;
use sinch_verify_protocol::start::StartResponse;
use sinch_verify_protocol::{Method, Reference, Report, Start, Started, Status, Verification};
use tracing::Instrument as _;

use crate::call::{Ask, Call};
use crate::client::Inner;
use crate::clock::Budget;
use crate::entropy::Entropy;
use crate::error::Error;
use crate::found::{Claim, Found, Whose};

/// A start that was answered, or that is known to have arrived.
pub(crate) struct Begun<M: MethodMarker> {
    pub(crate) started: Started<M>,
    /// What the status query said, where the answer itself was lost.
    pub(crate) found: Option<Verification>,
}

/// A start with what it needs and lacked, and how its verification can be asked for.
pub(crate) struct Opening<M: MethodMarker> {
    start: Start<M>,
    pub(crate) whose: Whose,
}

impl<M: MethodMarker> Opening<M> {
    /// Gives `start` a reference, and the client's languages, where it has none of its own.
    pub(crate) fn new(inner: &Inner, start: Start<M>) -> Self {
        let (start, claim) = match start.body().reference {
            Some(_) => (start, Claim::Since(inner.clock.instant())),
            None => {
                let reference = fresh_reference(&*inner.entropy);
                (start.reference(reference), Claim::Reference)
            }
        };
        let start = if start.has_languages() || inner.languages.is_empty() {
            start
        } else {
            start.languages(inner.languages.clone())
        };
        let body = start.body();
        let number = body.identity.phone_number().ok();
        let whose = Whose {
            id: None,
            reference: body
                .reference
                .as_deref()
                .and_then(|text| Reference::new(text).ok()),
            number: number.map(|number| (start.method().clone(), number)),
            claim,
        };
        Self { start, whose }
    }
}

/// Sends a start.
pub(crate) async fn start<M: MethodMarker>(inner: &Inner, opening: &Opening<M>) -> Result<Begun<M>, Error> {
    let Opening { start, whose } = opening;
    let mut call = Call::new::<Start<M>>(inner, whose.masked(), inner.budget());
    let span = call.record.span().clone();
    async move {
        let halt = match call.exchange(start).await {
            Ok(started) => return Ok(Begun { started, found: None }),
            Err(halt) => halt,
        };
        let mut whose = whose.clone();
        // What may have arrived is not sent again, so it was the last. While the service put the start
        // off, somebody else may have taken the reference.
        if let Some(at) = call.sent_at {
            whose.was_sent(at);
        }
        let taken = halt.kind.is_conflict();
        if taken {
            whose.was_taken();
        }
        if let Some(ask) = halt.ask
            && whose.can_ask(&inner.credentials)
        {
            let found = match taken {
                // It is there, or will not come.
                true => look_once(inner, &whose, ask.wait, call.budget).await.0,
                false => look_for(inner, &whose, ask.wait, call.budget).await,
            };
            if let Found::Verification(verification) = &found
                && let Some(started) = recover(start.method(), verification)
            {
                return Ok(Begun {
                    started,
                    found: Some(Verification::clone(verification)),
                });
            }
            call.keep(found);
        }
        Err(call.failed(halt.kind).with_whose(whose))
    }
    .instrument(span)
    .await
}

/// Sends a report.
pub(crate) async fn report<M: MethodMarker>(
    inner: &Inner,
    report: &Report<M>,
    whose: &Whose,
) -> Result<Verification, Error> {
    let mut call = Call::new::<Report<M>>(inner, whose.masked(), inner.budget());
    let span = call.record.span().clone();
    async move {
        loop {
            let halt = match call.exchange(report).await {
                Ok(verification) => return Ok(verification),
                Err(halt) => halt,
            };
            if let Some(Ask { wait, again }) = halt.ask
                && whose.can_ask(&inner.credentials)
            {
                let (found, _) = look_once(inner, whose, wait, call.budget).await;
                let pending = match &found {
                    Found::Verification(verification) if verification.status != Status::Pending => {
                        return Ok(Verification::clone(verification));
                    }
                    Found::Verification(_) => true,
                    // The number's latest verification: as long as it is pending, the report was not
                    // taken. Its end may be that of another one, and is not given as the answer.
                    Found::Doubtful(latest) => latest.status == Status::Pending,
                    Found::Nothing | Found::Unknown(_) => false,
                };
                call.keep(found);
                if pending && again {
                    continue;
                }
            }
            return Err(call.failed(halt.kind).with_whose(whose.clone()));
        }
    }
    .instrument(span)
    .await
}

/// A reference that nobody used before: 128 random bits.
fn fresh_reference(entropy: &dyn Entropy) -> Reference {
    let text = format!("{:016x}{:016x}", entropy.next_u64(), entropy.next_u64());
    #[expect(clippy::expect_used, reason = "32 hexadecimal digits are a reference")]
    let reference = Reference::new(&text).expect("32 hexadecimal digits");
    reference
}

/// What the start would have answered, for a method whose answer holds nothing but the id that the
/// app cannot do without: not so for a flash call and its filter, or for a data verification and its
/// address.
fn recover<M: MethodMarker>(method: &Method, found: &Verification) -> Option<Started<M>> {
    let alive = match found.status {
        Status::Pending | Status::Unknown(_) => true,
        // Where a report is needed nobody has made one, so it is no success to go on with.
        Status::Successful => method.takes_a_key(),
        _ => false,
    };
    let answer = || StartResponse::new(found.id.clone(), method.clone());
    alive.then(|| Started::read(method, answer(), None).ok())?
}

/// Asks until the verification is there: the service may still be at work on the start, which waits
/// for the application's callback.
async fn look_for(inner: &Inner, whose: &Whose, wait: Duration, budget: Budget) -> Found {
    let begun = inner.clock.instant();
    let mut wait = wait;
    for questions in 1.. {
        let (found, waited) = look_once(inner, whose, wait, budget).await;
        let spent = inner.clock.instant().saturating_duration_since(begun);
        let again = inner.retry.ask_again(questions, spent, inner.entropy.next_u64());
        match (&found, again) {
            (Found::Nothing, Some(pause)) if waited => wait = pause,
            _ => return found,
        }
    }
    Found::Nothing
}

/// Asks after this wait, and tells whether there was time for the wait. Where it does not fit, there
/// is at least the question, which the budget then limits.
async fn look_once(inner: &Inner, whose: &Whose, wait: Duration, budget: Budget) -> (Found, bool) {
    let waited = budget.sleep(&*inner.clock, wait).await;
    let found = whose.ask(inner, budget).await.unwrap_or_else(Found::Unknown);
    (found, waited)
}

/// How a report's verification can be asked for.
pub(crate) fn whose_report<M: MethodMarker>(report: &Report<M>) -> Whose {
    Whose {
        id: report.id().cloned(),
        number: report.number().map(|number| (report.method().clone(), *number)),
        ..Whose::default()
    }
}
