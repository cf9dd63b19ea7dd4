//! Lists verifications, and ends or delivers them by request.

use std::sync::Arc;

use axum::extract::{Path, State};
use http::{StatusCode, Uri};
use serde_json::{Value, json as value};
use sinch_verify_protocol::{ApiError, Method, Status};

use super::query::{Query, list};
use super::response::{Answer, Refused, json};
use super::time;
use super::timeline::timeline;
use crate::core::Core;
use crate::engine::{Filter, Intervention, Overview, Uid};

pub(super) async fn verifications(State(core): State<Arc<Core>>, uri: Uri) -> Answer {
    let names = ["limit", "before", "status", "method", "number", "application"];
    let query = Query::of(&uri, &names)?;
    let page = query.page()?;
    let filter = Filter {
        app: query.application("application", &core)?,
        number: query.number("number")?,
        method: query.text("method").map(Method::from),
        status: query.text("status").map(Status::from),
    };
    let part = core.with_engine(|engine| engine.overviews(&filter, page.before, page.limit));
    let views: Vec<_> = part.items.iter().map(|overview| view(&core, overview)).collect();
    Ok(json(&list("verifications", &views, part.next)))
}

pub(super) async fn verification(State(core): State<Arc<Core>>, Path(id): Path<String>) -> Answer {
    let found = Uid::parse(&id).and_then(|uid| core.with_engine(|engine| engine.overview(uid)));
    let found = found.ok_or_else(|| {
        Refused::not_found(format!(
            "there is no verification {id:?}, or it is no longer kept"
        ))
    })?;
    let mut detail = view(&core, &found);
    detail["timeline"] = timeline(&core, &found).into();
    Ok(json(&detail))
}

pub(super) async fn expire(State(core): State<Arc<Core>>, Path(id): Path<String>) -> Answer {
    intervene(core, id, Intervention::Expire).await
}

pub(super) async fn deliver(State(core): State<Arc<Core>>, Path(id): Path<String>) -> Answer {
    intervene(core, id, Intervention::Deliver).await
}

pub(super) async fn deny(State(core): State<Arc<Core>>, Path(id): Path<String>) -> Answer {
    intervene(core, id, Intervention::Deny).await
}

async fn intervene(core: Arc<Core>, id: String, what: Intervention) -> Answer {
    if let Some(uid) = Uid::parse(&id)
        && let Err(refusal) = core.intervene(uid, what)
        && refusal.code != ApiError::NOT_FOUND
    {
        return Err(Refused::new(StatusCode::CONFLICT, refusal.message));
    }
    verification(State(core), Path(id)).await
}

fn view(core: &Core, overview: &Overview) -> Value {
    let mut view = value!({
        "seq": overview.seq,
        "id": overview.uid.to_id(),
        "number": overview.number,
        "method": overview.method,
        "status": overview.status,
        "application": core.registry.key_of(overview.app),
        "startedAt": time(overview.started_at),
        "attempts": overview.attempts,
        "attemptsAllowed": core.settings().attempts,
    });
    if let Some(reason) = &overview.reason {
        view["reason"] = value!(reason);
    }
    if let Some(reference) = &overview.reference {
        view["reference"] = value!(reference);
    }
    for (name, at) in [("expiresAt", overview.expires_at), ("endedAt", overview.ended_at)] {
        if let Some(at) = at {
            view[name] = time(at);
        }
    }
    if let Some(url) = core.registry.callback(overview.app) {
        view["callbackUrl"] = url.to_string().into();
    }
    view
}
