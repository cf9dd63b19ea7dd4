//! One verification as the engine keeps it.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use sinch_verify_protocol::method::{FlashCall, MethodInfo, Seamless, Sms};
use sinch_verify_protocol::verification::CallResult;
use sinch_verify_protocol::wire::PrivateText;
use sinch_verify_protocol::{BaseUrl, Code, Method, PhoneNumber, Reason, Source, Status};

use super::ids::{AppId, Uid};
use super::language::Language;
use super::plan::Plan;
use super::timers::Timer;
use crate::application::AuthorizationLevel;
use crate::clock::{instant, optional_instant};

/// The methods that an `auto` start tries, in this order.
pub(super) const AUTO: [&MethodInfo; 3] = [&Seamless::INFO, &FlashCall::INFO, &Sms::INFO];

/// One verification. Its serde form is the one of snapshots.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Record {
    /// The number of the verification, 1 for the first one. The store sets it.
    pub(super) seq: u64,
    pub(super) uid: Uid,
    pub(super) app: AppId,
    /// The authorization of the start.
    pub(super) level: AuthorizationLevel,
    pub(super) number: PhoneNumber,
    pub(super) method: Method,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) reference: Option<Box<str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) custom: Option<PrivateText>,
    pub(super) status: Status,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<Reason>,
    #[serde(with = "instant")]
    pub(super) started_at: SystemTime,
    #[serde(with = "optional_instant", default, skip_serializing_if = "Option::is_none")]
    pub(super) ended_at: Option<SystemTime>,
    /// The number of its end, 1 for the first one; 0 while it is pending. The store sets it.
    pub(super) end_seq: u64,
    /// When it expires; among the timers while it is pending. `None` for never.
    #[serde(with = "optional_instant", default, skip_serializing_if = "Option::is_none")]
    pub(super) expires_at: Option<SystemTime>,
    /// When its call is over; among the timers while it is set, as the next two are.
    #[serde(with = "optional_instant", default, skip_serializing_if = "Option::is_none")]
    pub(super) call_over_at: Option<SystemTime>,
    /// When its scripted outcome is applied.
    #[serde(with = "optional_instant", default, skip_serializing_if = "Option::is_none")]
    pub(super) outcome_at: Option<SystemTime>,
    /// When a delayed message arrives.
    #[serde(with = "optional_instant", default, skip_serializing_if = "Option::is_none")]
    pub(super) arrive_at: Option<SystemTime>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) scripted_outcome: Option<Box<ScriptedOutcome>>,
    /// The number of wrong reports and wrong keys.
    pub(super) attempts: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) source: Option<Source>,
    pub(super) payload: Payload,
    /// Whether the message or call reached the handset.
    pub(super) arrived: bool,
    /// The state of the call, once it is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) call: Option<Box<Call>>,
    /// Its counted size in bytes, while it is pending. The store sets it.
    #[serde(skip)]
    pub(super) counted: usize,
}

/// What is sent to the handset.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) enum Payload {
    /// Nothing yet: the callback has not decided. The plan has the options of the start.
    Waiting(Box<Plan>),
    /// Nothing, because the start was denied.
    Nothing,
    /// A message with a code.
    Text {
        code: Code,
        language: &'static Language,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        wording: Option<Box<Wording>>,
    },
    /// A flash call.
    Call { cli: PhoneNumber },
    /// A callout.
    Speech(Box<Speech>),
    /// An address to open, below this base URL.
    Link {
        #[serde(with = "super::base_url_text")]
        base: Arc<BaseUrl>,
        secret: u64,
    },
    /// Several of the above, for an `auto` start.
    Several(Box<[MethodPart]>),
}

/// The text options of a start. In a separate type, because few starts have them.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Wording {
    pub(super) template: Option<String>,
    pub(super) hash: Option<String>,
}

/// The scripted outcome of a verification, applied at its [`Timer::Outcome`].
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) enum ScriptedOutcome {
    /// The proof is reported after `wrong` wrong reports, with delay `every` between reports.
    Report { every: Duration, wrong: u32 },
    /// The verification ends.
    End {
        status: Status,
        reason: Option<Reason>,
        call: Option<CallResult>,
    },
}

/// What one of several methods sends.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct MethodPart {
    /// The id for reports by this method.
    pub(super) uid: Uid,
    pub(super) method: Method,
    pub(super) payload: Payload,
}

/// The spoken text of a callout, and the keys that it accepts.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Speech {
    /// The spoken code. `None` in the older form.
    pub(super) code: Option<Code>,
    /// The key that confirms the number.
    pub(super) pin: Box<str>,
    pub(super) text: Box<str>,
    /// The language of the text; `None` if the application set the text.
    pub(super) language: Option<&'static Language>,
}

/// The state of a call.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Call {
    /// How long the call rings or waits after it arrives; `None` for no limit.
    pub(super) lasting: Option<Duration>,
    pub(super) complete: bool,
    /// When the call ended.
    #[serde(with = "optional_instant", default, skip_serializing_if = "Option::is_none")]
    pub(super) over_at: Option<SystemTime>,
    pub(super) result: Option<CallResult>,
}

impl Record {
    pub(super) fn is_pending(&self) -> bool {
        self.status == Status::Pending
    }

    /// Its timers, for a state that is restored.
    pub(super) fn timers(&self) -> impl Iterator<Item = (SystemTime, Uid, Timer)> + use<> {
        let expires_at = self.expires_at.filter(|_| self.is_pending());
        let all = [
            (expires_at, Timer::Expire),
            (self.call_over_at, Timer::CallOver),
            (self.outcome_at, Timer::Outcome),
            (self.arrive_at, Timer::Arrive),
        ];
        let uid = self.uid;
        all.into_iter()
            .filter_map(move |(at, timer)| Some((at?, uid, timer)))
    }

    /// When `timer` is due.
    pub(super) fn due_mut(&mut self, timer: Timer) -> &mut Option<SystemTime> {
        match timer {
            Timer::Outcome => &mut self.outcome_at,
            Timer::Arrive => &mut self.arrive_at,
            Timer::CallOver => &mut self.call_over_at,
            Timer::Expire => &mut self.expires_at,
        }
    }

    /// Whether it tries `method`, alone or among others.
    pub(super) fn tries(&self, method: &Method) -> bool {
        self.method == *method
            || self.method == Method::Auto && AUTO.iter().any(|tried| tried.method == *method)
    }

    /// What is sent by `method`; `None` for a method that is not tried.
    pub(super) fn by(&self, method: &Method) -> Option<&Payload> {
        match &self.payload {
            Payload::Several(parts) => {
                let part = parts.iter().find(|part| part.method == *method)?;
                Some(&part.payload)
            }
            // Nothing is sent yet by any method.
            payload if self.method == Method::Auto => Some(payload),
            payload => (self.method == *method).then_some(payload),
        }
    }

    pub(super) fn has_expired(&self) -> bool {
        self.status == Status::Fail && self.reason == Some(Reason::Expired)
    }

    /// Marks the call as ended. Returns `false` if it had already ended.
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

    /// Sets the final state. The engine does the rest.
    pub(super) fn end(&mut self, status: Status, reason: Option<Reason>, now: SystemTime) {
        let result = match (&self.method, &status, &reason) {
            // A flash call that is not answered stops ringing.
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
