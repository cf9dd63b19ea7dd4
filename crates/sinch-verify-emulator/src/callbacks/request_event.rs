//! Request events, and the decisions that answer them.

use std::sync::Arc;

use bytes::Bytes;
use http::StatusCode;
use sinch_verify_protocol::callback::{Decision, DecisionBody, RequestEvent};
use sinch_verify_protocol::{Method, WireObject as _};
use tokio::sync::oneshot;

use super::delivery::{Judgement, Parcel, post, signed, strike};
use crate::core::{Answered, Core, Outcome};
use crate::engine::{Answer, AppId, Ask, Command};
use crate::operation::Operation;
use crate::settings::Strictness;

/// Posts the request event and gives the engine the decision.
pub(super) async fn ask(core: Arc<Core>, app: AppId, ask: Ask, reply: oneshot::Sender<Answer>) {
    let decision = decision(&core, app, &ask).await;
    let answer = core.run(Command::Decide {
        uid: ask.uid,
        decision: decision.map(Box::new),
    });
    // The start's connection may be gone; the decision counts all the same.
    let _ = reply.send(answer);
}

async fn decision(core: &Core, app: AppId, ask: &Ask) -> Option<Decision> {
    // The URL may have been removed since the start: then nothing is allowed.
    let url = core.registry.callback(app)?;
    let signer = &core.registry.get(app)?.signer;
    let fault = strike(core, signer, Operation::Request, &ask.event.identity);
    let body = Bytes::from(ask.event.to_json());
    let parcel = Parcel {
        app,
        verification_id: ask.uid.to_id(),
        event: RequestEvent::EVENT,
        attempt: 1,
        request: signed(url.uri(), signer, body, core.clock().wire(), fault.as_ref()),
        timeout: core.settings().decision_timeout,
        fault,
        replay_of: None,
        variant: None,
    };
    let mut decision = None;
    post(core, parcel, |outcome| {
        let (own, judgement) = judge(outcome, &ask.event.method, core.settings().strictness);
        if let (false, Some(verdict)) = &judgement {
            tracing::warn!(id = %ask.uid, %verdict, "request event got no usable answer");
        }
        decision = own;
        judgement
    })
    .await;
    decision
}

/// The decision in an answer, if it is usable, and a judgement on the answer.
pub(super) fn judge(
    outcome: &Outcome,
    method: &Method,
    strictness: Strictness,
) -> (Option<Decision>, Judgement) {
    let read = match outcome {
        Ok(answered) => read(answered, method, strictness),
        Err(error) => Err(error.clone()),
    };
    match read {
        Ok((decision, remarks)) => (Some(decision), (true, remarks)),
        Err(problem) => (None, (false, Some(problem))),
    }
}

/// The decision in an answer and its anomalies, or why there is none.
fn read(
    answered: &Answered,
    method: &Method,
    strictness: Strictness,
) -> Result<(Decision, Option<String>), String> {
    if answered.status != StatusCode::OK {
        return Err(format!("answered {}, must be 200", answered.status.as_u16()));
    }
    let received = DecisionBody::receive(&answered.body).map_err(|error| error.to_string())?;
    let body = received.value;
    let decision = body
        .decision(method)
        .ok_or_else(|| "JSON at `action`: must be allow or deny".to_owned())?;
    let anomalies = received.anomalies.iter().map(ToString::to_string);
    let remarks: Vec<String> = anomalies.chain(body.set_in_vain(method)).collect();
    let remarks = Some(remarks.join("; ")).filter(|remarks| !remarks.is_empty());
    match remarks {
        Some(remarks) if strictness == Strictness::Strict => Err(remarks),
        remarks => Ok((decision, remarks)),
    }
}
