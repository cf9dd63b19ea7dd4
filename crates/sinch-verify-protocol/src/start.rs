//! `POST /verification/v1/verifications`: start a verification.
//!
//! [`Start`] is what a client writes: it cannot express nonsense.
//! [`StartRequest`] is the body as received, with whatever the sender put there.

mod options;
mod response;
mod started;

use std::marker::PhantomData;

use bytes::Bytes;
use http::header::{ACCEPT_LANGUAGE, HeaderValue};
use http::{Method as Verb, Request, Response};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::endpoint::{BaseUrl, Endpoint, Idempotency, PREFIX, json_request, sealed};
use crate::error::{DecodeError, EncodeError};
use crate::id::{Custom, Reference};
use crate::identity::Identity;
use crate::language::AcceptLanguage;
use crate::method::{self, AnyMethod, Callout, FlashCall, Method, MethodInfo, Sms, WhatsApp, methods};
use crate::phone_number::PhoneNumber;
#[cfg(feature = "server")]
use crate::wire::Received;
use crate::wire::{Anomaly, AnomalyKind, At, PartOf, PrivateText, RawJson, Spelled, object};

pub use options::{CalloutOptions, FlashCallOptions, SmsOptions, Speech, WhatsAppOptions};
pub use response::{
    AutoDetails, CalloutDetails, FlashCallDetails, Link, LinkRel, SeamlessDetails, SmsDetails, StartResponse,
    WhatsAppDetails,
};
pub use started::{MethodMarker, Started, VerifyMethod};

/// A start of a verification by method `M`; without one, by a method that is known at run time only.
///
/// ```
/// use sinch_verify_protocol::method::MethodInfo;
/// use sinch_verify_protocol::{Start, PhoneNumber, Reference};
///
/// let number: PhoneNumber = "+46700000001".parse()?;
/// let start = Start::sms(number).reference(Reference::new("order-7781")?);
/// assert_eq!(start.body().reference.as_deref(), Some("order-7781"));
///
/// let by_name = MethodInfo::named("sms").ok_or("no such method")?;
/// let starts: [Start; 2] = [start.into(), Start::by(by_name, number)];
/// assert_eq!(starts[0].method(), starts[1].method());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Start<M = AnyMethod> {
    parts: Parts,
    /// As in the body, which has its text.
    number: PhoneNumber,
    reference: Option<Reference>,
    marker: PhantomData<M>,
}

/// What goes out: the body, and the one thing that travels in a header.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Parts {
    body: StartRequest,
    #[serde(with = "crate::wire::as_text")]
    languages: AcceptLanguage,
}

impl Start {
    /// Starts a verification of `number` by a method that is known at run time only.
    #[must_use]
    pub fn by(method: &MethodInfo, number: PhoneNumber) -> Self {
        Self::of(method.method.clone(), number)
    }
}

impl<M: VerifyMethod> Start<M> {
    /// Starts a verification of `number` by method `M`.
    #[must_use]
    pub fn new(number: PhoneNumber) -> Self {
        Self::of(M::METHOD, number)
    }

    /// The method's options. They are meant for backends that sign.
    #[must_use]
    pub fn options(mut self, options: M::Object) -> Self
    where
        M: PartOf<StartRequest>,
    {
        *M::slot(&mut self.parts.body) = Some(options);
        self
    }
}

