//! The commands of the engine and its outputs.

use std::time::{Duration, SystemTime};

use sinch_verify_protocol::callback::{Decision, RequestEvent, ResultEvent, SmsDeliveredEvent};
use sinch_verify_protocol::report::ReportRequest;
use sinch_verify_protocol::start::{StartRequest, StartResponse};
use sinch_verify_protocol::{
    AcceptLanguage, ApiError, LanguageTag, Method, PhoneNumber, Verification, VerificationId,
};

use super::ids::{AppId, Uid};
use crate::application::AuthorizationLevel;
use crate::handset_behavior::HandsetBehavior;

/// Something happens.
#[derive(Clone, Debug)]
pub(crate) enum Command {
    /// An application starts a verification.
    Start(Box<StartCommand>),
    /// The callback answered the request event of a start, or failed to (`None`).
    Decide {
        uid: Uid,
        decision: Option<Box<Decision>>,
    },
    /// An application, or a device, reports what it saw.
    Report {
        app: AppId,
        target: Target,
        report: Box<ReportRequest>,
    },
    /// An application, or a device, asks how things stand.
    Status { app: AppId, query: Query },
    /// A device reports the outcome of a flash call.
    Outcome {
        app: AppId,
        number: PhoneNumber,
        no_call: bool,
    },
    /// A device follows the address of a data verification.
    Follow { uid: Uid, secret: u64 },
    /// Someone presses keys in a callout.
    Keypad { number: PhoneNumber, digits: String },
    /// Someone declines or ends a call.
    HangUp { number: PhoneNumber },
    /// From now on handsets do this by themselves.
    SetBehavior {
        scope: BehaviorScope,
        behavior: HandsetBehavior,
    },
    /// No handset does anything by itself any more; magic numbers stay.
    ClearBehaviors,
    /// The behavior for just this scope is forgotten.
    RemoveBehavior { scope: BehaviorScope },
    /// An onlooker brings something about.
    Intervene { uid: Uid, what: Intervention },
    /// Nothing but time.
    TimeReached,
    /// Forget everything.
    Reset,
}

/// What an onlooker may bring about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Intervention {
    /// The verification expires now.
    Expire,
    /// What was lost, or is late, reaches the handset now.
    Deliver,
    /// The verification is denied, as if by its callback.
    Deny,
}

/// A start by someone who may start.
#[derive(Clone, Debug)]
pub(crate) struct StartCommand {
    pub(crate) app: AppId,
    /// How well the sender showed who it is.
    pub(crate) level: AuthorizationLevel,
    /// Whether the application has a callback URL to ask.
    pub(crate) callback: bool,
    pub(crate) request: StartRequest,
    /// `Accept-Language`.
    pub(crate) languages: AcceptLanguage,
}

/// Whose handsets a behavior is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum BehaviorScope {
    Number(PhoneNumber),
    /// With `+`.
    Prefix(String),
    Application(AppId),
    Everyone,
}

/// Which verification a report means.
#[derive(Clone, Debug)]
pub(crate) enum Target {
    Id(VerificationId),
    Number(PhoneNumber),
}

/// Which verification a status query means.
#[derive(Clone, Debug)]
pub(crate) enum Query {
    Id(VerificationId),
    Reference(String),
    Number {
        method: Option<Method>,
        number: PhoneNumber,
    },
}

/// What a command led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Outputs {
    /// For the caller.
    pub(crate) answer: Answer,
    /// For everyone else, in order; also of what time alone brought about.
    pub(crate) effects: Vec<Effect>,
    /// What reached handsets, in order.
    pub(crate) arrivals: Vec<Arrived>,
    /// Calls that were over before their verification, or with it because the handset hung up.
    pub(crate) calls_over: Vec<CallOver>,
    /// The verification that the command was about.
    pub(crate) about: Option<Uid>,
}

/// Something reached a handset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Arrived {
    pub(crate) uid: Uid,
    pub(crate) number: PhoneNumber,
    pub(crate) seq: u64,
}

/// A call is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CallOver {
    pub(crate) uid: Uid,
    pub(crate) at: SystemTime,
    /// Whether the handset ended it.
    pub(crate) hung_up: bool,
}

/// The answer to a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Request a decision from the callback first, and come back with [`Command::Decide`].
    NeedsDecision(DecisionRequest),
    /// Started.
    Started {
        response: Box<StartResponse>,
        language: Option<LanguageTag>,
    },
    /// A verification as it stands.
    Verification(Box<Verification>),
    /// Not done.
    Refused(Refusal),
    /// Done, and nothing to say.
    Done,
}

/// The question to the callback.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DecisionRequest {
    pub(crate) uid: Uid,
    pub(crate) event: Box<RequestEvent>,
}

/// Why a command was not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// The error code on the wire.
    pub(crate) code: u32,
    pub(crate) message: String,
    /// When to try again.
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

    /// 40001 that names the parameter.
    pub(super) fn parameter(field: &str, problem: impl std::fmt::Display) -> Self {
        Self::new(ApiError::PARAMETER, format!("Parameter {field}: {problem}."))
    }

    pub(super) fn not_found() -> Self {
        ApiError::not_found().into()
    }

    /// 40003: well-formed, but not possible.
    pub(super) fn not_processable(message: &str) -> Self {
        Self::new(ApiError::NOT_PROCESSABLE, message)
    }
}

impl From<ApiError> for Refusal {
    fn from(error: ApiError) -> Self {
        Self::new(error.code, error.message.unwrap_or_default())
    }
}

/// Something to tell an application, in order with everything else about that verification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Effect {
    pub(crate) app: AppId,
    pub(crate) uid: Uid,
    /// When it happened, service time.
    pub(crate) at: SystemTime,
    pub(crate) notice: Notice,
}

/// What to tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Notice {
    Delivered(Box<SmsDeliveredEvent>),
    Result(Box<ResultEvent>),
}
