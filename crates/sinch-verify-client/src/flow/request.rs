//! The requests of a session, sent by the client.

use sinch_verify_protocol::method::{Reportable, VerifyMethod};
use sinch_verify_protocol::session::{
    Answer, AnyReport, AnyStart, Input, Request, RequestFailure, RequestId, StatusQuery,
};
use sinch_verify_protocol::{DecodeError, Endpoint, Report, Start, Verification};

use crate::client::Client;
use crate::error::Error;
use crate::fetch::{FollowError, fetch};
use crate::found::Found;
use crate::settle;

/// Sends a request and tells its end.
pub(super) async fn carry_out(client: Client, id: RequestId, request: Request) -> Input {
    match send(&client, request).await {
        Ok(answer) => Input::Answered { request: id, answer },
        Err(failure) => Input::RequestFailed { request: id, failure },
    }
}

async fn send(client: &Client, request: Request) -> Result<Answer, RequestFailure> {
    match request {
        Request::Start(any) => match *any {
            AnyStart::Sms(one) => start(client, one).await,
            AnyStart::FlashCall(one) => start(client, one).await,
            AnyStart::Callout(one) => start(client, one).await,
            AnyStart::Seamless(one) => start(client, one).await,
            AnyStart::WhatsApp(one) => start(client, one).await,
            AnyStart::Auto(one) => start(client, one).await,
            _ => Err(RequestFailure::NotSent),
        },
        Request::Report(any) => match *any {
            AnyReport::Sms(one) => report(client, one).await,
            AnyReport::FlashCall(one) => report(client, one).await,
            AnyReport::Callout(one) => report(client, one).await,
            AnyReport::WhatsApp(one) => report(client, one).await,
            _ => Err(RequestFailure::NotSent),
        },
        Request::Status(StatusQuery::ById(query)) => verification(client, query).await,
        Request::Status(StatusQuery::ByNumber(query)) => verification(client, query).await,
        Request::Outcome(outcome) => match client.send(*outcome).await {
            Ok(()) => Ok(Answer::Nothing),
            Err(error) => Err(error.into_request_failure()),
        },
        Request::FetchTarget(target) => {
            let answer = fetch(client.inner(), &target.uri().to_string()).await;
            let answer = answer.map_err(follow_failure)?;
            match Verification::from_http(&answer) {
                Ok(verification) => Ok(verification.into()),
                Err(error) => Err(RequestFailure::of(error, &answer)),
            }
        }
        _ => Err(RequestFailure::NotSent),
    }
}

/// A start whose answer was lost is settled here, by reference, which the session cannot.
async fn start<M: VerifyMethod>(client: &Client, start: Start<M>) -> Result<Answer, RequestFailure> {
    let start = client.complete(start);
    let whose = settle::whose_start(&start);
    match settle::start(client.inner(), &start, &whose).await {
        Ok(begun) => Ok(match begun.found {
            Some(found) => found.into(),
            None => {
                let mut started = begun.started;
                let content_language = started.content_language.take();
                Answer::Started {
                    response: Box::new(started.into()),
                    content_language,
                }
            }
        }),
        Err(error) => match error.found().and_then(Found::verification) {
            // A flash call's filter is lost; its caller id may still be typed.
            Some(found) => Ok(found.clone().into()),
            None => Err(error.into_request_failure()),
        },
    }
}

/// What follows a lost report is the session's affair.
async fn report<M: Reportable>(client: &Client, report: Report<M>) -> Result<Answer, RequestFailure> {
    verification(client, report).await
}

async fn verification<E: Endpoint<Response = Verification>>(
    client: &Client,
    endpoint: E,
) -> Result<Answer, RequestFailure> {
    let answer = client.send(endpoint).await;
    answer.map(Answer::from).map_err(Error::into_request_failure)
}

fn follow_failure(error: FollowError) -> RequestFailure {
    match error {
        FollowError::Transport(error) if error.may_have_been_sent() => RequestFailure::Lost,
        FollowError::Answer(error) => DecodeError::into(error),
        FollowError::Status(error) => error.into_request_failure(),
        FollowError::Location => RequestFailure::Unreadable,
        _ => RequestFailure::NotSent,
    }
}
