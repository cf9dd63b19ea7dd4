//! What ends a request, a method or a session without success.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::header::RETRY_AFTER;
use serde::{Deserialize, Serialize};

use super::fetch_target::TargetError;
use crate::error::{ApiError, DecodeError};
use crate::retry::Outcome;
use crate::verification::{Reason, Status, Verification};

/// Why a request brought no usable answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RequestFailure {
    /// The service answered with an error.
    Refused {
        /// The HTTP status.
        status: u16,
        /// The error object, where there was one.
        error: Option<Box<ApiError>>,
        /// The `Retry-After`, counted from now.
        retry_after: Option<Duration>,
    },
    /// The service answered with success, but there was nothing to read: an
    /// empty body (204 included), or not the JSON that was expected.
    Unreadable,
    /// No answer came, and the request may have been sent.
    Lost,
    /// The request provably never left. It may go better the next time.
    NotSent,
    /// The request cannot be sent. Trying again would end the same way.
    Unsendable,
    /// A status query was answered with another verification: by number the
    /// service tells the latest one.
    AnotherVerification,
    /// The address of a data verification, or one that it redirects to, must not
    /// be fetched. Trying again would end the same way.
    Target(TargetError),
}

impl RequestFailure {
    /// Reads an answer that [`Endpoint::from_http`](crate::Endpoint::from_http)
    /// could not take, with the answer's `Retry-After` where that is in seconds.
    #[must_use]
    pub fn of(error: DecodeError, response: &http::Response<Bytes>) -> Self {
        let mut failure = Self::from(error);
        if let Self::Refused { retry_after, .. } = &mut failure {
            let seconds = response.headers().get(RETRY_AFTER);
            let seconds = seconds.and_then(|value| value.to_str().ok()?.trim().parse().ok());
            *retry_after = seconds.map(Duration::from_secs);
        }
        failure
    }

    /// An error answer with this error object.
    #[must_use]
    pub fn refused(error: ApiError) -> Self {
        Self::Refused {
            status: error.http_status().as_u16(),
            error: Some(Box::new(error)),
            retry_after: None,
        }
    }

    /// What it means for sending again.
    pub(super) fn outcome(&self) -> Outcome {
        match self {
            Self::Refused {
                status,
                error,
                retry_after,
            } => Outcome::Refused {
                status: *status,
                code: error.as_ref().map(|error| error.code),
                retry_after: *retry_after,
            },
            Self::Unreadable => Outcome::Unreadable,
            Self::Lost => Outcome::Lost,
            Self::NotSent => Outcome::NotSent,
            Self::AnotherVerification => Outcome::NotFound,
            Self::Unsendable | Self::Target(_) => Outcome::Unsendable,
        }
    }

    /// The method's end that this failure is.
    pub(super) fn into_failure(self) -> Failure {
        match self {
            Self::Refused { error, status, .. } => match error {
                Some(error) if error.code == ApiError::RESTRICTED => Failure::Denied { reason: None },
                error => Failure::Refused { status, error },
            },
            Self::Unreadable => Failure::Unreadable,
            Self::Lost => Failure::Unreachable {
                may_have_been_sent: true,
            },
            Self::NotSent | Self::Unsendable => Failure::Unreachable {
                may_have_been_sent: false,
            },
            Self::AnotherVerification => Failure::Superseded,
            Self::Target(error) => Failure::Target(error),
        }
    }
}

impl From<DecodeError> for RequestFailure {
    fn from(error: DecodeError) -> Self {
        match error {
            DecodeError::Api { status, error } => Self::Refused {
                status: status.as_u16(),
                error: Some(Box::new(error)),
                retry_after: None,
            },
            DecodeError::Status { status, .. } => Self::Refused {
                status: status.as_u16(),
                error: None,
                retry_after: None,
            },
            DecodeError::EmptyBody { .. } | DecodeError::Json(_) | DecodeError::WrongMethod { .. } => {
                Self::Unreadable
            }
        }
    }
}

