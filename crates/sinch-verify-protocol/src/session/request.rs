//! The requests of a session, each with its way to the wire and back.

use bytes::Bytes;
use http::Response;
use serde::{Deserialize, Serialize};

use super::any_start::{AnyStart, with_start};
use super::failure::RequestFailure;
use super::input::Answer;
use super::target::FetchTarget;
use crate::endpoint::{BaseUrl, Endpoint, Idempotency};
use crate::error::{DecodeError, EncodeError};
use crate::method::{Callout, FlashCall, Sms, VerifyMethod, WhatsApp};
use crate::outcome::FlashCallOutcome;
use crate::report::{Report, ReportRequest};
use crate::start::{Start, Started};
use crate::status::{StatusById, StatusByNumber};

/// Names a request of one session. Never used twice in a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RequestId(pub(super) u64);

/// A request that a session wants sent.
///
/// Either look inside for the typed operation, or treat all alike:
/// [`to_http`](Request::to_http), authorize where
/// [`needs_authorization`](Request::needs_authorization), send, and
/// [`read`](Request::read) the answer.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Request {
    /// Start a verification. Never send it again unless it provably never left.
    Start(Box<AnyStart>),
    /// Report a proof. What follows a lost one is the session's affair.
    Report(Box<AnyReport>),
    /// Ask for the status.
    Status(StatusQuery),
    /// Tell what became of the flash call. Its answer may be ignored.
    Outcome(Box<FlashCallOutcome>),
    /// Fetch the target of a data verification, without credentials.
    FetchTarget(FetchTarget),
}

impl Request {
    /// The operation's name, for spans and metrics.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Start(_) => Start::<Sms>::NAME,
            Self::Report(_) => Report::<Sms>::NAME,
            Self::Status(StatusQuery::ById(_)) => StatusById::NAME,
            Self::Status(StatusQuery::ByNumber(_)) => StatusByNumber::NAME,
            Self::Outcome(_) => FlashCallOutcome::NAME,
            Self::FetchTarget(_) => "fetch_target",
        }
    }

    /// What sending it twice does.
    #[must_use]
    pub fn idempotency(&self) -> Idempotency {
        match self {
            Self::Start(_) => Idempotency::Never,
            Self::Report(_) | Self::FetchTarget(_) => Idempotency::AskFirst,
            Self::Status(_) | Self::Outcome(_) => Idempotency::Safe,
        }
    }

    /// Whether the request is to be authorized. The target of a data
    /// verification must not be: it belongs to somebody else.
    #[must_use]
    pub fn needs_authorization(&self) -> bool {
        !matches!(self, Self::FetchTarget(_))
    }

    /// The request in its wire form, not yet authorized.
    ///
    /// # Errors
    ///
    /// When the base URL and the path do not make a URI.
    pub fn to_http(&self, base: &BaseUrl) -> Result<http::Request<Bytes>, EncodeError> {
        match self {
            Self::Start(start) => with_start!(start.as_ref(), start => start.to_http(base)),
            Self::Report(report) => with_report!(report.as_ref(), report => report.to_http(base)),
            Self::Status(StatusQuery::ById(query)) => query.to_http(base),
            Self::Status(StatusQuery::ByNumber(query)) => query.to_http(base),
            Self::Outcome(outcome) => outcome.to_http(base),
            Self::FetchTarget(target) => Ok(target.to_http()),
        }
    }

    /// Reads the answer. Redirects of a target must have been followed.
    ///
    /// # Errors
    ///
    /// When the service refused, or the answer cannot be read; hand it in as
    /// [`Input::RequestFailed`](super::Input::RequestFailed).
    pub fn read(&self, response: &Response<Bytes>) -> Result<Answer, RequestFailure> {
        let answer = match self {
            Self::Start(start) => with_start!(start.as_ref(), start => started(start, response)),
            Self::Outcome(_) => FlashCallOutcome::from_http(response).map(|()| Answer::Nothing),
            Self::Report(_) | Self::Status(_) | Self::FetchTarget(_) => {
                crate::Verification::from_http(response).map(Answer::from)
            }
        };
        answer.map_err(|error| RequestFailure::of(error, response))
    }
}

fn started<M: VerifyMethod>(_: &Start<M>, response: &Response<Bytes>) -> Result<Answer, DecodeError> {
    let mut started: Started<M> = Start::from_http(response)?;
    let content_language = started.content_language.take();
    Ok(Answer::Started {
        response: Box::new(started.into()),
        content_language,
    })
}

/// A report to a verification of any method that takes one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AnyReport {
    /// A code of an SMS.
    Sms(Report<Sms>),
    /// A caller id.
    FlashCall(Report<FlashCall>),
    /// A spoken code.
    Callout(Report<Callout>),
    /// A code of a WhatsApp message.
    WhatsApp(Report<WhatsApp>),
}

/// Does the same with whichever report it is.
macro_rules! with_report {
    ($any:expr, $report:ident => $body:expr) => {
        match $any {
            AnyReport::Sms($report) => $body,
            AnyReport::FlashCall($report) => $body,
            AnyReport::Callout($report) => $body,
            AnyReport::WhatsApp($report) => $body,
        }
    };
}

use with_report;

impl AnyReport {
    /// The body that goes out.
    #[must_use]
    pub fn body(&self) -> &ReportRequest {
        with_report!(self, report => report.body())
    }
}

/// A status query as the plan's [`AskBy`](super::AskBy) has it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StatusQuery {
    /// By id.
    ById(StatusById),
    /// By method and number.
    ByNumber(StatusByNumber),
}
