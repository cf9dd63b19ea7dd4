//! Starts and reports, and the status queries that follow a lost answer.

use std::time::Duration;

use sinch_verify_protocol::retry::Next;
use sinch_verify_protocol::start::{MethodMarker, StartResponse};
use sinch_verify_protocol::{
    Endpoint, Method, Reference, Report, ReportOutcome, Start, Started, Status, StatusById, StatusByNumber,
    StatusByReference, Verification,
};
use tracing::Instrument as _;

use crate::call::{self, Call, Repeat};
use crate::clock::Budget;
use crate::context::Context;
use crate::counts;
use crate::entropy::Entropy;
use crate::error::{Error, Kind, Lookup};
use crate::verification_ref::{Dated, Evidence, VerificationRef};

/// A start that was answered, or that is known to have arrived.
pub(crate) struct ReconciledStart<M: MethodMarker> {
    pub(crate) started: Started<M>,
    pub(crate) target: VerificationRef,
    /// What the status query found, where the answer itself was lost.
    pub(crate) found: Option<Box<Verification>>,
}

/// A start with what it needs and lacked, and how its verification is looked up.
struct PreparedStart<M> {
    start: Start<M>,
    target: VerificationRef,
}

impl<M: MethodMarker> PreparedStart<M> {
    /// Gives `start` a reference, and the client's languages, where it has none of its own.
    fn new(context: &Context, start: Start<M>) -> Self {
        let (start, reference, evidence) = match start.own_reference().cloned() {
            Some(own) => (start, own, Evidence::SentAt(context.clock.instant())),
            None => {
                let fresh = fresh_reference(&*context.entropy);
                (start.reference(fresh.clone()), fresh, Evidence::OwnReference)
            }
        };
        let start = if start.has_languages() || context.languages.is_empty() {
            start
        } else {
            start.languages(context.languages.clone())
        };
        let target = VerificationRef {
            id: None,
            reference: Some(reference),
            number: Some((start.method().clone(), start.number())),
            evidence,
        };
        Self { start, target }
    }
}

/// Sends a start.
pub(crate) async fn start<M: MethodMarker>(
    context: &Context,
    start: Start<M>,
) -> Result<ReconciledStart<M>, Error> {
    let PreparedStart { start, mut target } = PreparedStart::new(context, start);
    let mut call = Call::new::<Start<M>>(context, target.masked(), context.budget());
    let span = call.record.span().clone();
    let sent = send_start(&mut call, &start, &mut target).instrument(span).await;
    let result = match sent {
        Ok((started, found)) => Ok(ReconciledStart::new(started, target, found)),
        Err((kind, lookup)) => Err(call.failed(kind).with_lookup(lookup).with_target(target)),
    };
    counts::started(start.method(), start.number(), result.as_ref().err());
    result
}

/// Sends a start until it is answered or given up. Gives the verification too where a query found it.
async fn send_start<M: MethodMarker>(
    call: &mut Call<'_>,
    start: &Start<M>,
    target: &mut VerificationRef,
) -> Result<(Started<M>, Option<Box<Verification>>), (Kind, Option<Lookup>)> {
    loop {
        let kind = match call.send(start).await {
            Ok(started) => return Ok((started, None)),
            Err(kind) => kind,
        };
        // What may have arrived is not sent again, so this sending was the last. While the service
        // put the start off, another start may have taken the reference.
        if let Some(at) = call.sent_at {
            target.was_sent(at);
        }
        if kind.is_conflict() {
            target.was_taken();
        }
        let lookup = match call.decide(kind.outcome()) {
            Next::Send { wait } if call.pause(wait).await => continue,
            Next::Query { wait } if target.can_be_queried(call.context.is_public()) => {
                // In a box: few starts are looked up, and the future of the others stays small.
                Some(Box::pin(reconcile(call, target, wait)).await.0)
            }
            _ => None,
        };
        if let Some(Lookup::Verification(found)) = &lookup
            && let Some(started) = recover(start.method(), found)
        {
            return Ok((started, Some(found.clone())));
        }
        return Err((kind, lookup));
    }
}

impl<M: MethodMarker> ReconciledStart<M> {
    fn new(started: Started<M>, target: VerificationRef, found: Option<Box<Verification>>) -> Self {
        let id = Some(started.id.clone());
        Self {
            target: VerificationRef { id, ..target },
            started,
            found,
        }
    }
}