/// Why a method, or the session, ended without success.
///
/// [`Failure::falls_back`] says which of them let the next method try.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Failure {
    /// The application's callback, or the service, denied it. No fallback: the
    /// decision is about the number or the person, not about the method. A
    /// missing callback URL under public authorization looks the same.
    Denied {
        /// Why; unknown where the start itself was denied.
        reason: Option<Reason>,
    },
    /// Too many codes were wrong, by the service's count or by the plan's. No
    /// fallback: another method would only allow further guesses.
    AttemptsUsedUp,
    /// The verification's time ran out at the service. Falls back.
    Expired,
    /// The verification ended without success. Falls back, but for fraud, a
    /// blocked number and missing credit, where any method would meet the same;
    /// and but for `ABORTED`, where another start of a verification of the
    /// number came later, which a further start would abort.
    NotVerified(Box<Verification>),
    /// The service refused the request.
    ///
    /// Falls back where another method may fare better: unknown verification,
    /// not processable (40003), application set-up (422xx), server trouble
    /// (5xx). Not after invalid parameters (the number is the same), missing
    /// authorization, credit or privilege (401xx to 403xx), a reference used
    /// before (409xx), or velocity and capacity (429xx), which count starts of
    /// any method.
    Refused {
        /// The HTTP status.
        status: u16,
        /// The error object, where there was one.
        error: Option<Box<ApiError>>,
    },
    /// The service could not be reached. Falls back: a further start aborts
    /// whatever the lost one may have begun.
    Unreachable {
        /// Whether the request may have arrived all the same.
        may_have_been_sent: bool,
    },
    /// The start's answer was lost, and the verification that was found in its
    /// place cannot be taken for the one that it began: it is of another number
    /// or method, or it has succeeded though nothing was reported. Falls back.
    Doubtful(Box<Verification>),
    /// The service tells of a later verification of the number only. No
    /// fallback: a further start would abort that one.
    Superseded,
    /// The answer to a start had nothing to read. Falls back.
    Unreadable,
    /// The answer to a start does not say what its method needs. Falls back.
    Unusable {
        /// The field that is missing or wrong.
        field: String,
    },
    /// The address of a data verification must not be fetched. Falls back.
    Target(TargetError),
    /// No proof came in the time given to this method. Falls back.
    NotInTime,
    /// [`Input::NextMethod`](super::Input::NextMethod) was given. Falls back.
    Skipped,
    /// The deadline, or the polling window, was reached before the outcome was
    /// known: the verification may still succeed. Falls back from a polling
    /// window, not from the deadline.
    TimedOut,
    /// [`Input::Cancel`](super::Input::Cancel) was given.
    Cancelled,
    /// Several methods were tried, and the last one failed as well.
    NoMethodLeft {
        /// What ended the last one.
        last: Box<Self>,
    },
}

impl Failure {
    /// What really ended it: looks into [`Failure::NoMethodLeft`].
    #[must_use]
    pub fn root(&self) -> &Self {
        match self {
            Self::NoMethodLeft { last } => last.root(),
            other => other,
        }
    }

    /// Whether the next method is tried after this.
    #[must_use]
    pub fn falls_back(&self) -> bool {
        match self {
            Self::Denied { .. }
            | Self::AttemptsUsedUp
            | Self::Superseded
            | Self::Cancelled
            | Self::NoMethodLeft { .. } => false,
            Self::NotVerified(verification) => {
                let for_all = matches!(
                    verification.reason,
                    Some(Reason::Fraud | Reason::Blocked | Reason::NotEnoughCredit)
                );
                !for_all && verification.status != Status::Aborted
            }
            Self::Refused { status, error } => {
                let code = error.as_ref().map(|error| error.code);
                match status {
                    400 => code == Some(ApiError::NOT_PROCESSABLE),
                    401..=403 | 409 | 429 => false,
                    _ => true,
                }
            }
            _ => true,
        }
    }

    /// What a verification that ended without success means.
    pub(super) fn of(verification: Box<Verification>) -> Self {
        match (&verification.status, &verification.reason) {
            (Status::Denied, _) => Self::Denied {
                reason: verification.reason,
            },
            (_, Some(Reason::DeniedByCallback | Reason::InvalidCallback)) => Self::Denied {
                reason: verification.reason,
            },
            (_, Some(Reason::Expired)) => Self::Expired,
            (_, Some(Reason::InvalidCode)) => Self::AttemptsUsedUp,
            // A wrong caller id is a call mistaken for the flash call, seldom a guess: another
            // method may be tried.
            _ => Self::NotVerified(verification),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Denied { reason: None } => f.write_str("verification was denied"),
            Self::Denied { reason: Some(reason) } => write!(f, "verification was denied: {reason}"),
            Self::AttemptsUsedUp => f.write_str("too many wrong codes; start a new verification"),
            Self::Expired => f.write_str("verification expired; start a new one"),
            Self::NotVerified(verification) => {
                write!(f, "number was not verified: {}", verification.status)?;
                match &verification.reason {
                    Some(reason) => write!(f, ", {reason}"),
                    None => Ok(()),
                }
            }
            Self::Refused {
                error: Some(error), ..
            } => write!(f, "service refused: {error}"),
            Self::Refused { status, error: None } => write!(f, "service refused with HTTP status {status}"),
            Self::Unreachable { .. } => f.write_str("service could not be reached"),
            Self::Doubtful(verification) => write!(
                f,
                "answer to the start was lost, and what was found instead may be another verification: {}",
                verification.status
            ),
            Self::Superseded => f.write_str("a later verification of the number has taken its place"),
            Self::Unreadable => f.write_str("answer to the start has no readable body"),
            Self::Unusable { field } => write!(f, "answer to the start lacks a usable `{field}`"),
            Self::Target(error) => write!(f, "targetUri must not be fetched: {error}"),
            Self::NotInTime => f.write_str("nothing came in the time given to this method"),
            Self::Skipped => f.write_str("another method was asked for"),
            Self::TimedOut => f.write_str("time ran out before the outcome was known"),
            Self::Cancelled => f.write_str("cancelled"),
            Self::NoMethodLeft { last } => write!(f, "no method is left; the last one: {last}"),
        }
    }
}

impl std::error::Error for Failure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Target(source) => Some(source),
            Self::NoMethodLeft { last } => Some(last.as_ref()),
            _ => None,
        }
    }
}
