//! Result and delivered events, tried until they are heard.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::Request;
use sinch_verify_protocol::WireObject as _;
use sinch_verify_protocol::callback::{ResultEvent, SmsDeliveredEvent};
use tokio::sync::Semaphore;

use super::Waiting;
use super::post::{Judgement, Outcome, Parcel, post, signed, strike, unsent};
use crate::core::Core;
use crate::engine::{Effect, Notice, Uid};
use crate::mix::mix;

/// Tries to deliver an event until it is answered with success, or as often as allowed.
pub(super) async fn until_heard(core: Arc<Core>, in_flight: Arc<Semaphore>, telling: Arc<Telling>) {
    let effect = &telling.effect;
    let (name, body) = event(&effect.notice);
    let tries = core.settings().event_tries.max(1);
    for attempt in 1..=tries {
        if attempt > 1 {
            let pause = pause(&core, effect.uid, attempt);
            telling.set(attempt, core.clock().wire().checked_add(pause));
            tokio::time::sleep(pause).await;
        }
        telling.set(attempt, None);
        // The permit is not held while waiting between tries.
        let Ok(_permit) = in_flight.acquire().await else {
            return;
        };
        // Looked up every time: the URL may be set anew between tries.
        let (Some(url), Some(registered)) =
            (core.registry.callback(effect.app), core.registry.get(effect.app))
        else {
            return;
        };
        let signer = &registered.signer;
        let fault = match &effect.notice {
            Notice::Result(event) => strike(&core, signer, "result", &event.identity),
            Notice::Delivered(event) => strike(&core, signer, "delivered", &event.identity),
        };
        let now = core.clock().wire();
        let parcel = Parcel {
            request: signed(url.uri(), signer, body.clone(), now, fault.as_ref()),
            fault,
            attempt,
            ..parcel(&core, effect)
        };
        let mut heard = false;
        post(&core, parcel, |outcome| {
            let judgement = judge(outcome);
            heard = judgement.0;
            judgement
        })
        .await;
        if heard {
            return;
        }
    }
    tracing::warn!(id = %effect.uid, event = name, tries, "event was given up");
}

/// An event on its way, and how far it is.
pub(super) struct Telling {
    effect: Effect,
    /// The try, and when it comes if it is not under way.
    progress: Mutex<(u32, Option<SystemTime>)>,
}

impl Telling {
    pub(super) fn new(effect: Effect) -> Self {
        Self {
            effect,
            progress: Mutex::new((1, None)),
        }
    }

    fn set(&self, attempt: u32, next_at: Option<SystemTime>) {
        *self.progress.lock().unwrap_or_else(PoisonError::into_inner) = (attempt, next_at);
    }

    pub(super) fn waiting(&self) -> Waiting {
        let (attempt, next_at) = *self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        Waiting {
            app: self.effect.app,
            uid: self.effect.uid,
            event: name(&self.effect.notice),
            attempt,
            next_at,
            under_way: next_at.is_none(),
        }
    }
}

/// Whether an event was heard, and what is wrong, or odd, with the answer.
pub(super) fn judge(outcome: &Outcome) -> Judgement {
    match outcome {
        Ok(answered) if answered.status.is_success() => {
            let body = answered.body.trim_ascii();
            let odd = !body.is_empty() && body != b"{}";
            let remark = "the answer has a body, which nobody reads; an empty one is expected";
            (true, odd.then(|| remark.to_owned()))
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
        let (_, body) = event(&effect.notice);
        let request = signed(url.uri(), &own.signer, body, core.clock().wire(), None);
        let parcel = Parcel {
            request,
            ..parcel(core, effect)
        };
        unsent(core, parcel, "not sent: too many events are waiting");
    }
}

/// An event without what a try adds.
fn parcel<'a>(core: &Core, effect: &Effect) -> Parcel<'a> {
    Parcel {
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

fn event(notice: &Notice) -> (&'static str, Bytes) {
    let body = match notice {
        Notice::Delivered(event) => event.to_json(),
        Notice::Result(event) => event.to_json(),
    };
    (name(notice), body.into())
}

pub(super) fn name(notice: &Notice) -> &'static str {
    match notice {
        Notice::Delivered(_) => SmsDeliveredEvent::EVENT,
        Notice::Result(_) => ResultEvent::EVENT,
    }
}

/// The wait before try `attempt`: doubled every time, with up to half of it taken off so that
/// events that failed together do not come together again. Never nothing: timestamps count
/// milliseconds, and two tries with the same one would be a replay.
fn pause(core: &Core, uid: Uid, attempt: u32) -> Duration {
    let doublings = attempt.saturating_sub(2).min(16);
    let whole = core.settings().event_backoff.saturating_mul(1 << doublings);
    let chance = mix(core.seed() ^ uid.low_bits() ^ u64::from(attempt));
    let off = f64::from((chance >> 32) as u32) / f64::from(u32::MAX) / 2.0;
    whole.mul_f64(1.0 - off).max(Duration::from_millis(1))
}
