use std::convert::Infallible;
use std::future::{Future, ready};
use std::sync::Arc;

use sinch_verify_protocol::Decision;
use sinch_verify_protocol::callback::{RequestEvent, ResultEvent, SmsDeliveredEvent, UnknownEvent};

use crate::context::Context;

/// Any error. A handler's error only has to turn into one.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Decides on request events, and gets all other events.
///
/// Methods may be written as `async fn`. Only [`Handler::on_request`] is required; the
/// others do nothing by default. A closure from a [`RequestEvent`] to a future with a
/// [`Decision`], or with a `Result` of one, is a handler that only decides.
///
/// ```
/// use std::convert::Infallible;
/// use sinch_verify_callback::{Context, Decision, Handler, RequestEvent, ResultEvent, Status};
///
/// struct Backend;
///
/// impl Handler for Backend {
///     type Error = Infallible;
///
///     async fn on_request(&self, _: RequestEvent, _: &Context) -> Result<Decision, Infallible> {
///         Ok(Decision::Allow)
///     }
///
///     async fn on_result(&self, event: ResultEvent, _: &Context) -> Result<(), Infallible> {
///         let is_verified = event.status == Status::Successful;
///         println!("{} is verified: {is_verified}", event.id);
///         Ok(())
///     }
/// }
/// ```
///
/// Events are delivered at least once. The sender posts an event again when it
/// was not acknowledged, or the acknowledgement was lost: make what a handler
/// does safe to repeat, for example by storing results under the event's name
/// and the verification's id. A [`ReplayGuard`](crate::ReplayGuard) refuses
/// recorded callbacks, and repeats a decision without asking the handler; it
/// does not drop other events that are sent again, because the first delivery
/// may have failed in the handler.
///
/// A handler that blocks its thread delays all answers of a runtime that has no
/// other thread; each is then answered as late. Move such work to
/// `tokio::task::spawn_blocking`, or use
/// [`CallbackBuilder::handler_runtime`](crate::CallbackBuilder::handler_runtime).
///
/// Handlers compose: a limit or a deny list is a handler around a handler. It
/// must pass on all four events: the inner handler does not get the ones it leaves out.
///
/// ```
/// use sinch_verify_callback::{
///     Context, Decision, Handler, RequestEvent, ResultEvent, SmsDeliveredEvent, UnknownEvent,
/// };
///
/// struct Allowed<H> {
///     prefix: &'static str,
///     inner: H,
/// }
///
/// impl<H: Handler> Handler for Allowed<H> {
///     type Error = H::Error;
///
///     async fn on_request(&self, event: RequestEvent, context: &Context) -> Result<Decision, H::Error> {
///         if !event.identity.endpoint.as_str().starts_with(self.prefix) {
///             return Ok(Decision::Deny);
///         }
///         self.inner.on_request(event, context).await
///     }
///
///     async fn on_result(&self, event: ResultEvent, context: &Context) -> Result<(), H::Error> {
///         self.inner.on_result(event, context).await
///     }
///
///     async fn on_sms_delivered(&self, event: SmsDeliveredEvent, context: &Context) -> Result<(), H::Error> {
///         self.inner.on_sms_delivered(event, context).await
///     }
///
///     async fn on_unknown(&self, event: UnknownEvent, context: &Context) -> Result<(), H::Error> {
///         self.inner.on_unknown(event, context).await
///     }
/// }
/// ```
pub trait Handler: Send + Sync + 'static {
    /// Why the handler failed. The text goes to the log: keep numbers and
    /// codes out of it.
    type Error: Into<BoxError> + Send + 'static;

    /// May this verification go on? The service waits for the answer.
    ///
    /// When this fails, panics or does not answer before the deadline, the
    /// [`Fallback`](crate::Fallback) answers.
    fn on_request(
        &self,
        event: RequestEvent,
        context: &Context,
    ) -> impl Future<Output = Result<Decision, Self::Error>> + Send;

    /// A verification ended. When this fails, panics or is not done before the
    /// deadline, the answer is a 500, so that the sender may post it again. It
    /// may come twice.
    fn on_result(
        &self,
        event: ResultEvent,
        context: &Context,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send {
        let _ = (event, context);
        ready(Ok(()))
    }

    /// An SMS was delivered, or not. Failure is answered as in
    /// [`Handler::on_result`].
    fn on_sms_delivered(
        &self,
        event: SmsDeliveredEvent,
        context: &Context,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send {
        let _ = (event, context);
        ready(Ok(()))
    }

    /// An event that this version does not know. Failure is answered as in
    /// [`Handler::on_result`].
    fn on_unknown(
        &self,
        event: UnknownEvent,
        context: &Context,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send {
        let _ = (event, context);
        ready(Ok(()))
    }
}

impl<H: Handler> Handler for Arc<H> {
    type Error = H::Error;

    fn on_request(
        &self,
        event: RequestEvent,
        context: &Context,
    ) -> impl Future<Output = Result<Decision, H::Error>> + Send {
        (**self).on_request(event, context)
    }

    fn on_result(
        &self,
        event: ResultEvent,
        context: &Context,
    ) -> impl Future<Output = Result<(), H::Error>> + Send {
        (**self).on_result(event, context)
    }

    fn on_sms_delivered(
        &self,
        event: SmsDeliveredEvent,
        context: &Context,
    ) -> impl Future<Output = Result<(), H::Error>> + Send {
        (**self).on_sms_delivered(event, context)
    }

    fn on_unknown(
        &self,
        event: UnknownEvent,
        context: &Context,
    ) -> impl Future<Output = Result<(), H::Error>> + Send {
        (**self).on_unknown(event, context)
    }
}

/// A closure decides, and acknowledges all other events.
///
/// ```
/// use sinch_verify_callback::{CallbackBuilder, Decision, RequestEvent};
///
/// # fn f(builder: CallbackBuilder) {
/// builder.handler(|event: RequestEvent| async move {
///     event.identity.phone_number().map(|_| Decision::Allow)
/// });
/// # }
/// ```
impl<F, Fut> Handler for F
where
    F: Fn(RequestEvent) -> Fut + Send + Sync + 'static,
    Fut: Future<Output: Answer> + Send,
{
    type Error = <Fut::Output as Answer>::Error;

    async fn on_request(&self, event: RequestEvent, _: &Context) -> Result<Decision, Self::Error> {
        self(event).await.into_result()
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for sinch_verify_protocol::Decision {}
    impl<E> Sealed for Result<sinch_verify_protocol::Decision, E> {}
}

/// What a closure that is a [`Handler`] may answer: a [`Decision`], or a `Result` with one.
pub trait Answer: sealed::Sealed {
    /// Why there is no decision.
    type Error: Into<BoxError> + Send + 'static;

    /// The answer as a result.
    ///
    /// # Errors
    ///
    /// When the closure failed.
    fn into_result(self) -> Result<Decision, Self::Error>;
}

impl Answer for Decision {
    type Error = Infallible;

    fn into_result(self) -> Result<Self, Infallible> {
        Ok(self)
    }
}

impl<E: Into<BoxError> + Send + 'static> Answer for Result<Decision, E> {
    type Error = E;

    fn into_result(self) -> Self {
        self
    }
}
