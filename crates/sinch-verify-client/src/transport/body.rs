//! The answer's body, up to its cap.

#[cfg(any(feature = "reqwest", feature = "hyper", feature = "tower"))]
use bytes::{Bytes, BytesMut};

#[cfg(any(feature = "reqwest", feature = "hyper", feature = "tower"))]
use super::{TransportError, TransportErrorKind};

/// The longest body that is read, in bytes. Answers of the service have a few hundred.
pub const MAX_BODY: usize = 64 * 1024;

/// Puts the chunks of a body together.
#[cfg(any(feature = "reqwest", feature = "hyper", feature = "tower"))]
#[derive(Default)]
pub(super) struct Collected {
    // Most answers are one chunk, which is then kept as it came.
    first: Bytes,
    all: BytesMut,
}

#[cfg(any(feature = "reqwest", feature = "hyper", feature = "tower"))]
impl Collected {
    /// Fails early where the answer itself names a length that is too large.
    pub(super) fn expecting(length: Option<u64>) -> Result<Self, TransportError> {
        match length {
            Some(length) if length > MAX_BODY as u64 => Err(too_large()),
            _ => Ok(Self::default()),
        }
    }

    pub(super) fn push(&mut self, chunk: Bytes) -> Result<(), TransportError> {
        let have = self.first.len().max(self.all.len());
        if chunk.len() > MAX_BODY - have {
            return Err(too_large());
        }
        if have == 0 {
            self.first = chunk;
            return Ok(());
        }
        if self.all.is_empty() {
            self.all.extend_from_slice(&self.first);
        }
        self.all.extend_from_slice(&chunk);
        Ok(())
    }

    pub(super) fn finish(self) -> Bytes {
        if self.all.is_empty() {
            self.first
        } else {
            self.all.freeze()
        }
    }
}

#[cfg(any(feature = "reqwest", feature = "hyper", feature = "tower"))]
fn too_large() -> TransportError {
    TransportError::new(TransportErrorKind::BodyTooLarge)
}
