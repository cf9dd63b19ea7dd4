//! Reads request bodies, with limits on size and time.

use std::fmt;
use std::pin::pin;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::StatusCode;
use http_body::Body;
use http_body_util::BodyExt as _;

/// The largest accepted body, in bytes.
const LIMIT: usize = 64 * 1024;

/// How many bytes beyond the limit are read and dropped, so that the sender receives the answer
/// instead of a reset.
const DRAIN_LIMIT: usize = 1024 * 1024;

/// The longest time from the head to the end of the body, on the wall clock.
const TIME_LIMIT: Duration = Duration::from_secs(5);

/// Why a body could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyError {
    /// The body is larger than [`LIMIT`].
    TooLarge,
    /// The body was not complete within [`TIME_LIMIT`].
    TooSlow,
    /// The connection closed, or the framing is invalid.
    Broken,
}

impl BodyError {
    pub(crate) fn status(self) -> StatusCode {
        match self {
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::Broken => StatusCode::BAD_REQUEST,
        }
    }
}

/// Completes a sentence that begins with "body".
impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge => write!(f, "is larger than {LIMIT} bytes"),
            Self::TooSlow => write!(f, "was not complete within {TIME_LIMIT:?}"),
            Self::Broken => f.write_str("could not be read"),
        }
    }
}

/// Reads a body. After an error the caller must close the connection: the rest of the body would be
/// read as the next request.
pub(crate) async fn read<B: Body<Data = Bytes>>(body: B) -> Result<Bytes, BodyError> {
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    tokio::time::timeout(TIME_LIMIT, read_all(body))
        .await
        .unwrap_or(Err(BodyError::TooSlow))
}

async fn read_all<B: Body<Data = Bytes>>(body: B) -> Result<Bytes, BodyError> {
    let mut body = pin!(body);
    // Nearly every body comes in one frame.
    let mut first = Bytes::new();
    let mut more = BytesMut::new();
    let mut len: usize = 0;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| BodyError::Broken)?;
        let Ok(data) = frame.into_data() else { continue };
        len = len.saturating_add(data.len());
        if len > LIMIT + DRAIN_LIMIT {
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
    // Copied even if there is one frame: the journal would keep the connection's whole buffer.
    Ok([&first[..], &more[..]].concat().into())
}
