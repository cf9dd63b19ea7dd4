//! Starts, and the decisions of the callback about them.

use sinch_verify_protocol::callback::Decision;
use sinch_verify_protocol::identity::IdentityType;
use sinch_verify_protocol::start::StartRequest;
use sinch_verify_protocol::{AcceptLanguage, ApiError, Custom, PhoneNumber, Reason, Status, VerificationId};

use super::Engine;
use super::command::{Answer, DecisionRequest, Refusal, StartCommand};
use super::ids::{AppId, Uid};
use super::plan::Plan;
use super::record::{Payload, Record};
use super::timers::Timer;
use crate::application::AuthorizationLevel;
use crate::magic::Script;

impl Engine {
    pub(super) fn start(&mut self, command: StartCommand) -> Answer {
        match self.try_start(command) {
            Ok(answer) => answer,
            Err(refusal) => Answer::Refused(refusal),
        }
    }

    /// Checks a start and keeps it. A refused start is not kept.
    fn try_start(&mut self, command: StartCommand) -> Result<Answer, Refusal> {
        let StartCommand {
            app,
            level,
            callback,
            mut request,
            languages,
            base,
        } = command;
        let number = check_identity(&request)?;
        check_names(&request)?;
        let reference = request.reference.take();
        let custom = request.custom.take();
        let method = request.method.clone();
        let asked = if callback { tags(&languages) } else { Vec::new() };
        let plan = Plan::of(request, &languages, base)?;

        if let Some(reference) = &reference
            && self.store.by_reference(app, reference).is_some()
        {
            return Err(Refusal::new(
                ApiError::REFERENCE_USED,
                "Reference already defined.",
            ));
        }
        if level == AuthorizationLevel::Public && !callback {
            return Err(Refusal::new(
                ApiError::RESTRICTED,
                "Callback URL must be set when using public authorization method.",
            ));
        }
        self.check_rates(app, &number)?;
        let script = self.script_of(app, &number);
        if let Script::Refuse { code, message } = script {
            return Err(Refusal {
                code,
                message: message.to_owned(),
                // Temporary errors have a `Retry-After`.
                retry_after: matches!(code, ApiError::CAPACITY..=42999 | ApiError::UNAVAILABLE)
                    .then_some(std::time::Duration::from_secs(1)),
            });
        }

        if self.settings.abort_predecessor
            && let Some(predecessor) = self.store.latest(app, &number, None)
        {
            self.end(predecessor, Status::Aborted, None);
        }
        let uid = self.random.uid(self.now);
        let record = Record {
            seq: 0,
            uid,
            app,
            level,
            number,
            method,
            reference: reference.map(String::into_boxed_str),
            custom,
            status: Status::Pending,
            reason: None,
            started_at: self.now,
            ended_at: None,
            end_seq: 0,
            expires_at: self.later(plan.expiry.unwrap_or(self.settings.expiry)),
            call_over_at: None,
            outcome_at: None,
            arrive_at: None,
            scripted_outcome: None,
            attempts: 0,
            source: None,
            payload: Payload::Nothing,
            arrived: false,
            call: None,
            counted: 0,
        };
        self.about = Some(uid);
        if let Some(at) = record.expires_at {
            self.timers.add(at, uid, Timer::Expire);
        }
        if let Script::Deny(reason) = script {
            self.store.insert(record);
            return Err(self.deny(uid, reason));
        }
        if !callback {
            self.store.insert(record);
            return Ok(self.send(uid, plan));
        }
        let event = record.request_event(self.settings.price.as_ref(), asked);
        self.store.insert(Record {
            payload: Payload::Waiting(Box::new(plan)),
            ..record
        });
        Ok(Answer::NeedsDecision(DecisionRequest {
            uid,
            event: Box::new(event),
        }))
    }

