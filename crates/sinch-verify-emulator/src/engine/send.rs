//! Sends the message or call of a start, and answers the start.

use std::sync::Arc;
use std::time::Duration;

use sinch_verify_protocol::callback::SmsResult;
use sinch_verify_protocol::method::Form;
use sinch_verify_protocol::start::{
    AutoDetails, CalloutDetails, FlashCallDetails, Link, LinkRel, SeamlessDetails, SmsDetails, StartResponse,
    WhatsAppDetails,
};
use sinch_verify_protocol::{
    ApiError, BaseUrl, CodeType, LanguageTag, Method, Reason, Status, StatusById, VerificationId,
};

use super::Engine;
use super::call;
use super::callout;
use super::command::{Answer, Refusal};
use super::ids::Uid;
use super::language::Language;
use super::plan::Plan;
use super::record::{AUTO, MethodPart, Payload, Wording};
use super::scripted_outcome::Arrival;
use super::timers::Timer;
use super::view::target_uri;

impl Engine {
    /// Sends what `plan` says, and answers the start.
    pub(super) fn send(&mut self, uid: Uid, plan: Plan) -> Answer {
        let Some(record) = self.store.get(uid) else {
            return Answer::Refused(Refusal::not_found());
        };
        let method = record.method.clone();
        let mut response = StartResponse::new(uid.to_id(), method.clone());
        response.links = Some(links(&plan.base, uid.to_id()));
        if let Some(expiry) = plan.expiry {
            self.set_expiry(uid, expiry);
        }
        let sent = match method.form() {
            Some(Form::Text) => self.send_text(&method, plan, &mut response),
            Some(Form::Ring) => self.ring(uid, &plan, &mut response),
            Some(Form::Speech) => self.call_out(uid, plan, &mut response),
            Some(Form::Address) => Some((self.give_address(uid, plan.base, &mut response), None)),
            Some(Form::Several) => self.send_several(uid, plan, &mut response),
            // Starts by other methods are refused earlier.
            _ => None,
        };
        let Some((payload, language)) = sent else {
            self.end(uid, Status::Error, Some(Reason::InternalError));
            return Answer::Refused(Refusal::new(ApiError::INTERNAL, "Internal server error."));
        };
        let Some(record) = self.store.get_mut(uid) else {
            return Answer::Refused(Refusal::not_found());
        };
        record.payload = payload;
        self.store.count_again(uid);
        match self.schedule_outcome(uid) {
            Arrival::Now => self.arrive(uid),
            Arrival::Failed => {
                self.begin_call(uid);
                self.tell_delivery(uid, SmsResult::Failed);
            }
            // The call rings for the caller even if it does not reach the handset.
            Arrival::Never => self.begin_call(uid),
            Arrival::Later => {}
        }
        Answer::Started {
            response: Box::new(response),
            language,
        }
    }

    fn give_address(&mut self, uid: Uid, base: Arc<BaseUrl>, response: &mut StartResponse) -> Payload {
        let secret = self.random.secret();
        let mut details = SeamlessDetails::default();
        details.target_uri = Some(target_uri(&base, uid, secret).into());
        response.seamless = Some(details);
        Payload::Link { base, secret }
    }

    /// For an `auto` start: sends by all methods at once. The device uses the one that works.
    fn send_several(
        &mut self,
        uid: Uid,
        plan: Plan,
        response: &mut StartResponse,
    ) -> Option<(Payload, Option<LanguageTag>)> {
        let link = self.give_address(uid, Arc::clone(&plan.base), response);
        let (call, _) = self.ring(uid, &plan, response)?;
        let (text, language) = self.send_text(&Method::Sms, plan, response)?;
        let parts: Box<[MethodPart]> = AUTO
            .into_iter()
            .zip([link, call, text])
            .map(|(sent, payload)| MethodPart {
                uid: self.random.uid(self.now),
                method: sent.method.clone(),
                payload,
            })
            .collect();
        let mut details = AutoDetails::default();
        details.methods_order = Some(parts.iter().map(|part| part.method.clone()).collect());
        for part in &parts {
            self.store.add_part(uid, part.uid);
            details
                .sub_verification_id
                .get_or_insert_with(|| part.uid.to_id());
            response.set_sub_verification_id(&part.method, part.uid.to_id());
        }
        response.auto = Some(details);
        Some((Payload::Several(parts), language))
    }

