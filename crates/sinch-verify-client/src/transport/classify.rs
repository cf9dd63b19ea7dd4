//! What an error of hyper, or of what is built on it, means.

use std::error::Error as StdError;
use std::io::ErrorKind;

use super::{TransportError, TransportErrorKind};

/// Classifies an error that came after the connection was there.
///
/// The outer types keep their reasons private, so the chain of sources is searched.
#[cfg(any(feature = "reqwest", feature = "hyper"))]
pub(super) fn after_connect<E: StdError + Send + Sync + 'static>(error: E) -> TransportError {
    boxed(Box::new(error))
}

/// As [`after_connect`], of an error whose type is not known.
pub(super) fn boxed(error: Box<dyn StdError + Send + Sync>) -> TransportError {
    let (kind, never_sent) = search(&*error);
    let error = TransportError::new(kind).with_source(error);
    if never_sent { error.never_sent() } else { error }
}

/// The kind of an error, wherever it came from.
#[cfg(any(feature = "hyper", feature = "tower"))]
pub(super) fn kind(error: &(dyn StdError + 'static)) -> TransportErrorKind {
    search(error).0
}

/// The kind, and whether the request certainly never left.
fn search(error: &(dyn StdError + 'static)) -> (TransportErrorKind, bool) {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(error) = error.downcast_ref::<hyper::Error>() {
            if error.is_canceled() {
                // hyper gives a request up as cancelled only while it still has the whole of it.
                return (TransportErrorKind::Interrupted, true);
            }
            if error.is_timeout() {
                return (TransportErrorKind::Timeout, false);
            }
            if error.is_incomplete_message() || error.is_closed() {
                return (TransportErrorKind::Interrupted, false);
            }
        }
        if let Some(error) = error.downcast_ref::<std::io::Error>() {
            match error.kind() {
                ErrorKind::ConnectionReset
                | ErrorKind::ConnectionAborted
                | ErrorKind::BrokenPipe
                | ErrorKind::NotConnected
                | ErrorKind::UnexpectedEof => return (TransportErrorKind::Interrupted, false),
                ErrorKind::TimedOut => return (TransportErrorKind::Timeout, false),
                _ => {}
            }
        }
        next = error.source();
    }
    (TransportErrorKind::Other, false)
}
