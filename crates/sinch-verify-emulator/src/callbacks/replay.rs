//! Posts an earlier delivery again, unchanged or changed so that the receiver must refuse it.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{Request, StatusCode};
use sinch_verify_protocol::auth::{Signer, X_TIMESTAMP};
use sinch_verify_protocol::callback::{Decision, DecisionBody, RequestEvent};
use sinch_verify_protocol::{ApplicationSecret, WireObject as _};

use super::post::{Judgement, OutgoingEvent, post, signed};
use super::{deliver_event, request_event};
use crate::application::CallbackUrl;
use crate::control_error::ControlError;
use crate::core::{Core, PostResult, Registered};
use crate::delivery::Delivery;
use crate::engine::AppId;
use crate::replay::Replay;

/// How far a stale or future timestamp is from now.
const TIMESTAMP_SHIFT: Duration = Duration::from_secs(3600);

/// Posts a delivery again. Returns the new deliveries in order.
pub(crate) async fn replay_delivery(
    core: &Core,
    seq: u64,
    how: &Replay,
) -> Result<Vec<Delivery>, ControlError> {
    let (app, before) = core.log.find(seq).ok_or(ControlError::NoDelivery(seq))?;
    let url = core.registry.callback(app).ok_or(ControlError::NoCallback)?;
    let own = core.registry.get(app).ok_or(ControlError::NoCallback)?;
    if let Replay::Tampered(name) = how
        && !core.kit().is_some_and(|kit| kit.names().contains(&&**name))
    {
        return Err(ControlError::Replay(name.clone()));
    }
    let replayer = Replayer {
        core,
        app,
        own,
        url: &url,
        how,
    };
    let now = core.clock().wire_for_resend(before.at);
    let mut posted = Vec::new();
    match how {
        Replay::Reordered => {
            for event in replayer.reordered(&before) {
                posted.push(replayer.post(&event, replayer.sign(&event, now), true).await);
            }
        }
        Replay::Duplicate => {
            // The second request is byte for byte the first; a retry would have a new signature.
            let request = replayer.sign(&before, now);
            posted.push(replayer.post(&before, request.clone(), true).await);
            posted.push(replayer.post(&before, request, false).await);
        }
        how => {
            let request = change(core, own, replayer.sign(&before, now), how, now);
            posted.push(replayer.post(&before, request, *how == Replay::Same).await);
        }
    }
    Ok(posted.into_iter().flatten().collect())
}

struct Replayer<'a> {
    core: &'a Core,
    app: AppId,
    own: &'a Registered,
    url: &'a CallbackUrl,
    how: &'a Replay,
}

impl Replayer<'_> {
    fn sign(&self, before: &Delivery, now: SystemTime) -> Request<Bytes> {
        let body = Bytes::from(before.request.clone());
        signed(self.url.uri(), &self.own.signer, body, now, None)
    }

    /// All events of the same verification, the latest first.
    fn reordered(&self, of: &Delivery) -> Vec<Delivery> {
        let mut events: Vec<Delivery> = Vec::new();
        let tries = self.core.log.before(u64::MAX, usize::MAX, |_, delivery| {
            delivery.verification_id == of.verification_id && delivery.replay_of.is_none()
        });
        for delivery in tries {
            if events.iter().all(|other| other.event != delivery.event) {
                events.push(delivery);
            }
        }
        events
    }

    /// Posts a callback. The receiver must accept it if `good`, and refuse it otherwise.
    async fn post(&self, before: &Delivery, request: Request<Bytes>, good: bool) -> Option<Delivery> {
        let outgoing = OutgoingEvent {
            app: self.app,
            verification_id: before.verification_id.clone(),
            event: &before.event,
            attempt: before.attempt + 1,
            request,
            timeout: self.core.settings().decision_timeout,
            fault: None,
            replay_of: Some(before.seq),
            variant: (*self.how != Replay::Same).then(|| self.how.name()),
        };
        let judge = |outcome: &PostResult| match good {
            true => judge_repeat(self.core, before, outcome),
            false => judge_refusal(outcome),
        };
        let seq = post(self.core, outgoing, judge).await;
        self.core.log.find(seq).map(|(_, delivery)| delivery)
    }
}

/// Judges the answer to a repeated event. A request event must get the same decision again; other
/// events must be acknowledged again.
fn judge_repeat(core: &Core, before: &Delivery, outcome: &PostResult) -> Judgement {
    let event = (before.event == RequestEvent::EVENT)
        .then(|| RequestEvent::decode(before.request.as_bytes()).ok())
        .flatten();
    let Some(event) = event else {
        return deliver_event::judge(outcome);
    };
    let (decision, judgement) = request_event::judge(outcome, &event.method, core.settings().strictness);
    match (decision, earlier_decision(before, &event)) {
        (Some(now), Some(then)) if now != then => (
            false,
            Some("the decision differs from the earlier one; answer a repeated request event with the same decision".to_owned()),
        ),
        _ => judgement,
    }
}

/// The decision in the answer to the earlier delivery, if the log has it.
fn earlier_decision(before: &Delivery, event: &RequestEvent) -> Option<Decision> {
    let answer = before.response.as_deref().filter(|_| before.ok)?;
    DecisionBody::decode(answer.as_bytes())
        .ok()?
        .decision(&event.method)
}

/// Judges the answer to a callback that must be refused.
pub(super) fn judge_refusal(outcome: &PostResult) -> Judgement {
    match outcome {
        Ok(answered) if answered.status == StatusCode::UNAUTHORIZED => (true, None),
        Ok(answered) => {
            let verdict = if answered.status.is_success() {
                "the receiver accepted an invalid callback; refuse it with 401"
            } else {
                "the status must be 401"
            };
            (false, Some(verdict.to_owned()))
        }
        Err(error) => (false, Some(error.clone())),
    }
}

/// Changes a callback that was signed at `now`.
fn change(
    core: &Core,
    own: &Registered,
    mut request: Request<Bytes>,
    how: &Replay,
    now: SystemTime,
) -> Request<Bytes> {
    let signed_at = |signer: &Signer, at: Option<SystemTime>, request: Request<Bytes>| {
        let (url, body) = (request.uri().clone(), request.into_body());
        signed(&url, signer, body, at.unwrap_or(SystemTime::UNIX_EPOCH), None)
    };
    match how {
        Replay::Stale => signed_at(&own.signer, now.checked_sub(TIMESTAMP_SHIFT), request),
        Replay::Future => signed_at(&own.signer, now.checked_add(TIMESTAMP_SHIFT), request),
        Replay::Forged => {
            // The key is not secret: an attacker knows everything but the secret.
            match ApplicationSecret::new("YSBmb3JnZXIncyBndWVzcw==") {
                Ok(guess) => {
                    let forger = Signer::new(own.signer.key().clone(), &guess);
                    signed_at(&forger, Some(now), request)
                }
                Err(_) => request,
            }
        }
        Replay::Truncated => request.map(|body| body.slice(..body.len() / 2)),
        Replay::MissingTimestamp => {
            request.headers_mut().remove(X_TIMESTAMP);
            request
        }
        Replay::MissingAuthorization => {
            request.headers_mut().remove(AUTHORIZATION);
            request
        }
        Replay::Tampered(name) => {
            if let Some(kit) = core.kit() {
                kit.spoil(name, own.signer.key(), &own.secret, &mut request, now);
            }
            request
        }
        Replay::Same | Replay::Duplicate | Replay::Reordered => request,
    }
}
