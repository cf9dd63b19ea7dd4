//! One verification as the engine keeps it.

use std::time::{Duration, SystemTime};

use sinch_verify_protocol::method::{FlashCall, MethodInfo, Seamless, Sms};
use sinch_verify_protocol::verification::CallResult;
use sinch_verify_protocol::wire::PrivateText;
use sinch_verify_protocol::{Code, Method, PhoneNumber, Reason, Source, Status};

use super::ids::{AppId, Uid};
use super::language::Language;
use super::plan::Plan;
use super::timers::Timer;
use crate::application::AuthorizationLevel;

/// The methods that an `auto` start tries, in this order.
pub(super) const AUTO: [&MethodInfo; 3] = [&Seamless::INFO, &FlashCall::INFO, &Sms::INFO];

/// One verification.
#[derive(Clone)]
pub(super) struct Record {
    /// Its number: 1 for the first verification of this emulator. Given by the store.
    pub(super) seq: u64,
    pub(super) uid: Uid,
    pub(super) app: AppId,
    /// How well the starter showed who it is.
    pub(super) level: AuthorizationLevel,
    pub(super) number: PhoneNumber,
    pub(super) method: Method,
    pub(super) reference: Option<Box<str>>,
    pub(super) custom: Option<PrivateText>,
    pub(super) status: Status,
    pub(super) reason: Option<Reason>,
    pub(super) started_at: SystemTime,
    pub(super) ended_at: Option<SystemTime>,
    /// When it expires; among the timers while it is pending. `None` for never.
    pub(super) expires_at: Option<SystemTime>,
    /// When its call is over; among the timers while it is set, as the next two are.
    pub(super) call_over_at: Option<SystemTime>,
    /// When its scripted outcome happens.
    pub(super) outcome_at: Option<SystemTime>,
    /// When what was held up arrives.
    pub(super) arrive_at: Option<SystemTime>,
    pub(super) scripted_outcome: Option<Box<ScriptedOutcome>>,
    /// Wrong reports and wrong keys.
    pub(super) attempts: u32,
    pub(super) source: Option<Source>,
    pub(super) payload: Payload,
    /// Whether that reached the handset.
    pub(super) arrived: bool,
    /// For calls, once the call was made.
    pub(super) call: Option<Box<Call>>,
    /// What it counts for among the bytes of pending verifications. Kept by the store.
    pub(super) counted: usize,
}

/// What was sent to the handset.
#[derive(Clone)]
pub(super) enum Payload {
    /// Nothing yet: the callback is being asked. The plan is what the start wants.
    Waiting(Box<Plan>),
    /// Nothing, and nothing will be.
    Nothing,
    /// A message with a code.
    Text {
        code: Code,
        language: &'static Language,
        wording: Option<Box<Wording>>,
    },
    /// A flash call.
    Call { cli: PhoneNumber },
    /// A callout.
    Speech(Box<Speech>),
    /// An address to follow.
    Link { secret: u64 },
    /// Several of the above, for `auto`.
    Several(Box<[MethodPart]>),
}

/// What a start said about the words of a message: few do, so it is kept apart.
#[derive(Clone)]
pub(super) struct Wording {
    pub(super) template: Option<String>,
    pub(super) hash: Option<String>,
}

/// What a script does to a verification, at its [`Timer::Outcome`].
#[derive(Clone)]
pub(super) enum ScriptedOutcome {
    /// Its proof is reported, after so many wrong ones, each this long after the last.
    Report { every: Duration, wrong: u32 },
    /// It ends.
    End {
        status: Status,
        reason: Option<Reason>,
        call: Option<CallResult>,
    },
}

/// What one of several methods sent.
#[derive(Clone)]
pub(super) struct MethodPart {
    /// The id that reports by this method go to.
    pub(super) uid: Uid,
    pub(super) method: Method,
    pub(super) payload: Payload,
}

/// What a callout says, and what it takes.
#[derive(Clone)]
pub(super) struct Speech {
    /// Spoken, unless the older form was asked for without one.
    pub(super) code: Option<Code>,
    /// The key that confirms.
    pub(super) pin: Box<str>,
    pub(super) text: Box<str>,
    /// The language of the text; `None` for words of one's own.
    pub(super) language: Option<&'static Language>,
}

/// The state of a call.
#[derive(Clone)]
pub(super) struct Call {
    /// How long it lasts once it is there, if there is a limit.
    pub(super) lasting: Option<Duration>,
    pub(super) complete: bool,
    /// When it was over.
    pub(super) over_at: Option<SystemTime>,
    pub(super) result: Option<CallResult>,
}

impl Record {
    pub(super) fn is_pending(&self) -> bool {
        self.status == Status::Pending
    }

    /// When `timer` happens to it.
    pub(super) fn due_mut(&mut self, timer: Timer) -> &mut Option<SystemTime> {
        match timer {
            Timer::Outcome => &mut self.outcome_at,
            Timer::Arrive => &mut self.arrive_at,
            Timer::CallOver => &mut self.call_over_at,
            Timer::Expire => &mut self.expires_at,
        }
    }

    /// Whether `method` is how it verifies, alone or among others.
    pub(super) fn tries(&self, method: &Method) -> bool {
        self.method == *method
            || self.method == Method::Auto && AUTO.iter().any(|tried| tried.method == *method)
    }

    /// What reached the handset by `method`; `None` for a method that is not tried.
    pub(super) fn by(&self, method: &Method) -> Option<&Payload> {
        match &self.payload {
            Payload::Several(parts) => {
                let part = parts.iter().find(|part| part.method == *method)?;
                Some(&part.payload)
            }
            // Nothing was sent yet, by any of its methods.
            payload if self.method == Method::Auto => Some(payload),
            payload => (self.method == *method).then_some(payload),
        }
    }

    pub(super) fn has_expired(&self) -> bool {
        self.status == Status::Fail && self.reason == Some(Reason::Expired)
    }

    /// Marks the call as over, unless it is already; says whether it was not.
    pub(super) fn complete_call(&mut self, result: CallResult, now: SystemTime) -> bool {
        let call = self.call.as_mut().filter(|call| !call.complete);
        let is_news = call.is_some();
        if let Some(call) = call {
            call.complete = true;
            call.over_at = Some(now);
            call.result.get_or_insert(result);
        }
        is_news
    }

    /// Takes the final state. The engine does the rest.
    pub(super) fn end(&mut self, status: Status, reason: Option<Reason>, now: SystemTime) {
        let result = match (&self.method, &status, &reason) {
            // Whoever leaves a flash call unanswered hears it stop.
            (Method::FlashCall | Method::Auto, ..) | (_, Status::Aborted, _) => CallResult::Cancel,
            (_, _, Some(Reason::Expired)) => CallResult::NoAnswer,
            _ => CallResult::Answered,
        };
        self.complete_call(result, now);
        if matches!(self.payload, Payload::Waiting(_)) {
            self.payload = Payload::Nothing;
        }
        self.status = status;
        self.reason = reason;
        self.ended_at = Some(now);
    }
}
