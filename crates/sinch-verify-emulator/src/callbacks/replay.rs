//! Posts an earlier delivery again, unchanged or changed so that the receiver must refuse it.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{Request, StatusCode};
use sinch_verify_protocol::auth::{Signer, X_TIMESTAMP};
use sinch_verify_protocol::callback::{Decision, DecisionBody, RequestEvent};
use sinch_verify_protocol::{ApplicationSecret, WireObject as _};

use super::post::{Judgement, OutgoingEvent, authorized, post, signed, unauthorized};
use super::{deliver_event, request_event};
use crate::application::{CallbackAuth, CallbackUrl};
use crate::control_error::ControlError;
use crate::core::{Core, PostResult, Registered, authorize_basic};
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
        own: &own,
        url: &url,
        how,
    };
    let now = core.clock().wire_for_resend(before.at);
    let mut posted = Vec::new();
    match how {
        Replay::Reordered => {
            for event in replayer.reordered(&before) {
                let request = replayer.authorize(&event, now);
                posted.push(replayer.post(&event, request, true).await);
            }
        }
        Replay::Duplicate => {
            // The second request is byte for byte the first; a retry would have a new signature.
            let request = replayer.authorize(&before, now);
            posted.push(replayer.post(&before, request.clone(), true).await);
            // With basic authorization a retry does not differ from it, so it must be accepted.
            let good = own.callback_auth() == CallbackAuth::Basic;
            posted.push(replayer.post(&before, request, good).await);
        }
        Replay::Same => {
            let request = replayer.authorize(&before, now);
            posted.push(replayer.post(&before, request, true).await);
        }
        how => {
            let request = replayer.invalid(&before, how, now);
            posted.push(replayer.post(&before, request, false).await);
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
    fn authorize(&self, before: &Delivery, now: SystemTime) -> Request<Bytes> {
        let body = Bytes::from(before.request.clone());
        authorized(self.url.uri(), self.own, body, now, None)
    }

    /// A callback that must be refused. It is a signed one that is changed, also if the application has basic
    /// authorization: that holds a secret and nothing else, and [`forged`] has a wrong secret.
    fn invalid(&self, before: &Delivery, how: &Replay, now: SystemTime) -> Request<Bytes> {
        let body = Bytes::from(before.request.clone());
        let (url, signer) = (self.url.uri(), &self.own.signer);
        let signed_at = |at: Option<SystemTime>| {
            let at = at.unwrap_or(SystemTime::UNIX_EPOCH);
            signed(url, signer, body.clone(), at)
        };
        let mut request = signed_at(Some(now));
        match how {
            Replay::Stale => signed_at(now.checked_sub(TIMESTAMP_SHIFT)),
            Replay::Future => signed_at(now.checked_add(TIMESTAMP_SHIFT)),
            Replay::Forged => forged(self.url, self.own, body, now),
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
                if let Some(kit) = self.core.kit() {
                    kit.spoil(name, signer.key(), &self.own.secret, &mut request, now);
                }
                request
            }
            Replay::Same | Replay::Duplicate | Replay::Reordered => request,
        }
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
            conformance: None,
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

/// A callback with the right key and a wrong secret, authorized as the application has it. The key is not
/// secret: an attacker knows everything but the secret.
pub(super) fn forged(url: &CallbackUrl, own: &Registered, body: Bytes, now: SystemTime) -> Request<Bytes> {
    #[expect(clippy::expect_used, reason = "this text is base64 with padding")]
    let guess = ApplicationSecret::new("YSBmb3JnZXIncyBndWVzcw==").expect("a secret");
    let key = own.signer.key();
    match own.callback_auth() {
        CallbackAuth::Signed => signed(url.uri(), &Signer::new(key.clone(), &guess), body, now),
        CallbackAuth::Basic => {
            let mut request = unauthorized(url.uri(), body);
            authorize_basic(&mut request, key, &guess);
            request
        }
    }
}
