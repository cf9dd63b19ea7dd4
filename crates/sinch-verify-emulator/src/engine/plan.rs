//! The plan of what to send: the options of the start, changed by the decision of the callback.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sinch_verify_protocol::callback::Decision;
use sinch_verify_protocol::method::MethodInfo;
use sinch_verify_protocol::sms_template::PLACEHOLDER;
use sinch_verify_protocol::start::{FlashCallOptions, StartRequest};
use sinch_verify_protocol::{AcceptLanguage, BaseUrl, Code, CodeType, LanguageTag, Method, PhoneNumber};

use super::command::Refusal;

/// What to send. Values that are not set are chosen when the message is sent.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Plan {
    /// The base URL of links in the answer.
    #[serde(with = "super::base_url_text")]
    pub(super) base: Arc<BaseUrl>,
    pub(super) code: Option<Code>,
    pub(super) code_type: Option<CodeType>,
    pub(super) expiry: Option<Duration>,
    pub(super) template: Option<String>,
    pub(super) application_hash: Option<String>,
    /// The preferred languages, best first.
    pub(super) languages: Vec<String>,
    pub(super) cli: Option<PhoneNumber>,
    pub(super) ring: Option<Duration>,
    pub(super) interception: Option<Duration>,
    /// The older form of a callout, which asks for a key.
    pub(super) menu: Option<Menu>,
}

/// The texts of the older form of a callout.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Menu {
    pub(super) pin: Option<String>,
    pub(super) text: Option<String>,
    pub(super) sound: Option<String>,
    pub(super) timeout: Option<Duration>,
}

impl Plan {
    /// The plan of a start. Options of other methods are ignored.
    pub(super) fn of(
        request: StartRequest,
        languages: &AcceptLanguage,
        base: Arc<BaseUrl>,
    ) -> Result<Self, Refusal> {
        if request.method.is_unknown() {
            return Err(Refusal::parameter("method", MethodInfo::must_be(|_| true)));
        }
        let mut plan = Self {
            base,
            languages: languages.preferred().map(|tag| tag.as_str().to_owned()).collect(),
            code: None,
            code_type: None,
            expiry: None,
            template: None,
            application_hash: None,
            cli: None,
            ring: None,
            interception: None,
            menu: None,
        };
        match request.method {
            Method::Sms | Method::Auto => {
                if let Some(options) = request.sms_options {
                    plan.code_type = known_code_type(options.code_type, "smsOptions.codeType")?;
                    plan.expiry = options.expiry.map(|expiry| expiry.duration());
                    if options
                        .template
                        .as_ref()
                        .is_some_and(|text| !text.contains(PLACEHOLDER))
                    {
                        return Err(Refusal::parameter("smsOptions.template", "must hold {{CODE}}"));
                    }
                    plan.template = options.template;
                    plan.application_hash = options.application_hash;
                }
                if request.method == Method::Auto {
                    plan.ring_as(request.flash_call_options);
                }
            }
            Method::FlashCall => plan.ring_as(request.flash_call_options),
            Method::Callout => {
                let locale = request
                    .callout_options
                    .and_then(|options| options.speech)
                    .and_then(|speech| speech.locale);
                plan.prefer(locale);
            }
            Method::WhatsApp => {
                if let Some(options) = request.whatsapp_options {
                    plan.code_type = known_code_type(options.code_type, "whatsappOptions.codeType")?;
                }
            }
            _ => {}
        }
        Ok(plan)
    }

    /// Applies the decision of the callback. Returns `false` if it is not possible.
    pub(super) fn decide(&mut self, decision: Decision) -> bool {
        let code_type = match decision {
            Decision::AllowSms(sms) => {
                self.code = sms.code;
                self.expiry = sms.expiry.map(|expiry| expiry.duration()).or(self.expiry);
                self.accept(sms.accept_language);
                sms.code_type
            }
            Decision::AllowWhatsApp(whatsapp) => {
                self.accept(whatsapp.accept_language);
                whatsapp.code_type
            }
            Decision::AllowFlashCall(call) => {
                self.cli = call.cli;
                self.ring = call.dial_timeout.map(|seconds| seconds.duration()).or(self.ring);
                let interception = call.interception_timeout.map(|seconds| seconds.duration());
                self.interception = interception.or(self.interception);
                None
            }
            Decision::AllowCallout(callout) => {
                self.code = callout.code;
                self.prefer(callout.speech.and_then(|speech| speech.locale).or(callout.locale));
                let menu = Menu {
                    pin: callout.pin.map(|pin| pin.as_str().to_owned()),
                    text: callout.tts_menu.map(|text| text.as_str().to_owned()),
                    sound: callout.wav_file,
                    timeout: callout
                        .timeout
                        .filter(|seconds| *seconds > 0)
                        .map(|seconds| Duration::from_secs(seconds.into())),
                };
                let keys = |pin: &String| are_keys(pin);
                if !menu.pin.as_ref().is_none_or(keys) {
                    return false;
                }
                let older = menu.pin.is_some()
                    || menu.text.is_some()
                    || menu.sound.is_some()
                    || menu.timeout.is_some();
                self.menu = older.then_some(menu);
                None
            }
            _ => None,
        };
        if matches!(code_type, Some(CodeType::Unknown(_))) {
            return false;
        }
        self.code_type = code_type.or_else(|| self.code_type.take());
        true
    }

    fn ring_as(&mut self, options: Option<FlashCallOptions>) {
        if let Some(options) = options {
            self.ring = options.dial_timeout.map(|seconds| seconds.duration());
            self.interception = options.interception_timeout.map(|seconds| seconds.duration());
        }
    }

    fn prefer(&mut self, language: Option<String>) {
        if let Some(language) = language {
            self.languages.insert(0, language);
        }
    }

    fn accept(&mut self, languages: Option<Vec<LanguageTag>>) {
        if let Some(languages) = languages {
            self.languages = languages.iter().map(|tag| tag.as_str().to_owned()).collect();
        }
    }
}

fn known_code_type(code_type: Option<CodeType>, field: &str) -> Result<Option<CodeType>, Refusal> {
    match code_type {
        Some(CodeType::Unknown(_)) => Err(Refusal::parameter(
            field,
            "must be Numeric, Alpha or Alphanumeric",
        )),
        known => Ok(known),
    }
}

/// Whether `text` consists of telephone keys.
pub(super) fn are_keys(text: &str) -> bool {
    (1..=10).contains(&text.len())
        && text
            .bytes()
            .all(|key| key.is_ascii_digit() || key == b'*' || key == b'#')
}
