//! Request bodies, up to a limit of bytes and of time.

use std::fmt;
use std::pin::pin;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::StatusCode;
use http_body::Body;
use http_body_util::BodyExt as _;

/// The most bytes that a body may hold.
const LIMIT: usize = 64 * 1024;

/// How much more is read and thrown away, so that the sender sees the answer and no reset.
const DRAIN_LIMIT: usize = 1024 * 1024;

/// How long a body may take from its head on, on the wall clock.
const TIME_LIMIT: Duration = Duration::from_secs(5);

/// Why there is no body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyError {
    /// More than [`LIMIT`].
    TooLarge,
    /// Not whole within [`TIME_LIMIT`].
    TooSlow,
    /// The sender went away, or wrote nonsense.
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

/// Fits after "body".
impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge => write!(f, "is larger than {LIMIT} bytes"),
            Self::TooSlow => write!(f, "was not complete within {TIME_LIMIT:?}"),
            Self::Broken => f.write_str("could not be read"),
        }
    }
}

/// Reads a body. After an error the connection must end: what is left of the body must not be taken
/// for the next request.
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
    // Nearly every body comes in one part.
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
    // Copied even so: the journal keeps it, and would keep the connection's whole buffer with it.
    Ok([&first[..], &more[..]].concat().into())
}
