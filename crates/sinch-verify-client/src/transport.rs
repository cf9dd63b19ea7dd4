//! What carries requests to the service, and answers back.
//!
//! A [`Transport`] sends one request once and gives the whole answer, whatever its status. It
//! follows no redirect, repeats nothing, and reads at most [`MAX_BODY`]. The client above it
//! authorizes and limits the time.

mod body;
#[cfg(any(feature = "reqwest", feature = "hyper", feature = "tower"))]
mod classify;
mod function;
#[cfg(feature = "hyper")]
mod hyper;
#[cfg(feature = "reqwest")]
mod reqwest;
#[cfg(feature = "tower")]
mod service;
#[cfg(any(feature = "rustls", feature = "hyper-tls"))]
mod tls;

use std::error::Error as StdError;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};

#[cfg(feature = "hyper")]
pub use self::hyper::{HyperBuilder, HyperTransport};
#[cfg(feature = "reqwest")]
pub use self::reqwest::{ReqwestBuilder, ReqwestTransport};
pub use body::MAX_BODY;

/// Sends one request and receives its answer.
///
/// Implementors keep to the rules of this [module](self): the request is signed, so its path,
/// content type and body must go out as they are.
///
/// ```
/// use bytes::Bytes;
/// use http::{Request, Response};
/// use sinch_verify_client::{Client, Transport, TransportError};
///
/// /// Answers by itself.
/// struct Canned;
///
/// impl Transport for Canned {
///     async fn send(&self, _request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
///         Ok(Response::new(Bytes::from_static(b"{}")))
///     }
/// }
///
/// let client = Client::builder().public("a-key").transport(Canned).build()?;
/// # Ok::<(), sinch_verify_client::BuildError>(())
/// ```
pub trait Transport: Send + Sync + 'static {
    /// Sends `request`. Dropping the future gives the request up.
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> impl Future<Output = Result<Response<Bytes>, TransportError>> + Send;
}

/// Any transport, shared between the clones of a client, or between clients.
#[derive(Clone)]
pub struct SharedTransport(Arc<dyn Erased>);

impl SharedTransport {
    /// Shares `transport`.
    #[must_use]
    pub fn new(transport: impl Transport) -> Self {
        Self(Arc::new(transport))
    }

    pub(crate) fn send(&self, request: Request<Bytes>) -> Sending<'_> {
        self.0.send_boxed(request)
    }
}

impl<T: Transport> From<T> for SharedTransport {
    fn from(transport: T) -> Self {
        Self::new(transport)
    }
}

impl fmt::Debug for SharedTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedTransport").finish_non_exhaustive()
    }
}

type Sending<'a> = Pin<Box<dyn Future<Output = Result<Response<Bytes>, TransportError>> + Send + 'a>>;

/// The form of [`Transport`] that `dyn` takes.
trait Erased: Send + Sync {
    fn send_boxed(&self, request: Request<Bytes>) -> Sending<'_>;
}

impl<T: Transport> Erased for T {
    fn send_boxed(&self, request: Request<Bytes>) -> Sending<'_> {
        Box::pin(self.send(request))
    }
}

/// A request got no answer.
#[derive(Debug)]
pub struct TransportError {
    kind: TransportErrorKind,
    may_have_been_sent: bool,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// Why a request got no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TransportErrorKind {
    /// No connection: name not found, port refused, TLS handshake failed. Never sent.
    Connect,
    /// No connection in time. Never sent.
    ConnectTimeout,
    /// No whole answer in time. May have been sent.
    Timeout,
    /// The connection broke before the answer was whole. May have been sent.
    Interrupted,
    /// The answer is larger than [`MAX_BODY`]. Was sent.
    BodyTooLarge,
    /// Anything else, such as an answer that is not HTTP. Taken as sent, unless it is known better.
    Other,
}

impl TransportError {
    /// An error of `kind`. It counts as sent unless the kind tells otherwise.
    #[must_use]
    pub fn new(kind: TransportErrorKind) -> Self {
        let never_sent = matches!(
            kind,
            TransportErrorKind::Connect | TransportErrorKind::ConnectTimeout
        );
        Self {
            kind,
            may_have_been_sent: !never_sent,
            source: None,
        }
    }

    /// Adds what caused it. Its messages must not hold the request's URI: numbers stand in paths.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Says that no part of the request left this machine.
    #[must_use]
    pub fn never_sent(mut self) -> Self {
        self.may_have_been_sent = false;
        self
    }

    /// Says that an earlier request of the same call has arrived.
    pub(crate) fn after_others(mut self) -> Self {
        self.may_have_been_sent = true;
        self
    }

    /// The kind.
    #[must_use]
    pub fn kind(&self) -> TransportErrorKind {
        self.kind
    }

    /// Whether the service may have seen the request. `false` is certain.
    #[must_use]
    pub fn may_have_been_sent(&self) -> bool {
        self.may_have_been_sent
    }

    /// The kind in a word, for spans.
    pub(crate) fn label(&self) -> &'static str {
        match self.kind {
            TransportErrorKind::Connect => "connect",
            TransportErrorKind::ConnectTimeout | TransportErrorKind::Timeout => "timeout",
            TransportErrorKind::Interrupted => "interrupted",
            TransportErrorKind::BodyTooLarge => "body_too_large",
            TransportErrorKind::Other => "transport",
        }
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            TransportErrorKind::Connect => f.write_str("no connection to the service"),
            TransportErrorKind::ConnectTimeout => f.write_str("no connection to the service in time"),
            TransportErrorKind::Timeout => f.write_str("no answer in time"),
            TransportErrorKind::Interrupted => {
                f.write_str("the connection broke before the answer was complete")
            }
            TransportErrorKind::BodyTooLarge => {
                write!(f, "the answer is larger than {} KiB", MAX_BODY / 1024)
            }
            TransportErrorKind::Other => f.write_str("the exchange with the service failed"),
        }
    }
}

impl StdError for TransportError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source
            .as_deref()
            .map(|source| -> &(dyn StdError + 'static) { source })
    }
}
