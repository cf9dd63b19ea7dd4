//! The views of a verification: in answers, in events, on the handset.

use sinch_verify_protocol::callback::{RequestEvent, ResultEvent, SmsDeliveredEvent, SmsResult};
use sinch_verify_protocol::identity::Identity;
use sinch_verify_protocol::price::{Money, VerificationPrice};
use sinch_verify_protocol::sms_template::PLACEHOLDER;
use sinch_verify_protocol::verification::CallResult;
use sinch_verify_protocol::{BaseUrl, Cli, Timestamp, Verification};

use super::handset::Entry;
use super::ids::Uid;
use super::language::Language;
use super::record::{Payload, Record};
use crate::message::Message;
use crate::settings::Settings;

/// The path prefix of the addresses of data verifications.
pub(crate) const SEAMLESS: &str = "/_emu/seamless/";

impl Record {
    /// The answer to a status query.
    pub(super) fn status_answer(&self, settings: &Settings) -> Verification {
        let mut answer = self.report_answer();
        answer.identity = Some(Identity::number(self.number));
        answer.country_id = self.number.country().map(|country| country.as_str().to_owned());
        answer.timestamp = Some(Timestamp::service_form(self.started_at));
        if !self.is_pending() {
            answer.price = self.price(settings);
        }
        answer.call_result = self.call.as_ref().and_then(|call| call.result.clone());
        answer
    }

    /// The price of an ended verification.
    fn price(&self, settings: &Settings) -> Option<VerificationPrice> {
        let mut price = VerificationPrice::default();
        price.verification.clone_from(&settings.price);
        if let (Some(call), Some(termination)) = (&self.call, &settings.termination_price) {
            price.termination = Some(termination.clone());
            let answered = matches!(call.result, Some(CallResult::Answered | CallResult::Completed));
            let lasted = self.ended_at.filter(|_| answered);
            let lasted = lasted.and_then(|ended| ended.duration_since(self.started_at).ok());
            // A started second is billed as a whole one.
            let seconds = lasted.unwrap_or_default().as_millis().div_ceil(1_000);
            price.billable_duration = Some(u32::try_from(seconds).unwrap_or(u32::MAX));
        }
        (price.verification.is_some() || price.termination.is_some()).then_some(price)
    }

    /// The answer to a report.
    pub(super) fn report_answer(&self) -> Verification {
        let mut answer = Verification::new(self.uid.to_id(), self.method.clone(), self.status.clone());
        answer.reason = self.reason.clone();
        answer.reference = self.reference.as_deref().map(str::to_owned);
        answer.source = self.source.clone();
        answer.call_complete = self.call.as_ref().map(|call| call.complete);
        answer
    }

    pub(super) fn request_event(&self, price: Option<&Money>, languages: Vec<String>) -> RequestEvent {
        let mut event = RequestEvent::new(
            self.uid.to_id(),
            self.method.clone(),
            Identity::number(self.number),
        );
        event.reference = self.reference.as_deref().map(str::to_owned);
        event.custom = self.custom.clone();
        event.price = price.cloned();
        event.accept_language = Some(languages).filter(|languages| !languages.is_empty());
        event
    }

    pub(super) fn result_event(&self) -> ResultEvent {
        let identity = Identity::number(self.number);
        let mut event = ResultEvent::new(
            self.uid.to_id(),
            self.method.clone(),
            identity,
            self.status.clone(),
        );
        event.reference = self.reference.as_deref().map(str::to_owned);
        event.custom = self.custom.clone();
        event.reason = self.reason.clone();
        event.source = self.source.clone();
        event
    }

    pub(super) fn delivered_event(&self, result: SmsResult) -> SmsDeliveredEvent {
        let identity = Identity::number(self.number);
        let mut event = SmsDeliveredEvent::new(self.uid.to_id(), identity, result);
        event.reference = self.reference.as_deref().map(str::to_owned);
        event.custom = self.custom.clone();
        event
    }

    /// The message or call on the handset; `None` if nothing was sent.
    pub(super) fn message(&self, entry: &Entry) -> Option<Message> {
        let mut message = Message {
            seq: entry.seq,
            id: format!("message-{}", entry.seq),
            kind: entry.kind.method.clone(),
            verification_id: self.uid.to_id(),
            at: entry.at,
            text: None,
            language: None,
            code: None,
            cli: None,
            ringing: None,
            ring_until: None,
            missed: None,
            target_uri: None,
        };
        if let Some(call) = self.call.as_deref().filter(|_| entry.kind.form.is_call()) {
            let given_up = matches!(call.result, Some(CallResult::Cancel | CallResult::NoAnswer));
            message.ringing = Some(!call.complete);
            message.missed = Some(call.complete && given_up);
        }
        match self.by(&entry.kind.method)? {
            Payload::Waiting(_) | Payload::Nothing | Payload::Several(_) => return None,
            Payload::Text {
                code,
                language,
                wording,
            } => {
                let own = wording.as_deref();
                let template = own.and_then(|own| own.template.as_deref());
                message.language = language.tag().filter(|_| template.is_none());
                let template = template.unwrap_or(language.sms);
                let mut text = template.replace(PLACEHOLDER, code.expose());
                if let Some(hash) = own.and_then(|own| own.hash.as_deref()) {
                    text.push('\n');
                    text.push_str(hash);
                }
                message.text = Some(text);
                message.code = Some(code.clone());
            }
            Payload::Call { cli } => {
                message.cli = Some(Cli::from(*cli));
                let over_at = self.call.as_deref().and_then(|call| call.over_at);
                let until = self.call_over_at.or(over_at);
                // A call that arrives after the end does not ring.
                message.ring_until = until.map(|until| until.max(entry.at));
            }
            Payload::Speech(speech) => {
                message.language = speech.language.and_then(Language::tag);
                message.text = Some(speech.text.to_string());
                message.code.clone_from(&speech.code);
            }
            Payload::Link { base, secret } => {
                message.target_uri = Some(target_uri(base, self.uid, *secret));
            }
        }
        Some(message)
    }
}

/// The address that verifies the number of a data verification.
pub(super) fn target_uri(base: &BaseUrl, uid: Uid, secret: u64) -> String {
    base.join(&format!("{SEAMLESS}{uid}.{secret:016x}"))
}
