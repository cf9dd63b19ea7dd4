use bytes::Bytes;
use http::{Method as Verb, Request, Response};
use sinch_verify_protocol::method::Form;
use sinch_verify_protocol::start::{StartRequest, StartResponse};
use sinch_verify_protocol::{ApiError, DecodeError, Verification, WireObject as _};

use crate::model::{Failure, FailureKind, StepName};
use crate::wire::{Answer, BoxFuture, Wire};

use super::admitted::Admitted;
use super::rails::Rails;
use super::stop::Stop;

/// The wire of one flow of a run; in a live run, one that lets no start through without a budget.
///
/// It reads the bytes that are about to be sent, not what the flow meant to send.
#[derive(Debug)]
pub struct Guarded<W> {
    wire: W,
    rails: Option<Inside>,
}

/// What a flow of a live run has to answer for.
#[derive(Debug)]
struct Inside {
    admitted: Admitted,
    /// Reservations whose verification may have been started.
    open: Vec<u64>,
    /// Whether the turn that the flow was admitted with is used up.
    began: bool,
}

impl<W: Wire> Guarded<W> {
    /// A wire without rails, to a mock.
    pub fn free(wire: W) -> Self {
        Self { wire, rails: None }
    }

    /// A wire of a live run, for the flow that was [admitted](super::Rails::admit).
    pub fn live(wire: W, admitted: Admitted) -> Self {
        let inside = Inside {
            admitted,
            open: Vec::new(),
            began: false,
        };
        Self {
            wire,
            rails: Some(inside),
        }
    }
}

impl<W: Wire> Wire for Guarded<W> {
    fn send<'a>(&'a mut self, step: StepName, request: Request<Bytes>) -> BoxFuture<'a, Answer> {
        Box::pin(self.exchange(step, request))
    }
}

impl<W: Wire> Guarded<W> {
    async fn exchange(&mut self, step: StepName, request: Request<Bytes>) -> Answer {
        let Some(inside) = &mut self.rails else {
            return self.wire.send(step, request).await;
        };
        let start = inside.admit(&request).await.map_err(|stop| refused(&stop))?;
        let answer = self.wire.send(step, request).await;
        match start {
            Some(name) => inside.started(name, &answer),
            None => inside.asked(&answer),
        }
        answer
    }
}

impl Inside {
    fn rails(&self) -> &Rails {
        self.admitted.rails()
    }

    /// Reserves what `request` may cost; a start's reservation is returned. The flow's first request
    /// has its turn already, any other start waits for one.
    async fn admit(&mut self, request: &Request<Bytes>) -> Result<Option<u64>, Stop> {
        // Of all operations, only a start is a POST.
        let start = request.method() == Verb::POST;
        let first = !std::mem::replace(&mut self.began, true);
        if start && !first {
            self.rails().paced().await;
        }
        if (start || first)
            && let Some(stop) = self.rails().stopped()
        {
            return Err(stop);
        }
        if !start {
            return Ok(None);
        }
        let body = StartRequest::decode(request.body()).ok();
        let number = body.as_ref().and_then(|body| body.identity.phone_number().ok());
        let (Some(body), Some(number)) = (body, number) else {
            self.rails().stop(Stop::ForeignNumber);
            return Err(Stop::ForeignNumber);
        };
        // `auto` may turn into a call.
        let call = matches!(
            body.method.form(),
            Some(Form::Ring | Form::Speech | Form::Several)
        );
        let name = self.rails().reserve(&number, call)?;
        self.open.push(name);
        Ok(Some(name))
    }

    fn started(&mut self, name: u64, answer: &Result<Response<Bytes>, Failure>) {
        let free = match answer {
            Ok(answer) => {
                let status = answer.status();
                self.rails().answered(status);
                if let Ok(started) = StartResponse::decode(answer.body())
                    && status.is_success()
                {
                    self.rails().bind(name, &started.id);
                } else if let Err(error) = Verification::from_http(answer) {
                    self.refusal(&error);
                }
                status.is_client_error()
            }
            Err(failure) => failure.kind().is_unreachable() || failure.kind() == FailureKind::Request,
        };
        // Any other outcome may have cost something, so the reservation stays until the flow ends.
        if free {
            self.rails().release(name);
            self.open.retain(|open| *open != name);
        }
    }

    fn asked(&self, answer: &Result<Response<Bytes>, Failure>) {
        let Ok(answer) = answer else {
            return;
        };
        self.rails().answered(answer.status());
        match Verification::from_http(answer) {
            Ok(verification) => self.rails().seen(&verification),
            Err(error) => self.refusal(&error),
        }
    }

    fn refusal(&self, error: &DecodeError) {
        if let DecodeError::Api { error, .. } = error
            && error.code == ApiError::CREDIT
        {
            self.rails().stop(Stop::NoCredit);
        }
    }
}

/// The flow is over, however it ended.
impl Drop for Inside {
    fn drop(&mut self) {
        for name in std::mem::take(&mut self.open) {
            self.rails().close(name);
        }
    }
}

fn refused(stop: &Stop) -> Failure {
    Failure::new(FailureKind::Aborted, stop.to_string())
}
