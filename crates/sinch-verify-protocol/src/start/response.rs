//! What the service answers to a start.

use crate::code::CodeType;
use crate::id::VerificationId;
use crate::method::{self, Method};
use crate::open_enum::open_enum;
use crate::polling::PollSchedule;
use crate::sms_template::{SmsTemplate, TemplateError};
use crate::wire::{LooseText, PrivateText, Spelled, object};

object! {
    /// The body of a start's answer, for every method.
    pub struct StartResponse {
        /// The verification's id.
        required "id" => id: VerificationId, via LooseText<VerificationId>;
        /// The method. Old answers leave it out.
        optional "method" => method: Method, via Spelled<Method>;
        /// For `sms`.
        optional "sms" => sms: SmsDetails, of Sms;
        /// For `flashcall`.
        optional "flashCall" | "flashcall" => flash_call: FlashCallDetails, of FlashCall;
        /// For `callout`; today's service leaves it out.
        optional "callout" => callout: CalloutDetails, of Callout;
        /// For `seamless`.
        optional "seamless" => seamless: SeamlessDetails, of Seamless;
        /// For `whatsapp`.
        optional "whatsapp" => whatsapp: WhatsAppDetails, of WhatsApp;
        /// For `auto`, beside the objects of the methods to try.
        optional "auto" => auto: AutoDetails, of Auto;
        /// Where to ask for the status and where to report, local to the data
        /// centre that took the start.
        side "_links" => links: Vec<Link>;
    }
}

impl StartResponse {
    /// An answer with the required fields.
    #[must_use]
    pub fn new(id: VerificationId, method: Method) -> Self {
        Self {
            method: Some(method),
            ..Self::bare(id)
        }
    }

    /// The answer as sent, with the chosen language if there is one.
    #[cfg(feature = "server")]
    #[must_use]
    pub fn to_http_response(
        &self,
        language: Option<&crate::language::LanguageTag>,
    ) -> http::Response<bytes::Bytes> {
        let mut response = crate::json::response(http::StatusCode::OK, self);
        let value = language.and_then(|tag| http::HeaderValue::from_str(tag.as_str()).ok());
        if let Some(value) = value {
            response
                .headers_mut()
                .insert(http::header::CONTENT_LANGUAGE, value);
        }
        response
    }
}

object! {
    /// What a start by SMS tells.
    #[derive(Default)]
    pub struct SmsDetails {
        /// The text of the message, with `{{CODE}}`.
        side "template" => template: String;
        /// How long to wait for the message, in seconds.
        side "interceptionTimeout" => interception_timeout: i64;
        /// The alphabet of the code.
        side "codeType" => code_type: CodeType, via Spelled<CodeType>;
        /// Within `auto` only.
        optional "subVerificationId" => sub_verification_id: VerificationId, via LooseText<VerificationId>;
    }
}

impl SmsDetails {
    /// The template, ready to cut the code out of a message; `None` when the
    /// answer has none.
    ///
    /// # Errors
    ///
    /// When the template has no `{{CODE}}`.
    pub fn template(&self) -> Result<Option<SmsTemplate>, TemplateError> {
        self.template.as_deref().map(SmsTemplate::parse).transpose()
    }
}

object! {
    /// What a start by flash call tells. All times in seconds.
    pub struct FlashCallDetails {
        /// The filter that the caller id must match: see [`CliFilter`](crate::cli_filter::CliFilter).
        required "cliFilter" => cli_filter: String;
        /// How long to wait for the call.
        side "interceptionTimeout" => interception_timeout: i64;
        /// How long the caller id may be reported.
        side "reportTimeout" => report_timeout: i64;
        /// After how long a handset denies the call. 0 is allowed.
        side "denyCallAfter" => deny_call_after: i64;
        /// Seen in one SDK's fixture.
        side "callId" => call_id: String;
        /// Parsed, but not used, by the Android SDK.
        side "cli" => cli: PrivateText;
        /// Within `auto` only.
        optional "subVerificationId" => sub_verification_id: VerificationId, via LooseText<VerificationId>;
    }
}

impl FlashCallDetails {
    /// Details with the required field.
    #[must_use]
    pub fn new(cli_filter: impl Into<String>) -> Self {
        Self::bare(cli_filter.into())
    }
}

object! {
    /// What a start by callout may tell: when to ask for the status. All times
    /// in seconds since the start was sent.
    #[derive(Default)]
    pub struct CalloutDetails {
        /// The first question.
        side "startPollingAfter" => start_polling_after: i64;
        /// The last question.
        side "stopPollingAfter" => stop_polling_after: i64;
        /// The time between questions.
        side "pollingInterval" => polling_interval: i64;
        /// Within `auto` only.
        optional "subVerificationId" => sub_verification_id: VerificationId, via LooseText<VerificationId>;
    }
}

impl CalloutDetails {
    /// The schedule, when the answer has one.
    #[must_use]
    pub fn schedule(&self) -> Option<PollSchedule> {
        Some(PollSchedule::new(
            self.start_polling_after?,
            self.stop_polling_after?,
            self.polling_interval?,
        ))
    }
}

object! {
    /// What a start of a data verification tells.
    #[derive(Default)]
    pub struct SeamlessDetails {
        /// The address that the device fetches over its mobile network, without
        /// any credential of the application.
        optional "targetUri" => target_uri: PrivateText;
        /// Within `auto` only.
        optional "subVerificationId" => sub_verification_id: VerificationId, via LooseText<VerificationId>;
    }
}

object! {
    /// What a start by WhatsApp tells.
    #[derive(Default)]
    pub struct WhatsAppDetails {
        /// The alphabet of the code.
        side "codeType" => code_type: CodeType, via Spelled<CodeType>;
        /// Within `auto` only.
        optional "subVerificationId" => sub_verification_id: VerificationId, via LooseText<VerificationId>;
    }
}

object! {
    /// What an `auto` start tells, beside the objects of its methods.
    #[derive(Default)]
    pub struct AutoDetails {
        /// The methods in the order to try them.
        optional "methodsOrder" => methods_order: Vec<Method>;
        /// The verification to report to.
        optional "subVerificationId" => sub_verification_id: VerificationId, via LooseText<VerificationId>;
    }
}

open_enum! {
    /// What a link is for.
    pub enum LinkRel {
        /// Ask for the status.
        Status = "status",
        /// Report the code or the caller id.
        Report = "report",
    }
}

object! {
    /// One entry of `_links`, which is an array.
    #[derive(Default)]
    pub struct Link {
        /// What it is for.
        side "rel" => rel: LinkRel, via Spelled<LinkRel>;
        /// The address, on the host of one data centre.
        side "href" => href: String;
        /// The HTTP method.
        side "method" => method: String;
    }
}

impl Link {
    /// A link.
    #[must_use]
    pub fn new(rel: LinkRel, href: impl Into<String>, method: &str) -> Self {
        Self {
            rel: Some(rel),
            href: Some(href.into()),
            method: Some(method.to_owned()),
            ..Self::default()
        }
    }
}
