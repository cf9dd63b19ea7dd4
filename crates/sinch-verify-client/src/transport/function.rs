//! A transport made of a closure.

use std::future::Future;

use bytes::Bytes;
use http::{Request, Response};

use super::{SharedTransport, Transport, TransportError};

struct Function<F>(F);

impl SharedTransport {
    /// A transport that calls `send` for every request.
    ///
    /// ```
    /// use bytes::Bytes;
    /// use http::{Request, Response};
    /// use sinch_verify_client::{Client, SharedTransport};
    ///
    /// let transport = SharedTransport::from_fn(|_request: Request<Bytes>| async {
    ///     Ok(Response::new(Bytes::from_static(b"{}")))
    /// });
    /// let client = Client::builder().public("a-key").transport(transport).build()?;
    /// # Ok::<(), sinch_verify_client::BuildError>(())
    /// ```
    #[must_use]
    pub fn from_fn<F, R>(send: F) -> Self
    where
        F: Fn(Request<Bytes>) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Response<Bytes>, TransportError>> + Send + 'static,
    {
        Self::new(Function(send))
    }
}

impl<F, R> Transport for Function<F>
where
    F: Fn(Request<Bytes>) -> R + Send + Sync + 'static,
    R: Future<Output = Result<Response<Bytes>, TransportError>> + Send + 'static,
{
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        (self.0)(request).await
    }
}