/// Sends a report.
pub(crate) async fn report<M: MethodMarker>(
    context: &Context,
    report: &Report<M>,
    target: &VerificationRef,
) -> Result<ReportOutcome, Error> {
    let mut call = Call::new::<Report<M>>(context, target.masked(), context.budget());
    let span = call.record.span().clone();
    let result = async move {
        let mut lookup = None;
        loop {
            let kind = match call.send(report).await {
                Ok(verification) => return Ok(verification.into()),
                Err(kind) => kind,
            };
            let mut next = call.decide(kind.outcome());
            if let (Next::Done, Some(error)) = (next, kind.as_api_error()) {
                return Ok(ReportOutcome::refused(error.clone()));
            }
            if let Next::Query { wait } = next
                && target.can_be_queried(context.is_public())
            {
                let found;
                (found, next) = Box::pin(reconcile(&mut call, target, wait)).await;
                match (next, found) {
                    (Next::Done, Lookup::Verification(found)) => return Ok((*found).into()),
                    // The number's latest verification decides only that the report was not accepted.
                    (Next::Done, Lookup::Doubtful(latest)) if !latest.status.is_final() => {
                        return Ok((*latest).into());
                    }
                    (_, found) => lookup = Some(found),
                }
            }
            match next {
                Next::Send { wait } if call.pause(wait).await => {}
                _ => {
                    return Err(call.failed(kind).with_lookup(lookup).with_target(target.clone()));
                }
            }
        }
    }
    .instrument(span)
    .await;
    let outcome = result.as_ref().map(ReportOutcome::verification);
    counts::reported(report.method(), target.number(), outcome);
    result
}

/// Queries the status after this pause until it decides the call, and says what was found and what
/// follows.
async fn reconcile(call: &mut Call<'_>, target: &VerificationRef, mut wait: Duration) -> (Lookup, Next) {
    loop {
        let in_time = call.pause(wait).await;
        // Without time for the pause the query is made at once, and is the last.
        let lookup = look_up(call.context, target, call.budget, Repeat::Never).await;
        let lookup = lookup.unwrap_or_else(Lookup::Unknown);
        match call.decide(lookup.outcome()) {
            Next::Query { wait: pause } if in_time => wait = pause,
            next => return (lookup, next),
        }
    }
}

/// Looks the verification up, and judges whether it is the one that is meant.
pub(crate) async fn look_up(
    context: &Context,
    target: &VerificationRef,
    budget: Budget,
    repeat: Repeat,
) -> Result<Lookup, Error> {
    match query(context, target, budget, repeat).await {
        Ok(Some(found)) => {
            let certain = target.is_certain(&found, context.clock.instant(), context.is_public());
            let verification = Box::new(found.verification);
            Ok(if certain {
                Lookup::Verification(verification)
            } else {
                Lookup::Doubtful(verification)
            })
        }
        Ok(None) => Ok(Lookup::Nothing),
        Err(error) if error.is_not_found() => Ok(Lookup::Nothing),
        Err(error) => Err(error),
    }
}

/// The status of a verification whose id is known.
pub(crate) async fn status(
    context: &Context,
    target: &VerificationRef,
    budget: Budget,
    repeat: Repeat,
) -> Result<Verification, Error> {
    match query(context, target, budget, repeat).await? {
        Some(found) => Ok(found.verification),
        None => Err(Error::another_verification::<StatusByNumber>()),
    }
}

/// The verification: by id, by reference, or by method and number, the first that is known.
///
/// `None` where the answer certainly is another verification. Public authorization allows the query by
/// number only, which finds the number's latest one; and the verification of a reference that was used
/// before may be another number's.
async fn query(
    context: &Context,
    target: &VerificationRef,
    budget: Budget,
    repeat: Repeat,
) -> Result<Option<Dated>, Error> {
    let VerificationRef {
        id,
        reference,
        number,
        ..
    } = target.clone();
    let (id, reference) = if context.is_public() {
        (None, None)
    } else {
        (id, reference)
    };
    let (found, is_meant) = if let Some(id) = id {
        let query = StatusById { id };
        (send(context, &query, target, budget, repeat).await?, true)
    } else if let Some(reference) = reference {
        let query = StatusByReference { reference };
        let found = send(context, &query, target, budget, repeat).await?;
        let is_meant = target.may_have_reference(&found.verification);
        (found, is_meant)
    } else if let Some((method, number)) = number {
        let query = StatusByNumber { method, number };
        let found = send(context, &query, target, budget, repeat).await?;
        let is_meant = target.may_be_latest(&found.verification);
        (found, is_meant)
    } else {
        return Ok(None);
    };
    Ok(Some(found).filter(|_| is_meant))
}

async fn send<Q>(
    context: &Context,
    query: &Q,
    target: &VerificationRef,
    budget: Budget,
    repeat: Repeat,
) -> Result<Dated, Error>
where
    Q: Endpoint<Response = Verification>,
{
    let (verification, date) = call::run(context, query, target.masked(), budget, repeat).await?;
    Ok(Dated { verification, date })
}

/// A reference that was never used before: 128 random bits.
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
    let goes_on = match found.status {
        Status::Pending | Status::Unknown(_) => true,
        // Where a report is needed none was made, so it is no success to go on with.
        Status::Successful => method.takes_a_key(),
        _ => false,
    };
    let answer = StartResponse::new(found.id.clone(), method.clone());
    goes_on.then(|| Started::read(method, answer, None).ok())?
}

impl<M: MethodMarker> From<&Report<M>> for VerificationRef {
    fn from(report: &Report<M>) -> Self {
        Self {
            id: report.id().cloned(),
            number: report.number().map(|number| (report.method().clone(), *number)),
            ..Self::default()
        }
    }
}