/// Declares a function for a start by each method.
macro_rules! starts {
    ($(
        #[doc = $summary:literal]
        $method:ident = $wire:literal { start: $start:ident, aliases: [$($alias:literal),*], $($rest:tt)* }
    )*) => {
        $(
            impl Start<method::$method> {
                #[doc = concat!("Starts a verification by this method:", $summary)]
                #[must_use]
                $(#[doc(alias = $alias)])*
                pub fn $start(number: PhoneNumber) -> Self {
                    Self::new(number)
                }
            }
        )*
    };
}

methods!(starts);

impl<M> Start<M> {
    fn of(method: Method, number: PhoneNumber) -> Self {
        Self {
            parts: Parts {
                body: StartRequest::new(Identity::number(number), method),
                languages: AcceptLanguage::new(),
            },
            number,
            reference: None,
            marker: PhantomData,
        }
    }

    /// Your own name for this verification; unique per start.
    #[must_use]
    pub fn reference(mut self, reference: Reference) -> Self {
        self.parts.body.reference = Some(reference.as_str().to_owned());
        self.reference = Some(reference);
        self
    }

    /// Text of your own that every event echoes.
    #[must_use]
    pub fn custom(mut self, custom: Custom) -> Self {
        self.parts.body.custom = Some(custom.into_string().into());
        self
    }

    /// Device data, as the mobile SDKs send it; a free object.
    #[must_use]
    pub fn metadata(mut self, metadata: RawJson) -> Self {
        self.parts.body.metadata = Some(metadata);
        self
    }

    /// Whether the service may refuse a number early, so that the app can fall
    /// back at once. The mobile SDKs always say.
    #[must_use]
    pub fn honour_early_reject(mut self, honour: bool) -> Self {
        self.parts.body.honour_early_reject = Some(honour);
        self
    }

    /// The languages for the message, best first (`Accept-Language`).
    #[must_use]
    pub fn languages(mut self, languages: AcceptLanguage) -> Self {
        self.parts.languages = languages;
        self
    }

    /// The method.
    #[must_use]
    pub fn method(&self) -> &Method {
        &self.parts.body.method
    }

    /// The body that goes out.
    #[must_use]
    pub fn body(&self) -> &StartRequest {
        &self.parts.body
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

    /// Whether languages were asked for.
    #[must_use]
    pub fn has_languages(&self) -> bool {
        !self.parts.languages.is_empty()
    }
}

impl<M: VerifyMethod> From<Start<M>> for Start {
    fn from(start: Start<M>) -> Self {
        let Start {
            parts,
            number,
            reference,
            marker: PhantomData,
        } = start;
        Self {
            parts,
            number,
            reference,
            marker: PhantomData,
        }
    }
}

impl<M> sealed::Sealed for Start<M> {}

impl<M: MethodMarker> Endpoint for Start<M> {
    type Response = Started<M>;

    const NAME: &'static str = "start_verification";
    const ACTION: &'static str = "start the verification";
    const METHOD: Verb = Verb::POST;
    const IDEMPOTENCY: Idempotency = Idempotency::Never;

    fn to_http(&self, base: &BaseUrl) -> Result<Request<Bytes>, EncodeError> {
        let Parts { body, languages } = &self.parts;
        let mut request = json_request(Verb::POST, base, PREFIX, body)?;
        if !languages.is_empty() {
            let value = HeaderValue::try_from(languages.to_string()).map_err(EncodeError::Header)?;
            request.headers_mut().insert(ACCEPT_LANGUAGE, value);
        }
        Ok(request)
    }

    fn from_http(&self, response: &Response<Bytes>) -> Result<Started<M>, DecodeError> {
        Started::from_http(self.method(), response)
    }
}

impl Serialize for Start {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.parts.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Start {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let parts = Parts::deserialize(deserializer)?;
        let body = &parts.body;
        if body.method.is_unknown() {
            return Err(D::Error::custom("a start by a method that is not known"));
        }
        let reference = body.reference.as_deref().map(Reference::new).transpose();
        Ok(Self {
            number: body.identity.phone_number().map_err(D::Error::custom)?,
            reference: reference.map_err(D::Error::custom)?,
            parts,
            marker: PhantomData,
        })
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
        side "custom" => custom: PrivateText;
        /// Device data of the mobile SDKs; a free object.
        raw "metadata" => metadata: RawJson;
        /// Mobile SDKs always send it.
        side "honourEarlyReject" => honour_early_reject: bool;
        /// SMS options.
        optional "smsOptions" => sms_options: SmsOptions, of Sms;
        /// Flash call options.
        optional "flashCallOptions" | "flashcallOptions" => flash_call_options: FlashCallOptions, of FlashCall;
        /// Callout options.
        optional "calloutOptions" => callout_options: CalloutOptions, of Callout;
        /// WhatsApp options.
        optional "whatsappOptions" => whatsapp_options: WhatsAppOptions, of WhatsApp;
    }
}

impl StartRequest {
    /// A body with the required fields.
    #[must_use]
    pub fn new(identity: Identity, method: Method) -> Self {
        Self::bare(identity, method)
    }

    /// Drops what is in the wrong place or says nothing.
    fn drop_misplaced(&mut self, at: At<'_>, anomalies: &mut Vec<Anomaly>) {
        let mut note = |field: &str, what| {
            anomalies.push(Anomaly {
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
                note(name, AnomalyKind::Misplaced { belongs });
            }
        }
        let emptied = [
            self.drop_empty::<Sms>(),
            self.drop_empty::<FlashCall>(),
            self.drop_empty::<Callout>(),
            self.drop_empty::<WhatsApp>(),
        ];
        for key in emptied.into_iter().flatten() {
            note(key, AnomalyKind::EmptyObject);
        }
        for (method, key) in self.parts() {
            if self.method != method && self.method != Method::Auto {
                note(key, AnomalyKind::OtherMethod);
            }
        }
    }

    /// Drops a method's options where there is nothing in them; the key of what was dropped.
    fn drop_empty<M>(&mut self) -> Option<&'static str>
    where
        M: PartOf<Self, Object: Default + PartialEq>,
    {
        M::slot(self)
            .take_if(|options| *options == M::Object::default())
            .map(|_| M::KEY)
    }
}

#[cfg(feature = "server")]
impl StartRequest {
    /// The languages of the request's `Accept-Language` headers, best first, without those that cannot
    /// be read.
    #[must_use]
    pub fn languages(headers: &http::HeaderMap) -> Received<AcceptLanguage> {
        let lines = headers
            .get_all(ACCEPT_LANGUAGE)
            .iter()
            .filter_map(|value| value.to_str().ok());
        let (value, kinds) = AcceptLanguage::readable(lines);
        let anomaly = |what| Anomaly {
            path: "Accept-Language".to_owned(),
            what,
        };
        Received {
            value,
            anomalies: kinds.into_iter().map(anomaly).collect(),
        }
    }
}
