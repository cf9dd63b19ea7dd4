//! Result and delivered events, tried until they are heard.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use sinch_verify_protocol::WireObject as _;
use sinch_verify_protocol::callback::{ResultEvent, SmsDeliveredEvent};
use tokio::sync::Semaphore;

use super::Waiting;
use super::post::{Answered, Poster, strike};
use crate::application::CallbackUrl;
use crate::core::Core;
use crate::delivery::Delivery;
use crate::engine::{AppId, Effect, Notice, Uid};
use crate::feed::Happening;
use crate::mix::mix;

/// How much of an answer's body the log keeps.
const KEPT: usize = 4096;

/// Tries to deliver an event until it is answered with success, or as often as allowed.
pub(super) async fn until_heard(
    core: Arc<Core>,
    poster: Arc<Poster>,
    in_flight: Arc<Semaphore>,
    telling: Arc<Telling>,
) {
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
        let (Some(url), Some(registered)) = (core.callback(effect.app), core.application(effect.app)) else {
            return;
        };
        let begun = Try::begin(&core, effect.app, effect.uid, name, attempt, &url, &body);
        let timeout = core.settings().event_timeout;
        let fault = match &effect.notice {
            Notice::Result(event) => strike(&core, &registered.signer, "result", &event.identity),
            Notice::Delivered(event) => strike(&core, &registered.signer, "delivered", &event.identity),
        };
        let answered = poster
            .post(
                url.uri(),
                &registered.signer,
                body.clone(),
                core.clock().wire(),
                timeout,
                fault,
            )
            .await;
        let (heard, verdict) = judge(&answered);
        log(&core, begun, answered.ok().as_ref(), heard, verdict);
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
pub(super) fn judge(answered: &Result<Answered, String>) -> (bool, Option<String>) {
    match answered {
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
    if let Some(url) = core.callback(effect.app) {
        let (name, body) = event(&effect.notice);
        let begun = Try::begin(core, effect.app, effect.uid, name, 1, &url, &body);
        log(
            core,
            begun,
            None,
            false,
            Some("not sent: too many events are waiting".to_owned()),
        );
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
/// events that failed together do not come together again.
fn pause(core: &Core, uid: Uid, attempt: u32) -> Duration {
    let doublings = attempt.saturating_sub(2).min(16);
    let whole = core.settings().event_backoff.saturating_mul(1 << doublings);
    let chance = mix(core.seed() ^ uid.low_bits() ^ u64::from(attempt));
    let off = f64::from((chance >> 32) as u32) / f64::from(u32::MAX) / 2.0;
    whole.mul_f64(1.0 - off)
}

/// A try that is under way.
pub(super) struct Try {
    app: AppId,
    pub(super) replay_of: Option<u64>,
    uid: Uid,
    event: String,
    attempt: u32,
    url: String,
    request: String,
    at: SystemTime,
    service_at: SystemTime,
    began: Instant,
}

impl Try {
    pub(super) fn begin(
        core: &Core,
        app: AppId,
        uid: Uid,
        event: &str,
        attempt: u32,
        url: &CallbackUrl,
        body: &Bytes,
    ) -> Self {
        let (service_at, at) = core.clock().both();
        Self {
            app,
            replay_of: None,
            uid,
            event: event.to_owned(),
            attempt,
            url: url.to_string(),
            request: String::from_utf8_lossy(body).into_owned(),
            at,
            service_at,
            began: Instant::now(),
        }
    }
}

/// Keeps what became of a try.
pub(super) fn log(
    core: &Core,
    begun: Try,
    answered: Option<&Answered>,
    ok: bool,
    verdict: Option<String>,
) -> u64 {
    let response = answered.map(|answered| {
        let head = &answered.body[..answered.body.len().min(KEPT)];
        String::from_utf8_lossy(head).into_owned()
    });
    let (app, now) = (begun.app, core.clock().service());
    let delivery = Delivery {
        seq: 0,
        verification_id: begun.uid.to_id(),
        event: begun.event,
        attempt: begun.attempt,
        url: begun.url,
        at: begun.at,
        service: (begun.service_at, now),
        took: begun.began.elapsed(),
        request: begun.request,
        status: answered.map(|answered| answered.status.as_u16()),
        response,
        ok,
        replay_of: begun.replay_of,
        verdict,
    };
    let told = Happening::delivery(&delivery);
    let seq = core.log.push(app, delivery);
    core.feed.push(now, told(seq));
    seq
}
