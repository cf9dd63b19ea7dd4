//! The requests of a session, each sent once: the session decides what follows.

use std::sync::Arc;

use sinch_verify_protocol::session::{
    Answer, FetchTarget, Input, Request, RequestFailure, RequestId, StatusQuery,
};
use sinch_verify_protocol::{DecodeError, Endpoint, PhoneNumber, Start, Verification};

use crate::call::{self, Repeat};
use crate::context::Context;
use crate::error::{Error, Lookup};
use crate::fetch::{FollowError, fetch};
use crate::reconcile;

/// Sends a request and tells its end.
pub(super) async fn carry_out(
    context: Arc<Context>,
    number: PhoneNumber,
    id: RequestId,
    request: Request,
) -> Input {
    let wire = Wire { context, number };
    match wire.send(request).await {
        Ok(answer) => Input::Answered { request: id, answer },
        Err(failure) => Input::RequestFailed { request: id, failure },
    }
}

/// What sends the requests, and the number that they are about, for their spans.
struct Wire {
    context: Arc<Context>,
    number: PhoneNumber,
}

impl Wire {
    async fn send(&self, request: Request) -> Result<Answer, RequestFailure> {
        match request {
            Request::Start(start) => self.start(*start).await,
            Request::Report(report) => self.verification(*report).await,
            Request::Status(StatusQuery::ById(query)) => self.verification(query).await,
            Request::Status(StatusQuery::ByNumber(query)) => self.verification(query).await,
            Request::Outcome(outcome) => self.once(*outcome).await.map(|()| Answer::Nothing),
            Request::FetchTarget(target) => self.fetch(&target).await,
            _ => Err(RequestFailure::Unsendable),
        }
    }

    /// The session never sends a start again. The client does, and looks up a lost one by its reference.
    async fn start(&self, start: Start) -> Result<Answer, RequestFailure> {
        match reconcile::start(&self.context, start).await {
            Ok(begun) => Ok(match begun.found {
                Some(found) => found.into(),
                None => begun.started.into(),
            }),
            // Only what is certain to be this start's: see `Lookup::Doubtful`.
            Err(error) => match error.lookup().and_then(Lookup::verification) {
                // A flash call's filter is lost; its caller id may still be typed.
                Some(found) => Ok(found.clone().into()),
                None => Err(error.into_request_failure()),
            },
        }
    }

    async fn fetch(&self, target: &FetchTarget) -> Result<Answer, RequestFailure> {
        let address = target.uri().to_string();
        let answer = fetch(&self.context, &address, Some(self.number.masked())).await;
        let answer = answer.map_err(follow_failure)?;
        match Verification::from_http(&answer) {
            Ok(verification) => Ok(verification.into()),
            Err(error) => Err(RequestFailure::of(error, &answer)),
        }
    }

    async fn verification<E>(&self, endpoint: E) -> Result<Answer, RequestFailure>
    where
        E: Endpoint<Response = Verification>,
    {
        self.once(endpoint).await.map(Answer::from)
    }

    async fn once<E: Endpoint>(&self, endpoint: E) -> Result<E::Response, RequestFailure> {
        let (number, budget) = (Some(self.number.masked()), self.context.budget());
        match call::run(&self.context, &endpoint, number, budget, Repeat::Never).await {
            Ok((response, _)) => Ok(response),
            Err(error) => Err(Error::into_request_failure(error)),
        }
    }
}

fn follow_failure(error: FollowError) -> RequestFailure {
    match error {
        FollowError::Transport(error) if error.may_have_been_sent() => RequestFailure::Lost,
        FollowError::Transport(_) => RequestFailure::NotSent,
        FollowError::Target(error) => RequestFailure::Target(error),
        FollowError::Answer(error) => DecodeError::into(error),
        FollowError::Status(error) => error.into_request_failure(),
        FollowError::Location | FollowError::NoTarget => RequestFailure::Unreadable,
    }
}
