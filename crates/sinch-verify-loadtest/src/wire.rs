//! What sends the requests of a flow.

use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use sinch_verify_client::Transport;

use crate::model::{Failure, FailureKind, StepName};

/// How long a request may take up to the last byte of its answer, over any transport.
pub(crate) const WHOLE: Duration = Duration::from_secs(30);

/// A future that a trait object can return.
pub(crate) type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The whole answer to a request, or why there is none.
pub(crate) type Answer = Result<Response<Bytes>, Failure>;

/// Sends the requests of a flow: the one thing in which virtual users on goose and on the direct
/// transport differ.
///
/// The request may be authorized, so its path, content type and body must go out as they are, once.
pub(crate) trait Wire: Send {
    /// Sends `request` and returns the whole answer. `step` is its name in figures.
    fn send<'a>(&'a mut self, step: StepName, request: Request<Bytes>) -> BoxFuture<'a, Answer>;
}

impl<W: Wire + ?Sized> Wire for &mut W {
    fn send<'a>(&'a mut self, step: StepName, request: Request<Bytes>) -> BoxFuture<'a, Answer> {
        W::send(self, step, request)
    }
}

/// The direct transport: one of the client crate, with no load generator in between.
#[derive(Clone, Debug)]
pub(crate) struct DirectWire<T> {
    transport: T,
}

impl<T: Transport> DirectWire<T> {
    /// Sends over `transport`.
    pub(crate) fn new(transport: T) -> Self {
        Self { transport }
    }
}

impl<T: Transport> Wire for DirectWire<T> {
    fn send<'a>(&'a mut self, _step: StepName, request: Request<Bytes>) -> BoxFuture<'a, Answer> {
        Box::pin(async move {
            match tokio::time::timeout(WHOLE, self.transport.send(request)).await {
                Ok(answer) => answer.map_err(|error| Failure::from(&error)),
                Err(_) => {
                    let detail = format!("no whole answer within {} s", WHOLE.as_secs());
                    Err(Failure::new(FailureKind::ReadTimeout, detail))
                }
            }
        })
    }
}
