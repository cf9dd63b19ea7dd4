//! The requests of a session, sent by the client.

use sinch_verify_protocol::session::{
    Answer, FetchTarget, Input, Request, RequestFailure, RequestId, StatusQuery,
};
use sinch_verify_protocol::{DecodeError, Endpoint, PhoneNumber, Start, Verification};

use crate::call;
use crate::client::Client;
use crate::error::Error;
use crate::fetch::{FollowError, fetch};
use crate::found::Found;
use crate::settle::{self, Opening};

/// Sends a request and tells its end.
pub(super) async fn carry_out(client: Client, number: PhoneNumber, id: RequestId, request: Request) -> Input {
    let wire = Wire { client, number };
    match wire.send(request).await {
        Ok(answer) => Input::Answered { request: id, answer },
        Err(failure) => Input::RequestFailed { request: id, failure },
    }
}

/// The client, and the number of whatever it sends, for its spans.
struct Wire {
    client: Client,
    number: PhoneNumber,
}

impl Wire {
    async fn send(&self, request: Request) -> Result<Answer, RequestFailure> {
        match request {
            Request::Start(start) => self.start(*start).await,
            // What follows a lost report is the session's affair.
            Request::Report(report) => self.verification(*report).await,
            Request::Status(StatusQuery::ById(query)) => self.verification(query).await,
            Request::Status(StatusQuery::ByNumber(query)) => self.verification(query).await,
            Request::Outcome(outcome) => self.once(*outcome).await.map(|()| Answer::Nothing),
            Request::FetchTarget(target) => self.fetch(&target).await,
            _ => Err(RequestFailure::NotSent),
        }
    }

    /// A start whose answer was lost is settled here, by reference, which the session cannot.
    async fn start(&self, start: Start) -> Result<Answer, RequestFailure> {
        let opening = Opening::new(self.client.inner(), start);
        match settle::start(self.client.inner(), &opening).await {
            Ok(begun) => Ok(match begun.found {
                Some(found) => found.into(),
                None => begun.started.into(),
            }),
            // Only what is certain to be this start's: see `Found::Doubtful`.
            Err(error) => match error.found().and_then(Found::verification) {
                // A flash call's filter is lost; its caller id may still be typed.
                Some(found) => Ok(found.clone().into()),
                None => Err(error.into_request_failure()),
            },
        }
    }

    async fn fetch(&self, target: &FetchTarget) -> Result<Answer, RequestFailure> {
        let address = target.uri().to_string();
        let answer = fetch(self.client.inner(), &address, Some(self.number.masked())).await;
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

    /// One operation, whose missing answer is not settled here.
    async fn once<E: Endpoint>(&self, endpoint: E) -> Result<E::Response, RequestFailure> {
        let inner = self.client.inner();
        let answer = call::run(inner, &endpoint, Some(self.number.masked()), inner.budget()).await;
        answer.map_err(Error::into_request_failure)
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
