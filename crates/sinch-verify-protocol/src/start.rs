//! `POST /verification/v1/verifications`: start a verification.
//!
//! [`Start`] is what a client writes: it knows its method and cannot express
//! nonsense. [`StartRequest`] is the body as received, with whatever the
//! sender put there.

mod options;
mod response;

use std::marker::PhantomData;

use bytes::Bytes;
use http::header::{ACCEPT_LANGUAGE, HeaderValue};
use http::{Method as Verb, Request, Response};

use crate::endpoint::{BaseUrl, Endpoint, Idempotency, PREFIX, json_request, sealed};
use crate::error::{DecodeError, EncodeError};
use crate::id::{Custom, Reference};
use crate::identity::Identity;
use crate::language::AcceptLanguage;
use crate::method::{Auto, Callout, FlashCall, Method, Seamless, Sms, VerifyMethod, WhatsApp};
use crate::phone_number::PhoneNumber;
use crate::wire::{At, Extra, Oddity, PrivateText, Quirk, RawJson, Spelled, object};

pub use options::{
    CalloutOptions, FlashCallOptions, NoOptions, SmsOptions, Speech, StartOptions, WhatsAppOptions,
};
pub use response::{
    AutoDetails, AutoStarted, CalloutDetails, FlashCallDetails, Link, LinkRel, SeamlessDetails, SmsDetails,
    StartDetails, StartResponse, Started, WhatsAppDetails,
};

/// A start of a verification by method `M`.
///
/// ```
/// use sinch_verify_protocol::{Start, PhoneNumber, Reference};
///
/// let number: PhoneNumber = "+46700000001".parse()?;
/// let start = Start::sms(number).reference(Reference::new("order-7781")?);
/// assert_eq!(start.body().reference.as_deref(), Some("order-7781"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Start<M> {
    body: StartRequest,
    /// As in the body, which has its text.
    number: PhoneNumber,
    reference: Option<Reference>,
    languages: AcceptLanguage,
    method: PhantomData<M>,
}

impl Start<Sms> {
    /// Starts a verification by SMS.
    #[must_use]
    pub fn sms(number: PhoneNumber) -> Self {
        Self::new(number)
    }
}

impl Start<FlashCall> {
    /// Starts a verification by flash call.
    #[must_use]
    pub fn flash_call(number: PhoneNumber) -> Self {
        Self::new(number)
    }
}

impl Start<Callout> {
    /// Starts a verification by callout: a phone call that speaks a code.
    #[must_use]
    #[doc(alias = "phone_call")]
    pub fn callout(number: PhoneNumber) -> Self {
        Self::new(number)
    }
}

impl Start<Seamless> {
    /// Starts a data verification.
    #[must_use]
    #[doc(alias = "data")]
    pub fn seamless(number: PhoneNumber) -> Self {
        Self::new(number)
    }
}

impl Start<WhatsApp> {
    /// Starts a verification by WhatsApp.
    #[must_use]
    pub fn whatsapp(number: PhoneNumber) -> Self {
        Self::new(number)
    }
}

impl Start<Auto> {
    /// Starts the mobile SDKs' `auto` verification. Undocumented.
    #[must_use]
    pub fn auto(number: PhoneNumber) -> Self {
        Self::new(number)
    }
}

impl<M: VerifyMethod> Start<M> {
    /// Starts a verification of `number` by method `M`.
    #[must_use]
    pub fn new(number: PhoneNumber) -> Self {
        let body = StartRequest::new(Identity::number(number), M::METHOD);
        Self {
            body,
            number,
            reference: None,
            languages: AcceptLanguage::new(),
            method: PhantomData,
        }
    }

    /// Your own name for this verification; unique per start.
    #[must_use]
    pub fn reference(mut self, reference: Reference) -> Self {
        self.body.reference = Some(reference.as_str().to_owned());
        self.reference = Some(reference);
        self
    }

    /// Text of your own that every event echoes.
    #[must_use]
    pub fn custom(mut self, custom: Custom) -> Self {
        self.body.custom = Some(custom.into_string().into());
        self
    }

    /// The method's options. They are meant for backends that sign.
    #[must_use]
    pub fn options(mut self, options: M::Options) -> Self {
        options.put(&mut self.body);
        self
    }

    /// Device data, as the mobile SDKs send it; a free object.
    #[must_use]
    pub fn metadata(mut self, metadata: RawJson) -> Self {
        self.body.metadata = Some(metadata);
        self
    }

    /// Whether the service may refuse a number early, so that the app can fall
    /// back at once. The mobile SDKs always say.
    #[must_use]
    pub fn honour_early_reject(mut self, honour: bool) -> Self {
        self.body.honour_early_reject = Some(honour);
        self
    }

    /// The languages for the message, best first (`Accept-Language`).
    #[must_use]
    pub fn languages(mut self, languages: AcceptLanguage) -> Self {
        self.languages = languages;
        self
    }

    /// The body that goes out.
    #[must_use]
    pub fn body(&self) -> &StartRequest {
        &self.body
    }

    /// The number under verification.
    #[must_use]
    pub fn number(&self) -> PhoneNumber {
        self.number
    }

    /// The [`reference`](Start::reference) that was given.
    #[must_use]
    pub fn own_reference(&self) -> Option<&Reference> {
        self.reference.as_ref()
    }

    /// What a session has to carry to make the same start later.
    pub(crate) fn parts(&self) -> (&StartRequest, &AcceptLanguage) {
        (&self.body, &self.languages)
    }

