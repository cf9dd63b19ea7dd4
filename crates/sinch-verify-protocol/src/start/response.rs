//! What the service answers to a start.

use std::marker::PhantomData;

use bytes::Bytes;
use http::Response;
use http::header::CONTENT_LANGUAGE;

use crate::cli_filter::{CliFilter, FilterError};
use crate::code::CodeType;
use crate::error::{DecodeError, from_response};
use crate::id::VerificationId;
use crate::method::{FlashCall, Method, VerifyMethod};
use crate::open_enum::open_enum;
use crate::polling::PollSchedule;
use crate::sms_template::{SmsTemplate, TemplateError};
use crate::untrusted::mask;
use crate::wire::{Extra, PrivateText, Spelled, object};

mod sealed {
    pub trait Sealed {}
}

object! {
    /// The body of a start's answer, for every method.
    pub struct StartResponse {
        /// The verification's id.
        required "id" => id: VerificationId;
        /// The method. Old answers leave it out.
        optional "method" => method: Method, via Spelled<Method>;
        /// For `sms`.
        optional "sms" => sms: SmsDetails;
        /// For `flashcall`.
        optional "flashCall" | "flashcall" => flash_call: FlashCallDetails;
        /// For `callout`; today's service leaves it out.
        optional "callout" => callout: CalloutDetails;
        /// For `seamless`.
        optional "seamless" => seamless: SeamlessDetails;
        /// For `whatsapp`.
        optional "whatsapp" => whatsapp: WhatsAppDetails;
        /// For `auto`, beside the objects of the methods to try.
        optional "auto" => auto: AutoDetails;
        /// Where to ask for the status and where to report, local to the data
        /// centre that took the start.
        optional "_links" => links: Vec<Link>;
    }
}

impl StartResponse {
    /// An answer with the required fields.
    #[must_use]
    pub fn new(id: VerificationId, method: Method) -> Self {
        Self {
            id,
            method: Some(method),
            sms: None,
            flash_call: None,
            callout: None,
            seamless: None,
            whatsapp: None,
            auto: None,
            links: None,
            extra: Extra::default(),
        }
    }

    /// The answer as sent, with the chosen language if there is one.
    #[cfg(feature = "server")]
    #[must_use]
    pub fn to_http_response(&self, language: Option<&crate::language::LanguageTag>) -> Response<Bytes> {
        let mut response = crate::server::json_response(http::StatusCode::OK, self);
        let value = language.and_then(|tag| http::HeaderValue::from_str(tag.as_str()).ok());
        if let Some(value) = value {
            response.headers_mut().insert(CONTENT_LANGUAGE, value);
        }
        response
    }
}

/// A started verification of method `M`: the answer, read for that method.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Started<M: VerifyMethod> {
    /// The verification's id.
    pub id: VerificationId,
    /// What the answer says about the method.
    pub details: M::Details,
    /// Where to ask for the status and where to report.
    pub links: Vec<Link>,
    /// The language that the service chose (`Content-Language`), as sent.
    pub content_language: Option<String>,
    /// Everything else the answer held.
    pub extra: Extra,
    method: PhantomData<M>,
}

impl<M: VerifyMethod> Started<M> {
    pub(super) fn from_http(response: &Response<Bytes>) -> Result<Self, DecodeError> {
        let content_language = response
            .headers()
            .get(CONTENT_LANGUAGE)
            .and_then(|value| value.to_str().ok());
        let body = from_response(response)?;
        Self::read(body, content_language.map(str::to_owned), response.body())
    }

    /// Reads an answer whose body and `Content-Language` are already apart.
    ///
    /// # Errors
    ///
    /// When the answer is about another method, or lacks what the method needs.
    pub fn from_body(body: StartResponse, content_language: Option<String>) -> Result<Self, DecodeError> {
        Self::read(body, content_language, b"")
    }

    fn read(
        mut body: StartResponse,
        content_language: Option<String>,
        bytes: &[u8],
    ) -> Result<Self, DecodeError> {
        if let Some(answered) = body.method.as_ref().filter(|method| **method != M::METHOD) {
            return Err(DecodeError::WrongMethod {
                asked: M::METHOD.as_str().to_owned(),
                answered: mask(answered.as_str()),
            });
        }
        let details = M::Details::take(&mut body)
            .ok_or_else(|| DecodeError::json(M::Details::KEY, "missing in the answer to a start", bytes))?;
        Ok(Self {
            id: body.id,
            details,
            links: body.links.unwrap_or_default(),
            content_language,
            extra: body.extra,
            method: PhantomData,
        })
    }

    /// The method.
    #[must_use]
    pub fn method(&self) -> Method {
        M::METHOD
    }
}

/// The answer's body again.
impl<M: VerifyMethod> From<Started<M>> for StartResponse {
    fn from(started: Started<M>) -> Self {
        let mut body = Self::new(started.id, M::METHOD);
        started.details.put(&mut body);
        body.links = Some(started.links).filter(|links| !links.is_empty());
        body.extra = started.extra;
        body
    }
}

impl Started<FlashCall> {
    /// The filter that the caller id must match, ready to use.
    ///
    /// # Errors
    ///
    /// When the filter is not one that can be used.
    pub fn cli_filter(&self) -> Result<CliFilter, FilterError> {
        CliFilter::compile(&self.details.cli_filter)
    }
}

/// The part of a start's answer that belongs to one method.
pub trait StartDetails: sealed::Sealed + Clone + std::fmt::Debug + PartialEq {
    /// The key of the object in the answer.
    #[doc(hidden)]
    const KEY: &'static str;
    /// Takes the object out of the answer; `None` when it must be there and is not.
    #[doc(hidden)]
    fn take(body: &mut StartResponse) -> Option<Self>;
    /// Puts the object back.
    #[doc(hidden)]
    fn put(self, body: &mut StartResponse);
}

