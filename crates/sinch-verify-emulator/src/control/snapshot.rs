//! Takes snapshots of the emulator, and returns to them.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::IntoResponse as _;
use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderValue};
use http_body_util::{BodyExt as _, Limited};

use super::response::{Answer, Refused, done};
use crate::core::{Core, Downtime};
use crate::snapshot::{Snapshot, SnapshotError};

/// The most bytes of a snapshot: more than a million verifications.
const LONGEST: usize = 2 << 30;

/// Takes a snapshot. Reading a large state takes long, so other requests are answered in between.
pub(super) async fn take(State(core): State<Arc<Core>>) -> Answer {
    let snapshot = blocking(move || core.snapshot()).await?;
    let mut response = snapshot.into_bytes().into_response();
    let lines = HeaderValue::from_static("application/x-ndjson");
    response.headers_mut().insert(CONTENT_TYPE, lines);
    Ok(response)
}

/// Returns to a snapshot.
pub(super) async fn restore(State(core): State<Arc<Core>>, body: Body) -> Answer {
    let body = Limited::new(body, LONGEST).collect().await;
    let body = body.map_err(|error| Refused::bad(format!("body could not be read: {error}")))?;
    let snapshot = Snapshot::from_bytes(body.to_bytes());
    let restored = blocking(move || {
        let image = snapshot.read()?;
        let restored = core.restore(image, Downtime::Skipped);
        restored.map_err(SnapshotError::Application)
    });
    restored.await?.map_err(|error| {
        let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}"));
        Refused::bad(format!("{error}{}", cause.unwrap_or_default()))
    })?;
    Ok(done())
}

/// Runs `work` where it delays no other task.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Refused> {
    let work = tokio::task::spawn_blocking(work).await;
    work.map_err(|_| {
        Refused::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "the emulator stops, or has a fault",
        )
    })
}
