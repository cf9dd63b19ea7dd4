//! The addresses of data verifications.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;

use crate::api::refusal_response;
use crate::core::Core;
use crate::engine::{Answer, Command, Uid};

/// Fetching the address is the proof.
pub(super) async fn follow(State(core): State<Arc<Core>>, Path(token): Path<String>) -> Response {
    let link = token
        .split_once('.')
        .and_then(|(uid, secret)| Some((Uid::parse(uid)?, u64::from_str_radix(secret, 16).ok()?)));
    // An address that was never given out belongs to no verification.
    let (uid, secret) = link.unwrap_or_default();
    match core.run(Command::Follow { uid, secret }) {
        Answer::Verification(verification) => verification.to_http_response().map(Body::from),
        Answer::Refused(refusal) => refusal_response(&core, refusal).map(Body::from),
        _ => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