object! {
    /// What a start by SMS tells.
    #[derive(Default)]
    pub struct SmsDetails {
        /// The text of the message, with `{{CODE}}`.
        optional "template" => template: String;
        /// How long to wait for the message, in seconds.
        optional "interceptionTimeout" => interception_timeout: i64;
        /// The alphabet of the code.
        optional "codeType" => code_type: CodeType, via Spelled<CodeType>;
        /// Within `auto` only.
        optional "subVerificationId" => sub_verification_id: VerificationId;
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
        /// The filter that the caller id must match: see [`CliFilter`].
        required "cliFilter" => cli_filter: String;
        /// How long to wait for the call.
        optional "interceptionTimeout" => interception_timeout: i64;
        /// How long the caller id may be reported.
        optional "reportTimeout" => report_timeout: i64;
        /// After how long a handset denies the call. 0 is allowed.
        optional "denyCallAfter" => deny_call_after: i64;
        /// Seen in one SDK's fixture.
        optional "callId" => call_id: String;
        /// Parsed, but not used, by the Android SDK.
        optional "cli" => cli: PrivateText;
        /// Within `auto` only.
        optional "subVerificationId" => sub_verification_id: VerificationId;
    }
}

impl FlashCallDetails {
    /// Details with the required field.
    #[must_use]
    pub fn new(cli_filter: impl Into<String>) -> Self {
        Self {
            cli_filter: cli_filter.into(),
            interception_timeout: None,
            report_timeout: None,
            deny_call_after: None,
            call_id: None,
            cli: None,
            sub_verification_id: None,
            extra: Extra::default(),
        }
    }
}

object! {
    /// What a start by callout may tell: when to ask for the status. All times
    /// in seconds since the start was sent.
    #[derive(Default)]
    pub struct CalloutDetails {
        /// The first question.
        optional "startPollingAfter" => start_polling_after: i64;
        /// The last question.
        optional "stopPollingAfter" => stop_polling_after: i64;
        /// The time between questions.
        optional "pollingInterval" => polling_interval: i64;
        /// Within `auto` only.
        optional "subVerificationId" => sub_verification_id: VerificationId;
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
        optional "subVerificationId" => sub_verification_id: VerificationId;
    }
}

object! {
    /// What a start by WhatsApp tells.
    #[derive(Default)]
    pub struct WhatsAppDetails {
        /// The alphabet of the code.
        optional "codeType" => code_type: CodeType, via Spelled<CodeType>;
        /// Within `auto` only.
        optional "subVerificationId" => sub_verification_id: VerificationId;
    }
}

object! {
    /// What an `auto` start tells, beside the objects of its methods.
    #[derive(Default)]
    pub struct AutoDetails {
        /// The methods in the order to try them.
        optional "methodsOrder" => methods_order: Vec<Method>;
        /// The verification to report to.
        optional "subVerificationId" => sub_verification_id: VerificationId;
    }
}

/// What an `auto` start tells: the order, and an object for each method.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct AutoStarted {
    /// The order of the methods.
    pub auto: AutoDetails,
    /// For `sms`.
    pub sms: Option<SmsDetails>,
    /// For `flashcall`.
    pub flash_call: Option<FlashCallDetails>,
    /// For `callout`.
    pub callout: Option<CalloutDetails>,
    /// For `seamless`.
    pub seamless: Option<SeamlessDetails>,
    /// For `whatsapp`.
    pub whatsapp: Option<WhatsAppDetails>,
}

impl sealed::Sealed for AutoStarted {}

impl StartDetails for AutoStarted {
    const KEY: &'static str = "auto";

    fn take(body: &mut StartResponse) -> Option<Self> {
        Some(Self {
            auto: body.auto.take()?,
            sms: body.sms.take(),
            flash_call: body.flash_call.take(),
            callout: body.callout.take(),
            seamless: body.seamless.take(),
            whatsapp: body.whatsapp.take(),
        })
    }

    fn put(self, body: &mut StartResponse) {
        body.auto = Some(self.auto);
        body.sms = self.sms;
        body.flash_call = self.flash_call;
        body.callout = self.callout;
        body.seamless = self.seamless;
        body.whatsapp = self.whatsapp;
    }
}

macro_rules! details {
    ($($name:ident => $field:ident, $key:literal, $missing:expr;)*) => {
        $(
            impl sealed::Sealed for $name {}
            impl StartDetails for $name {
                const KEY: &'static str = $key;
                fn take(body: &mut StartResponse) -> Option<Self> {
                    body.$field.take().or_else(|| $missing)
                }
                fn put(self, body: &mut StartResponse) {
                    body.$field = Some(self);
                }
            }
        )*
    };
}

details! {
    // A typed code needs no template, so an answer without the object is still usable.
    SmsDetails => sms, "sms", Some(Self::default());
    FlashCallDetails => flash_call, "flashCall", None;
    CalloutDetails => callout, "callout", Some(Self::default());
    SeamlessDetails => seamless, "seamless", None;
    WhatsAppDetails => whatsapp, "whatsapp", Some(Self::default());
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
    pub struct Link {
        /// What it is for.
        required "rel" => rel: LinkRel, via Spelled<LinkRel>;
        /// The address, on the host of one data centre.
        required "href" => href: String;
        /// The HTTP method.
        optional "method" => method: String;
    }
}

impl Link {
    /// A link.
    #[must_use]
    pub fn new(rel: LinkRel, href: impl Into<String>, method: &str) -> Self {
        Self {
            rel,
            href: href.into(),
            method: Some(method.to_owned()),
            extra: Extra::default(),
        }
    }
}
