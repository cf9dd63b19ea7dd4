//! What became of events.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use http::Uri;
use serde_json::{Value, json as value};

use super::query::Query;
use super::respond::{Answer, Refused, json};
use super::time;
use crate::callbacks::Waiting;
use crate::core::Core;

pub(super) async fn deliveries(State(core): State<Arc<Core>>, uri: Uri) -> Answer {
    let query = Query::of(&uri, &["limit", "before", "verification"])?;
    let page = query.page()?;
    let of = query.text("verification");
    let deliveries = core.log.before(page.before, page.and_one(), |delivery| {
        of.is_none_or(|id| delivery.verification_id.as_str() == id)
    });
    Ok(json(&page.of("deliveries", deliveries, |delivery| delivery.seq)))
}

pub(super) async fn replay(State(core): State<Arc<Core>>, Path(seq): Path<u64>) -> Answer {
    match core.replay(seq).await {
        Some(delivery) => Ok(json(&delivery)),
        None => Err(Refused::not_found(format!(
            "delivery {seq} is not known, or its application has no callback URL"
        ))),
    }
}

/// Events that were not heard yet.
pub(super) async fn queue(State(core): State<Arc<Core>>) -> Response {
    let waiting = core.queue().await;
    let waiting: Vec<_> = waiting.iter().map(|waiting| view(&core, waiting)).collect();
    json(&value!({"waiting": waiting}))
}

fn view(core: &Core, waiting: &Waiting) -> Value {
    let mut view = value!({
        "event": waiting.event,
        "verificationId": waiting.uid.to_id(),
        "application": core.application(waiting.app).map(|own| own.signer.key().as_str()),
        "attempt": waiting.attempt,
        "underWay": waiting.under_way,
    });
    if let Some(url) = core.callback(waiting.app) {
        view["url"] = url.to_string().into();
    }
    if let Some(at) = waiting.next_at {
        view["nextAt"] = time(at);
    }
    view
}