    /// The start that [`Start::parts`] took apart; `None` where its number or reference is not one.
    pub(crate) fn from_parts(body: StartRequest, languages: AcceptLanguage) -> Option<Self> {
        let reference = body.reference.as_deref().map(Reference::new).transpose();
        Some(Self {
            number: body.identity.phone_number().ok()?,
            reference: reference.ok()?,
            body,
            languages,
            method: PhantomData,
        })
    }

    /// Whether languages were asked for.
    #[must_use]
    pub fn has_languages(&self) -> bool {
        !self.languages.is_empty()
    }
}

impl<M> sealed::Sealed for Start<M> {}

impl<M: VerifyMethod> Endpoint for Start<M> {
    type Response = Started<M>;

    const NAME: &'static str = "start_verification";
    const METHOD: Verb = Verb::POST;
    const IDEMPOTENCY: Idempotency = Idempotency::Never;

    fn to_http(&self, base: &BaseUrl) -> Result<Request<Bytes>, EncodeError> {
        let mut request = json_request(Verb::POST, base, PREFIX, &self.body)?;
        if !self.languages.is_empty() {
            let value = HeaderValue::try_from(self.languages.to_string()).map_err(EncodeError::Header)?;
            request.headers_mut().insert(ACCEPT_LANGUAGE, value);
        }
        Ok(request)
    }

    fn from_http(response: &Response<Bytes>) -> Result<Started<M>, DecodeError> {
        Started::from_http(response)
    }
}

object! {
    settle StartRequest::drop_misplaced;

    /// The body of a start, as received.
    ///
    /// It may hold what no [`Start`] can say: options of another method, any
    /// text as number or reference.
    pub struct StartRequest {
        /// Who is verified.
        required "identity" => identity: Identity;
        /// How.
        required "method" => method: Method, via Spelled<Method>;
        /// The sender's own name for the verification.
        optional "reference" => reference: String;
        /// Text that every event echoes.
        optional "custom" => custom: PrivateText;
        /// Device data of the mobile SDKs; a free object.
        optional "metadata" => metadata: RawJson;
        /// Mobile SDKs always send it.
        optional "honourEarlyReject" => honour_early_reject: bool;
        /// SMS options.
        optional "smsOptions" => sms_options: SmsOptions;
        /// Flash call options.
        optional "flashCallOptions" | "flashcallOptions" => flash_call_options: FlashCallOptions;
        /// Callout options.
        optional "calloutOptions" => callout_options: CalloutOptions;
        /// WhatsApp options.
        optional "whatsappOptions" => whatsapp_options: WhatsAppOptions;
    }
}

impl StartRequest {
    /// A body with the required fields.
    #[must_use]
    pub fn new(identity: Identity, method: Method) -> Self {
        Self {
            identity,
            method,
            reference: None,
            custom: None,
            metadata: None,
            honour_early_reject: None,
            sms_options: None,
            flash_call_options: None,
            callout_options: None,
            whatsapp_options: None,
            extra: Extra::default(),
        }
    }

    /// Drops what is in the wrong place or says nothing.
    fn drop_misplaced(&mut self, at: At<'_>, quirks: &mut Vec<Quirk>) {
        let mut note = |field: &str, what| {
            quirks.push(Quirk {
                path: at.field(field).to_string(),
                what,
            });
        };
        // The Python SDK leaks these to the top level.
        for (name, belongs) in [
            ("codeType", "smsOptions.codeType"),
            ("expiry", "smsOptions.expiry"),
            ("template", "smsOptions.template"),
        ] {
            if self.extra.remove(name).is_some() {
                note(name, Oddity::Misplaced { belongs });
            }
        }
        if self
            .sms_options
            .take_if(|options| *options == SmsOptions::default())
            .is_some()
        {
            note("smsOptions", Oddity::EmptyObject);
        }
        if self
            .flash_call_options
            .take_if(|options| *options == FlashCallOptions::default())
            .is_some()
        {
            note("flashCallOptions", Oddity::EmptyObject);
        }
        // The .NET SDK sends a speech object that may be empty.
        let silent = |options: &mut CalloutOptions| {
            options.extra.is_empty()
                && options
                    .speech
                    .as_ref()
                    .is_none_or(|speech| *speech == Speech::default())
        };
        if self.callout_options.take_if(silent).is_some() {
            note("calloutOptions", Oddity::EmptyObject);
        }
        if self
            .whatsapp_options
            .take_if(|options| *options == WhatsAppOptions::default())
            .is_some()
        {
            note("whatsappOptions", Oddity::EmptyObject);
        }
        for (present, method, field) in [
            (self.sms_options.is_some(), Method::Sms, "smsOptions"),
            (
                self.flash_call_options.is_some(),
                Method::FlashCall,
                "flashCallOptions",
            ),
            (self.callout_options.is_some(), Method::Callout, "calloutOptions"),
            (
                self.whatsapp_options.is_some(),
                Method::WhatsApp,
                "whatsappOptions",
            ),
        ] {
            if present && self.method != method && self.method != Method::Auto {
                note(field, Oddity::OtherMethod);
            }
        }
    }
}

#[cfg(feature = "server")]
impl StartRequest {
    /// The languages of the request's `Accept-Language` headers, best first.
    /// What cannot be read, `*` among it, is passed over.
    #[must_use]
    pub fn languages(headers: &http::HeaderMap) -> AcceptLanguage {
        let lines = headers
            .get_all(ACCEPT_LANGUAGE)
            .iter()
            .filter_map(|value| value.to_str().ok());
        AcceptLanguage::readable(lines)
    }
}
