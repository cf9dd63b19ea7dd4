//! Answers devices that open the address of a data ("seamless") verification.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;

use crate::api::refusal_response;
use crate::core::Core;
use crate::engine::{Answer, Command, Uid};
use crate::feed::FeedEvent;

/// Verifies the number: a device that opens the address proves that it has the number.
pub(super) async fn follow(State(core): State<Arc<Core>>, Path(token): Path<String>) -> Response {
    let link = token
        .split_once('.')
        .and_then(|(uid, secret)| Some((Uid::parse(uid)?, u64::from_str_radix(secret, 16).ok()?)));
    // An address with a wrong secret belongs to no verification.
    let (uid, secret) = link.unwrap_or_default();
    let at = core.clock().service();
    let outcome = core.run_command(Command::Follow { uid, secret });
    if let Some(uid) = outcome.about {
        core.feed.push(at, FeedEvent::Followed { uid });
    }
    match outcome.answer {
        Answer::Verification(verification) => verification.to_http_response().map(Body::from),
        Answer::Refused(refusal) => refusal_response(&core, refusal).map(Body::from),
        _ => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
