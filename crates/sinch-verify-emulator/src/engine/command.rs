//! The commands of the engine and its outputs.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use sinch_verify_protocol::callback::{Decision, RequestEvent, ResultEvent, SmsDeliveredEvent};
use sinch_verify_protocol::report::ReportRequest;
use sinch_verify_protocol::start::{StartRequest, StartResponse};
use sinch_verify_protocol::{
    AcceptLanguage, ApiError, BaseUrl, LanguageTag, Method, PhoneNumber, Verification, VerificationId,
};

use super::ids::{AppId, Uid};
use crate::application::AuthorizationLevel;
use crate::handset_behavior::HandsetBehavior;

/// An input to the engine.
#[derive(Clone, Debug)]
pub(crate) enum Command {
    /// An application starts a verification.
    Start(Box<StartCommand>),
    /// The callback answered the request event of a start. `None` if it gave no usable answer.
    Decide {
        uid: Uid,
        decision: Option<Box<Decision>>,
    },
    /// An application or a device reports a code or a caller id.
    Report {
        app: AppId,
        target: Target,
        report: Box<ReportRequest>,
    },
    /// An application or a device queries the status.
    Status { app: AppId, query: Query },
    /// A device reports the outcome of a flash call.
    Outcome {
        app: AppId,
        number: PhoneNumber,
        no_call: bool,
    },
    /// A device opens the address of a data verification.
    Follow { uid: Uid, secret: u64 },
    /// A handset presses keys in a callout, of one application if given.
    Keypad {
        app: Option<AppId>,
        number: PhoneNumber,
        digits: String,
    },
    /// A handset declines or ends a call, of one application if given.
    HangUp { app: Option<AppId>, number: PhoneNumber },
    /// Sets a handset behavior.
    SetBehavior {
        scope: BehaviorScope,
        behavior: HandsetBehavior,
    },
    /// Removes all handset behaviors. Magic numbers keep their outcomes.
    ClearBehaviors,
    /// Removes the handset behavior of this scope.
    RemoveBehavior { scope: BehaviorScope },
    /// A person or script intervenes in a verification.
    Intervene { uid: Uid, what: Intervention },
    /// Only runs timers that are due.
    TimeReached,
    /// Removes everything.
    Reset,
}

/// An intervention in a verification, by the page or a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Intervention {
    /// Let the verification expire now.
    Expire,
    /// Deliver the lost or delayed message now.
    Deliver,
    /// Deny the verification, as its callback can.
    Deny,
}

/// An authorized start.
#[derive(Clone, Debug)]
pub(crate) struct StartCommand {
    pub(crate) app: AppId,
    /// The authorization of the request.
    pub(crate) level: AuthorizationLevel,
    /// Whether the application has a callback URL, so that a decision is required.
    pub(crate) callback: bool,
    pub(crate) request: StartRequest,
    /// `Accept-Language`.
    pub(crate) languages: AcceptLanguage,
    /// The base URL of links in the answer.
    pub(crate) base: Arc<BaseUrl>,
}

/// The handsets that a behavior is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum BehaviorScope {
    Number(PhoneNumber),
    /// `+` and digits.
    Prefix(String),
    Application(AppId),
    Everyone,
}

/// The verification that a report is for.
#[derive(Clone, Debug)]
pub(crate) enum Target {
    Id(VerificationId),
    Number(PhoneNumber),
}

/// The verification that a status query is for.
#[derive(Clone, Debug)]
pub(crate) enum Query {
    Id(VerificationId),
    Reference(String),
    Number {
        method: Option<Method>,
        number: PhoneNumber,
    },
}

/// The outputs of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Outputs {
    /// The answer to the caller.
    pub(crate) answer: Answer,
    /// The callback events, in order, also those of timers.
    pub(crate) effects: Vec<Effect>,
    /// The messages and calls that reached handsets, in order.
    pub(crate) arrivals: Vec<Arrived>,
    /// The calls that ended before their verification, or with it because the handset hung up.
    pub(crate) calls_over: Vec<CallOver>,
    /// The verification that the command is about.
    pub(crate) about: Option<Uid>,
}

/// A message or call that reached a handset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Arrived {
    pub(crate) uid: Uid,
    pub(crate) number: PhoneNumber,
    pub(crate) seq: u64,
}

/// A call that ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CallOver {
    pub(crate) uid: Uid,
    pub(crate) at: SystemTime,
    /// Whether the handset ended the call.
    pub(crate) hung_up: bool,
}

/// The answer to a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The callback must decide first; then [`Command::Decide`] follows.
    NeedsDecision(DecisionRequest),
    /// The verification was started.
    Started {
        response: Box<StartResponse>,
        language: Option<LanguageTag>,
    },
    /// The current state of a verification.
    Verification(Box<Verification>),
    /// The command was refused.
    Refused(Refusal),
    /// The command was carried out; there is no other answer.
    Done,
}

/// The request for a decision of the callback.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DecisionRequest {
    pub(crate) uid: Uid,
    pub(crate) event: Box<RequestEvent>,
}

/// Why a command was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// The error code on the wire.
    pub(crate) code: u32,
    pub(crate) message: String,
    /// When the command can be tried again.
    pub(crate) retry_after: Option<Duration>,
}

impl Refusal {
    pub(crate) fn new(code: u32, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            retry_after: None,
        }
    }

    /// Error 40001, which names the parameter.
    pub(super) fn parameter(field: &str, problem: impl std::fmt::Display) -> Self {
        Self::new(ApiError::PARAMETER, format!("Parameter {field}: {problem}."))
    }

    pub(super) fn not_found() -> Self {
        ApiError::not_found().into()
    }

    /// Error 40003: well-formed, but not possible.
    pub(super) fn not_processable(message: &str) -> Self {
        Self::new(ApiError::NOT_PROCESSABLE, message)
    }
}

impl From<ApiError> for Refusal {
    fn from(error: ApiError) -> Self {
        Self::new(error.code, error.message.unwrap_or_default())
    }
}

/// A callback event to post. The events of one verification are in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Effect {
    pub(crate) app: AppId,
    pub(crate) uid: Uid,
    /// When the event happened, service time.
    pub(crate) at: SystemTime,
    pub(crate) notice: Notice,
}

/// The body of a callback event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Notice {
    Delivered(Box<SmsDeliveredEvent>),
    Result(Box<ResultEvent>),
}
