//! Result and delivered events, posted until the receiver accepts them.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::Request;
use sinch_verify_protocol::WireObject as _;
use sinch_verify_protocol::callback::{ResultEvent, SmsDeliveredEvent};
use tokio::sync::Semaphore;

use super::post::{Judgement, OutgoingEvent, authorized, fault_for, post, unsent};
use crate::core::{Core, PostResult};
use crate::engine::{Effect, Notice, Uid};
use crate::operation::Operation;
use crate::splitmix::splitmix64;

/// The result of a try.
#[derive(Clone, Copy)]
pub(super) enum TryResult {
    /// The event was delivered, or the application no longer has a callback URL.
    Finished,
    /// The event was not delivered. `sent` is the wire time of the try.
    Failed { sent: SystemTime },
}

/// Tries to deliver an event. `before` is the wire time of the previous try.
pub(super) async fn try_once(
    core: &Core,
    in_flight: &Semaphore,
    effect: &Effect,
    attempt: u32,
    before: Option<SystemTime>,
) -> TryResult {
    // The permit is held only while the event is posted, not between tries.
    let Ok(_permit) = in_flight.acquire().await else {
        return TryResult::Finished;
    };
    // Looked up for every try, because the URL may change.
    let (Some(url), Some(own)) = (core.registry.callback(effect.app), core.registry.get(effect.app)) else {
        return TryResult::Finished;
    };
    let signer = &own.signer;
    let fault = match &effect.notice {
        Notice::Result(event) => fault_for(core, signer, Operation::Result, &event.identity),
        Notice::Delivered(event) => fault_for(core, signer, Operation::Delivered, &event.identity),
    };
    // Two tries with the same timestamp have the same signature: the receiver sees a replay.
    let clock = core.clock();
    let sent = before.map_or_else(|| clock.wire(), |before| clock.wire_after(before));
    let outgoing = OutgoingEvent {
        request: authorized(url.uri(), &own, body(&effect.notice), sent, fault.as_ref()),
        fault,
        attempt,
        ..outgoing(core, effect)
    };
    let mut is_delivered = false;
    post(core, outgoing, |outcome| {
        let judgement = judge(outcome);
        is_delivered = judgement.0;
        judgement
    })
    .await;
    if is_delivered {
        TryResult::Finished
    } else {
        TryResult::Failed { sent }
    }
}

/// Logs that an event will not be tried again.
pub(super) fn give_up(effect: &Effect, tries: u32) {
    tracing::warn!(id = %effect.uid, event = name(&effect.notice), tries, "event was given up");
}

/// Judges the answer to an event.
pub(super) fn judge(outcome: &PostResult) -> Judgement {
    match outcome {
        Ok(answered) if answered.status.is_success() => {
            let body = answered.body.trim_ascii();
            let is_ignored = !body.is_empty() && body != b"{}";
            let remark = "the body of the answer is ignored; answer with an empty body";
            (true, is_ignored.then(|| remark.to_owned()))
        }
        Ok(_) => (false, Some("the status must be 200".to_owned())),
        Err(error) => (false, Some(error.clone())),
    }
}

/// Records in the delivery log that an event is dropped because too many are waiting.
pub(super) fn drop_unsent(core: &Core, effect: &Effect) {
    tracing::warn!(id = %effect.uid, "event was dropped: too many are waiting");
    if let (Some(url), Some(own)) = (core.registry.callback(effect.app), core.registry.get(effect.app)) {
        let body = body(&effect.notice);
        let request = authorized(url.uri(), &own, body, core.clock().wire(), None);
        let outgoing = OutgoingEvent {
            request,
            ..outgoing(core, effect)
        };
        unsent(core, outgoing, "not sent: too many events are waiting");
    }
}

/// An event before its first try is signed.
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
        conformance: None,
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

/// The delay before try `attempt`. It doubles with every try, less a random part of up to half, so
/// that events that failed together are not retried together.
pub(super) fn retry_delay(core: &Core, uid: Uid, attempt: u32) -> Duration {
    let doublings = attempt.saturating_sub(2).min(16);
    let whole = core.settings().event_backoff.saturating_mul(1 << doublings);
    let chance = splitmix64(core.seed() ^ uid.low_bits() ^ u64::from(attempt));
    // At most half of the longest duration, so `mul_f64` cannot overflow.
    let off = (whole / 2).mul_f64(f64::from((chance >> 32) as u32) / f64::from(u32::MAX));
    whole.saturating_sub(off)
}
