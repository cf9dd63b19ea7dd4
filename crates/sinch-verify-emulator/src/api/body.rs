//! Bodies, up to a limit.

use std::pin::pin;

use bytes::{Bytes, BytesMut};
use http_body::Body;
use http_body_util::BodyExt as _;

/// The most that a body may hold.
pub(super) const LIMIT: usize = 64 * 1024;

/// How much more is read and thrown away, so that the sender sees the answer and no reset.
const DRAINED: usize = 1024 * 1024;

/// Why there is no body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BodyError {
    /// More than [`LIMIT`].
    TooLarge,
    /// The sender went away, or wrote nonsense.
    Broken,
}

pub(super) async fn read<B: Body<Data = Bytes>>(body: B) -> Result<Bytes, BodyError> {
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    let mut body = pin!(body);
    // Nearly every body comes in one part.
    let mut first = Bytes::new();
    let mut more = BytesMut::new();
    let mut len: usize = 0;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| BodyError::Broken)?;
        let Ok(data) = frame.into_data() else { continue };
        len = len.saturating_add(data.len());
        if len > LIMIT + DRAINED {
            break;
        }
        if first.is_empty() {
            first = data;
        } else if len <= LIMIT {
            more.extend_from_slice(&data);
        }
    }
    if len > LIMIT {
        return Err(BodyError::TooLarge);
    }
    // Copied even so: the journal keeps it, and would keep the connection's whole buffer with it.
    Ok([&first[..], &more[..]].concat().into())
}
