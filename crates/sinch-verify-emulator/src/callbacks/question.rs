//! Request events, and the decisions that answer them.

use std::sync::Arc;

use bytes::Bytes;
use http::StatusCode;
use sinch_verify_protocol::callback::{Decision, DecisionBody, RequestEvent};
use sinch_verify_protocol::{Method, WireObject as _};
use tokio::sync::oneshot;

use super::post::{Answered, Poster, strike};
use super::tell::{self, Try};
use crate::core::Core;
use crate::engine::{Answer, AppId, Ask, Command};
use crate::settings::Strictness;

/// Puts the question, and tells the engine what came back.
pub(super) async fn put(
    core: Arc<Core>,
    poster: Arc<Poster>,
    app: AppId,
    ask: Ask,
    reply: oneshot::Sender<Answer>,
) {
    let decision = decision(&core, &poster, app, &ask).await;
    let answer = core.run(Command::Decide {
        uid: ask.uid,
        decision: decision.map(Box::new),
    });
    // Whoever asked may have gone; the decision counts all the same.
    let _ = reply.send(answer);
}

async fn decision(core: &Core, poster: &Poster, app: AppId, ask: &Ask) -> Option<Decision> {
    // The URL may have been taken away since the start: then nobody can allow anything.
    let url = core.callback(app)?;
    let registered = core.application(app)?;
    let body = Bytes::from(ask.event.to_json());
    let attempt = Try::begin(core, app, ask.uid, RequestEvent::EVENT, 1, &url, &body);
    let timeout = core.settings().decision_timeout;
    let fault = strike(core, &registered.signer, "request", &ask.event.identity);
    let answered = poster
        .post(
            url.uri(),
            &registered.signer,
            body,
            core.clock().wire(),
            timeout,
            fault,
        )
        .await;
    let read = match &answered {
        Ok(answered) => read(answered, &ask.event.method, core.settings().strictness),
        Err(error) => Err(error.clone()),
    };
    let (decision, ok, verdict) = match read {
        Ok((decision, remarks)) => (Some(decision), true, remarks),
        Err(problem) => (None, false, Some(problem)),
    };
    if let Some(verdict) = verdict.as_ref().filter(|_| !ok) {
        tracing::warn!(id = %ask.uid, %verdict, "request event got no usable answer");
    }
    tell::log(core, attempt, answered.ok().as_ref(), ok, verdict);
    decision
}

/// The decision in an answer, with what was odd about it; or why there is none.
pub(super) fn read(
    answered: &Answered,
    method: &Method,
    strictness: Strictness,
) -> Result<(Decision, Option<String>), String> {
    if answered.status != StatusCode::OK {
        return Err(format!("answered {}, must be 200", answered.status.as_u16()));
    }
    let received = DecisionBody::receive(&answered.body).map_err(|error| error.to_string())?;
    let decision = received
        .value
        .decision(method)
        .ok_or_else(|| "JSON at `action`: must be allow or deny".to_owned())?;
    let remarks: Vec<String> = received.quirks.iter().map(ToString::to_string).collect();
    let remarks = Some(remarks.join("; ")).filter(|remarks| !remarks.is_empty());
    match remarks {
        Some(remarks) if strictness == Strictness::Strict => Err(remarks),
        remarks => Ok((decision, remarks)),
    }
}