    /// Applies the decision of the callback; `None` if it gave no usable answer.
    pub(super) fn decide(&mut self, uid: Uid, decision: Option<Decision>) -> Answer {
        let Some(record) = self.store.get_mut(uid) else {
            return Answer::Refused(Refusal::not_found());
        };
        self.about = Some(uid);
        let level = record.level;
        let wanted = match std::mem::replace(&mut record.payload, Payload::Nothing) {
            Payload::Waiting(plan) => *plan,
            other => {
                record.payload = other;
                if record.status == Status::Denied {
                    // By an intervention, before the callback answered.
                    let message = "Verification was denied.";
                    return Answer::Refused(Refusal::new(ApiError::RESTRICTED, message));
                }
                return Answer::Refused(Refusal::not_processable(
                    "The verification ended before the callback answered.",
                ));
            }
        };
        let mut plan = wanted.clone();
        let denied = match decision {
            Some(Decision::Deny) => Some(Reason::DeniedByCallback),
            Some(decision) => (!plan.decide(decision)).then_some(Reason::InvalidCallback),
            None => Some(Reason::InvalidCallback),
        };
        let trusted = self.settings.trust_without_answer && level > AuthorizationLevel::Public;
        match denied {
            Some(Reason::InvalidCallback) if trusted => self.send(uid, wanted),
            Some(reason) => Answer::Refused(self.deny(uid, reason)),
            None => self.send(uid, plan),
        }
    }

    fn deny(&mut self, uid: Uid, reason: Reason) -> Refusal {
        let message = if reason == Reason::DeniedByCallback {
            "Verification was denied by the callback."
        } else {
            "Verification was denied: the callback gave no usable answer."
        };
        self.end(uid, Status::Denied, Some(reason));
        Refusal::new(ApiError::RESTRICTED, message)
    }

    fn check_rates(&mut self, app: AppId, number: &PhoneNumber) -> Result<(), Refusal> {
        if let Some(least) = self.settings.velocity
            && let Some(uid) = self.store.latest(app, number, None)
            && let Some(record) = self.store.get(uid)
        {
            let passed = self.now.duration_since(record.started_at).unwrap_or_default();
            if passed < least {
                return Err(Refusal {
                    code: ApiError::VELOCITY,
                    message: "Cannot initiate verification to the same number too quickly.".to_owned(),
                    retry_after: Some(least - passed),
                });
            }
        }
        if let Some(most) = self.settings.capacity
            && !self.store.has_capacity(app, self.now, most)
        {
            return Err(over_capacity("Request capacity exceeded."));
        }
        if self.store.pending_bytes() >= self.settings.pending_bytes {
            return Err(over_capacity(
                "Request capacity exceeded: pending verifications hold as many bytes as pendingBytes allows.",
            ));
        }
        Ok(())
    }
}

fn over_capacity(message: &str) -> Refusal {
    Refusal {
        retry_after: Some(std::time::Duration::from_secs(1)),
        ..Refusal::new(ApiError::CAPACITY, message)
    }
}

fn check_identity(request: &StartRequest) -> Result<PhoneNumber, Refusal> {
    if request.identity.kind != IdentityType::Number {
        return Err(Refusal::parameter("identity.type", "must be number"));
    }
    let number = request.identity.phone_number();
    number.map_err(|problem| Refusal::parameter("identity.endpoint", problem))
}

fn check_names(request: &StartRequest) -> Result<(), Refusal> {
    if let Some(reference) = &request.reference {
        // References and ids are in the same part of a path. SDKs send references there that need
        // escapes, so more characters are accepted than our client sends.
        VerificationId::new(reference).map_err(|problem| Refusal::parameter("reference", problem))?;
    }
    if let Some(custom) = &request.custom {
        Custom::new(custom.as_str()).map_err(|problem| Refusal::parameter("custom", problem))?;
    }
    Ok(())
}

fn tags(languages: &AcceptLanguage) -> Vec<String> {
    languages.preferred().map(|tag| tag.as_str().to_owned()).collect()
}
