//! The requests of a session, each with its way to the wire and back.

use bytes::Bytes;
use http::Response;
use serde::{Deserialize, Serialize};

use super::failure::RequestFailure;
use super::fetch_target::FetchTarget;
use crate::call_outcome::FlashCallOutcome;
use crate::endpoint::{BaseUrl, Endpoint};
use crate::error::EncodeError;
use crate::report::Report;
use crate::start::{Start, Started};
use crate::status::{StatusById, StatusByNumber};
use crate::verification::Verification;

/// Names a request of one session. Never used twice in a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RequestId(pub(super) u64);

/// A request that a session wants sent.
///
/// [`to_http`](Request::to_http), authorize where
/// [`needs_authorization`](Request::needs_authorization), send, and
/// [`read`](Request::read) the answer.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Request {
    /// Start a verification. Never send it again unless it provably never left.
    Start(Box<Start>),
    /// Report a proof. What follows a lost one is the session's affair.
    Report(Box<Report>),
    /// Ask for the status.
    Status(StatusQuery),
    /// Report the outcome of the flash call. Its answer may be ignored.
    Outcome(Box<FlashCallOutcome>),
    /// Fetch the target of a data verification, without credentials.
    FetchTarget(FetchTarget),
}

impl Request {
    /// The operation's name, for spans and metrics.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Start(_) => <Start as Endpoint>::NAME,
            Self::Report(_) => <Report as Endpoint>::NAME,
            Self::Status(StatusQuery::ById(_)) => StatusById::NAME,
            Self::Status(StatusQuery::ByNumber(_)) => StatusByNumber::NAME,
            Self::Outcome(_) => FlashCallOutcome::NAME,
            Self::FetchTarget(_) => "fetch_target",
        }
    }

    /// Whether the request is to be authorized. The target of a data
    /// verification must not be: it belongs to a mobile operator.
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
            Self::Start(start) => start.to_http(base),
            Self::Report(report) => report.to_http(base),
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
            Self::Start(start) => start.from_http(response).map(Answer::from),
            Self::Outcome(outcome) => outcome.from_http(response).map(|()| Answer::Nothing),
            Self::Report(_) | Self::Status(_) | Self::FetchTarget(_) => {
                Verification::from_http(response).map(Answer::from)
            }
        };
        answer.map_err(|error| RequestFailure::of(error, response))
    }
}

/// An answer with success.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Answer {
    /// To a start.
    Started(Box<Started>),
    /// To a report, a status query or the fetching of a target.
    ///
    /// May also be given for a start whose own answer was lost, when a query by
    /// reference found the verification: the session then goes on with typed
    /// codes. **Only where it is certain to be this start's**: a reference that
    /// was used before leads to the older verification, and who takes its
    /// success for the new one's lets a stranger in. A success found so counts
    /// for a callout only.
    Verification(Box<Verification>),
    /// To the outcome of a flash call. It tells nothing, and need not be handed in.
    Nothing,
}

impl From<Started> for Answer {
    fn from(started: Started) -> Self {
        Self::Started(Box::new(started))
    }
}

impl From<Verification> for Answer {
    fn from(verification: Verification) -> Self {
        Self::Verification(Box::new(verification))
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

/// The end of a report or of a status query.
pub(super) type Answered = Result<Box<Verification>, RequestFailure>;
