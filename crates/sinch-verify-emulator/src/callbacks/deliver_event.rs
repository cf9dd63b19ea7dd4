//! Result and delivered events, posted until the receiver accepts them.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::Request;
use sinch_verify_protocol::WireObject as _;
use sinch_verify_protocol::callback::{ResultEvent, SmsDeliveredEvent};
use tokio::sync::Semaphore;

use super::post::{Judgement, OutgoingEvent, fault_for, post, signed, unsent};
use crate::core::{Core, PostResult};
use crate::engine::{Effect, Notice, Uid};
use crate::operation::Operation;
use crate::splitmix::splitmix64;

/// The result of a try.
#[derive(Clone, Copy)]
pub(super) enum TryResult {
    /// The event was delivered, or the application has no callback URL any more.
    Finished,
    /// It was not delivered; this is the wire time at which it was sent.
    Failed { sent: SystemTime },
}

/// Tries to deliver an event, for the `attempt`th time; the last time it was sent at `before`.
pub(super) async fn try_once(
    core: &Core,
    in_flight: &Semaphore,
    effect: &Effect,
    attempt: u32,
    before: Option<SystemTime>,
) -> TryResult {
    // Waits between tries hold no permit.
    let Ok(_permit) = in_flight.acquire().await else {
        return TryResult::Finished;
    };
    // Looked up every time: the URL may be set anew between tries.
    let (Some(url), Some(registered)) = (core.registry.callback(effect.app), core.registry.get(effect.app))
    else {
        return TryResult::Finished;
    };
    let signer = &registered.signer;
    let fault = match &effect.notice {
        Notice::Result(event) => fault_for(core, signer, Operation::Result, &event.identity),
        Notice::Delivered(event) => fault_for(core, signer, Operation::Delivered, &event.identity),
    };
    // Two tries with one timestamp would be a replay.
    let clock = core.clock();
    let sent = before.map_or_else(|| clock.wire(), |before| clock.wire_after(before));
    let outgoing = OutgoingEvent {
        request: signed(url.uri(), signer, body(&effect.notice), sent, fault.as_ref()),
        fault,
        attempt,
        ..outgoing(core, effect)
    };
    let mut heard = false;
    post(core, outgoing, |outcome| {
        let judgement = judge(outcome);
        heard = judgement.0;
        judgement
    })
    .await;
    if heard {
        TryResult::Finished
    } else {
        TryResult::Failed { sent }
    }
}

/// Says that an event is not tried any more.
pub(super) fn give_up(effect: &Effect, tries: u32) {
    tracing::warn!(id = %effect.uid, event = name(&effect.notice), tries, "event was given up");
}

/// Whether an event was delivered, and what is wrong with the answer or an anomaly of it.
pub(super) fn judge(outcome: &PostResult) -> Judgement {
    match outcome {
        Ok(answered) if answered.status.is_success() => {
            let body = answered.body.trim_ascii();
            let is_ignored = !body.is_empty() && body != b"{}";
            let remark = "the answer has a body, which nobody reads; an empty one is expected";
            (true, is_ignored.then(|| remark.to_owned()))
        }
        Ok(answered) => {
            let status = answered.status.as_u16();
            (false, Some(format!("answered {status}, must be 200")))
        }
        Err(error) => (false, Some(error.clone())),
    }
}

/// Notes that too many events wait already.
pub(super) fn drop_unsent(core: &Core, effect: &Effect) {
    tracing::warn!(id = %effect.uid, "event was dropped: too many are waiting");
    if let (Some(url), Some(own)) = (core.registry.callback(effect.app), core.registry.get(effect.app)) {
        let request = signed(
            url.uri(),
            &own.signer,
            body(&effect.notice),
            core.clock().wire(),
            None,
        );
        let outgoing = OutgoingEvent {
            request,
            ..outgoing(core, effect)
        };
        unsent(core, outgoing, "not sent: too many events are waiting");
    }
}

/// An event without what a try adds.
fn outgoing<'a>(core: &Core, effect: &Effect) -> OutgoingEvent<'a> {
    OutgoingEvent {
        app: effect.app,
        verification_id: effect.uid.to_id(),
        event: name(&effect.notice),
        attempt: 1,
        request: Request::default(),
        timeout: core.settings().event_timeout,
        fault: None,
        replay_of: None,
        variant: None,
    }
}

fn body(notice: &Notice) -> Bytes {
    let body = match notice {
        Notice::Delivered(event) => event.to_json(),
        Notice::Result(event) => event.to_json(),
    };
    body.into()
}

pub(super) fn name(notice: &Notice) -> &'static str {
    match notice {
        Notice::Delivered(_) => SmsDeliveredEvent::EVENT,
        Notice::Result(_) => ResultEvent::EVENT,
    }
}

/// The wait before try `attempt`: doubled every time, with up to half of it taken off so that
/// events that failed together do not come together again.
pub(super) fn retry_delay(core: &Core, uid: Uid, attempt: u32) -> Duration {
    let doublings = attempt.saturating_sub(2).min(16);
    let whole = core.settings().event_backoff.saturating_mul(1 << doublings);
    let chance = splitmix64(core.seed() ^ uid.low_bits() ^ u64::from(attempt));
    // At most half of the longest span there is, so it is one.
    let off = (whole / 2).mul_f64(f64::from((chance >> 32) as u32) / f64::from(u32::MAX));
    whole.saturating_sub(off)
}
