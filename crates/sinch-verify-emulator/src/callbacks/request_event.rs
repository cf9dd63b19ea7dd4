//! Request events: ask the application whether a verification may continue, and read its decision.

use std::sync::Arc;

use bytes::Bytes;
use http::StatusCode;
use sinch_verify_protocol::callback::{Decision, DecisionBody, RequestEvent};
use sinch_verify_protocol::{Method, WireObject as _};
use tokio::sync::oneshot;

use super::post::{Judgement, OutgoingEvent, authorized, fault_for, post};
use crate::core::{CallbackAnswer, Core, PostResult};
use crate::engine::{Answer, AppId, Command, DecisionRequest};
use crate::operation::Operation;
use crate::settings::Strictness;

/// Posts the request event and gives the decision to the engine.
pub(super) async fn request_decision(
    core: Arc<Core>,
    app: AppId,
    decision_request: DecisionRequest,
    reply: oneshot::Sender<Answer>,
) {
    let decision = decision(&core, app, &decision_request).await;
    let answer = core.run(Command::Decide {
        uid: decision_request.uid,
        decision: decision.map(Box::new),
    });
    // The connection of the start may be closed; the decision counts all the same.
    let _ = reply.send(answer);
}

async fn decision(core: &Core, app: AppId, decision_request: &DecisionRequest) -> Option<Decision> {
    // If the URL was removed since the start, there is no decision.
    let url = core.registry.callback(app)?;
    let own = core.registry.get(app)?;
    let fault = fault_for(
        core,
        &own.signer,
        Operation::Request,
        &decision_request.event.identity,
    );
    let body = Bytes::from(decision_request.event.to_json());
    let outgoing = OutgoingEvent {
        app,
        verification_id: decision_request.uid.to_id(),
        event: RequestEvent::EVENT,
        attempt: 1,
        request: authorized(url.uri(), &own, body, core.clock().wire(), fault.as_ref()),
        timeout: core.settings().decision_timeout,
        fault,
        replay_of: None,
        variant: None,
        conformance: None,
    };
    let mut decision = None;
    post(core, outgoing, |outcome| {
        let (own, judgement) = judge(
            outcome,
            &decision_request.event.method,
            core.settings().strictness,
        );
        if let (false, Some(verdict)) = &judgement {
            let status = outcome.as_ref().ok().map(|answer| answer.status.as_u16());
            tracing::warn!(id = %decision_request.uid, status, %verdict, "the answer to a request event is not usable");
        }
        decision = own;
        judgement
    })
    .await;
    decision
}

/// Reads the decision in an answer, if it is usable, and judges the answer.
pub(super) fn judge(
    outcome: &PostResult,
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

/// Reads the decision in an answer and its anomalies.
///
/// # Errors
///
/// Why the answer is not usable.
fn read(
    answered: &CallbackAnswer,
    method: &Method,
    strictness: Strictness,
) -> Result<(Decision, Option<String>), String> {
    if answered.status != StatusCode::OK {
        return Err("the status must be 200".to_owned());
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