    fn send_text(
        &mut self,
        method: &Method,
        plan: Plan,
        response: &mut StartResponse,
    ) -> Option<(Payload, Option<LanguageTag>)> {
        let language = Language::choose(plan.languages.iter().map(String::as_str));
        let code_type = plan.code_type.unwrap_or(CodeType::Numeric);
        let code = match plan.code {
            Some(code) => code,
            None => self.random.code(&code_type, self.settings.code_length)?,
        };
        // The language of a text that the application set is unknown.
        let tag = if plan.template.is_some() {
            None
        } else {
            language.tag()
        };
        match method {
            Method::Sms => {
                let mut details = SmsDetails::default();
                details.template = Some(plan.template.as_deref().unwrap_or(language.sms).to_owned());
                // A code that has expired is worth no wait.
                let expiry = plan.expiry.unwrap_or(self.settings.expiry);
                details.interception_timeout = Some(seconds(self.settings.sms_interception.min(expiry)));
                details.code_type = Some(code_type);
                response.sms = Some(details);
            }
            Method::WhatsApp => {
                let mut details = WhatsAppDetails::default();
                details.code_type = Some(code_type);
                response.whatsapp = Some(details);
            }
            _ => {}
        }
        let wording = Wording {
            template: plan.template,
            hash: plan.application_hash,
        };
        let is_own = wording.template.is_some() || wording.hash.is_some();
        let payload = Payload::Text {
            code,
            language,
            wording: is_own.then(|| Box::new(wording)),
        };
        Some((payload, tag))
    }

    fn ring(
        &mut self,
        uid: Uid,
        plan: &Plan,
        response: &mut StartResponse,
    ) -> Option<(Payload, Option<LanguageTag>)> {
        let cli = match plan.cli {
            Some(cli) => cli,
            None => self.random.fictional_number().parse().ok()?,
        };
        let settings = &self.settings;
        let interception = plan.interception.unwrap_or(settings.flash_call_interception);
        // The report timeout is later than the interception timeout by the same duration as by default.
        let report = settings
            .flash_call_report
            .saturating_sub(settings.flash_call_interception);
        let mut details = FlashCallDetails::new(call::cli_filter(&cli));
        details.interception_timeout = Some(seconds(interception));
        details.report_timeout = Some(seconds(interception.saturating_add(report)));
        details.deny_call_after = Some(seconds(settings.flash_call_deny_after));
        response.flash_call = Some(details);
        self.dial(uid, Some(plan.ring.unwrap_or(self.settings.flash_call_ring)));
        Some((Payload::Call { cli }, None))
    }

    fn call_out(
        &mut self,
        uid: Uid,
        plan: Plan,
        response: &mut StartResponse,
    ) -> Option<(Payload, Option<LanguageTag>)> {
        let language = Language::choose(plan.languages.iter().map(String::as_str));
        let older = plan.menu.is_some();
        let menu = plan.menu.unwrap_or_default();
        let code = match plan.code {
            None if older => None,
            None => Some(self.random.code(&CodeType::Numeric, self.settings.code_length)?),
            code => code,
        };
        self.dial(uid, menu.timeout);
        response.callout = self.settings.callout_polling.map(|polling| {
            let mut details = CalloutDetails::default();
            details.start_polling_after = Some(seconds(polling.start_after));
            details.stop_polling_after = Some(seconds(polling.stop_after));
            details.polling_interval = Some(seconds(polling.interval));
            details
        });
        let speech = callout::speech(language, code, menu, &self.settings.callout_pin);
        Some((Payload::Speech(Box::new(speech)), language.tag()))
    }

    /// A requested expiry is the validity of the code, so it counts from now, not from the start.
    fn set_expiry(&mut self, uid: Uid, expiry: Duration) {
        self.schedule(uid, Timer::Expire, self.later(expiry));
    }
}

fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}

/// The links to the status and the report of a verification, which have the same address.
fn links(base: &BaseUrl, id: VerificationId) -> Vec<Link> {
    let href = StatusById { id }.href(base);
    vec![
        Link::new(LinkRel::Status, href.clone(), "GET"),
        Link::new(LinkRel::Report, href, "PUT"),
    ]
}
