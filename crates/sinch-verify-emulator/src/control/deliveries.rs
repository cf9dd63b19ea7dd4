//! What became of events.

use std::sync::Arc;

use axum::extract::{Path, State};
use http::Uri;

use super::query::Query;
use super::respond::{Answer, Refused, json};
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
