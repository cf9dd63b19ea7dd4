//! The requests of a session, each sent once: the session decides what follows.

use std::sync::Arc;

use sinch_verify_protocol::session::{
    Answer, FetchTarget, Input, Request, RequestFailure, RequestId, StatusQuery,
};
use sinch_verify_protocol::{DecodeError, Endpoint, PhoneNumber, Start, Verification};

use crate::call::{self, Repeat};
use crate::context::Context;
use crate::counts;
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
            Request::Report(report) => {
                let answer = self.once(&*report).await;
                counts::reported(report.method(), Some(self.number), answer.as_ref().map(Some));
                for_session(answer)
            }
            Request::Status(StatusQuery::ById(query)) => for_session(self.once(&query).await),
            Request::Status(StatusQuery::ByNumber(query)) => for_session(self.once(&query).await),
            Request::Outcome(outcome) => for_session(self.once(&*outcome).await.map(|()| Answer::Nothing)),
            Request::FetchTarget(target) => self.fetch(&target).await,
            _ => Err(RequestFailure::Unsendable),
        }
    }

    /// The session never sends a start again. The client does, and looks up a lost one by its reference.
    async fn start(&self, start: Start) -> Result<Answer, RequestFailure> {
        match reconcile::start(&self.context, start).await {
            Ok(begun) => Ok(match begun.found {
                Some(found) => (*found).into(),
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

    async fn once<E: Endpoint>(&self, endpoint: &E) -> Result<E::Response, Error> {
        let (number, budget) = (Some(self.number.masked()), self.context.budget());
        let answer = call::run(&self.context, endpoint, number, budget, Repeat::Never).await;
        answer.map(|(response, _)| response)
    }
}

/// An answer as the session takes it.
fn for_session(answer: Result<impl Into<Answer>, Error>) -> Result<Answer, RequestFailure> {
    answer.map(Into::into).map_err(Error::into_request_failure)
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
