use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use sinch_verify_client::Transport;

use crate::failure::{Failure, FailureKind};

/// How long a request may take up to the last byte of its answer, over any
/// transport.
pub(crate) const WHOLE: Duration = Duration::from_secs(30);

/// Sends the requests of a flow: all that a flow needs to know of a load generator.
///
/// The request is authorized, so its path, content type and body must go out as they are, once.
pub trait Wire: Send {
    /// Sends `request` and gives the whole answer. `operation` names it in the generator's own
    /// figures; it holds no id and no number.
    fn send(
        &mut self,
        operation: &'static str,
        request: Request<Bytes>,
    ) -> impl Future<Output = Result<Response<Bytes>, Failure>> + Send;
}

impl<W: Wire> Wire for &mut W {
    fn send(
        &mut self,
        operation: &'static str,
        request: Request<Bytes>,
    ) -> impl Future<Output = Result<Response<Bytes>, Failure>> + Send {
        W::send(self, operation, request)
    }
}

/// A wire over a transport of the client, with no load generator in between.
#[derive(Clone, Debug)]
pub struct LeanWire<T> {
    transport: T,
}

impl<T: Transport> LeanWire<T> {
    /// A wire over `transport`.
    #[must_use]
    pub fn new(transport: T) -> Self {
        Self { transport }
    }
}

impl<T: Transport> Wire for LeanWire<T> {
    async fn send(
        &mut self,
        _operation: &'static str,
        request: Request<Bytes>,
    ) -> Result<Response<Bytes>, Failure> {
        match tokio::time::timeout(WHOLE, self.transport.send(request)).await {
            Ok(answer) => answer.map_err(|error| Failure::from(&error)),
            Err(_) => {
                let detail = format!("no whole answer within {} s", WHOLE.as_secs());
                Err(Failure::new(FailureKind::ReadTimeout, detail))
            }
        }
    }
}
