//! The events.

use crate::id::VerificationId;
use crate::identity::Identity;
use crate::json::{JsonError, decode};
use crate::method::Method;
use crate::open_enum::open_enum;
use crate::price::Money;
use crate::verification::{Reason, Source, Status};
use crate::wire::{
    Anomaly, Key, LooseText, PrivateText, RawJson, Received, Spelled, WireObject as _, object,
};

/// An event that the service posted.
///
/// ```
/// use sinch_verify_protocol::callback::Event;
///
/// let body = br#"{"event":"VerificationResultEvent","id":"1","method":"sms",
///     "identity":{"type":"number","endpoint":"+46700000001"},"status":"SUCCESSFUL"}"#;
/// match Event::decode(body)? {
///     Event::Result(result) => assert_eq!(result.status.as_str(), "SUCCESSFUL"),
///     other => panic!("{other:?}"),
/// }
/// # Ok::<(), sinch_verify_protocol::error::JsonError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// May this verification go on? Answer with a [`super::Decision`].
    Request(Box<RequestEvent>),
    /// A verification ended. Answer with an empty 200.
    Result(Box<ResultEvent>),
    /// An SMS was delivered, or not. Answer with an empty 200.
    SmsDelivered(Box<SmsDeliveredEvent>),
    /// An event this version does not know. Answer with an empty 200.
    Unknown(UnknownEvent),
}

/// An event this version does not know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownEvent {
    /// Its name.
    pub event: String,
    /// The whole body.
    pub raw: RawJson,
}

impl Event {
    /// Reads an event. Check the signature first.
    ///
    /// # Errors
    ///
    /// When the body is not an object with an `event`, or a known event lacks
    /// a required field; the error has the JSON path. A side field, such as the
    /// price, never makes an event unreadable.
    pub fn decode(body: &[u8]) -> Result<Self, JsonError> {
        Self::guess(body).map_or_else(|| Self::by_name(body), Ok)
    }

    /// Reads an event and reports its anomalies. Check the signature first.
    ///
    /// # Errors
    ///
    /// As [`Event::decode`].
    pub fn receive(body: &[u8]) -> Result<Received<Self>, JsonError> {
        let mut value = Self::decode(body)?;
        let anomalies = value.take_anomalies();
        Ok(Received { value, anomalies })
    }

    /// Takes the anomalies of an event that was decoded out of it: a second call gives
    /// only its unknown fields.
    pub fn take_anomalies(&mut self) -> Vec<Anomaly> {
        match self {
            Self::Request(event) => event.take_anomalies(),
            Self::Result(event) => event.take_anomalies(),
            Self::SmsDelivered(event) => event.take_anomalies(),
            Self::Unknown(_) => Vec::new(),
        }
    }

    /// Reads the body as the event whose name stands in it somewhere. Right
    /// nearly always, and when the `event` field says the same, for certain.
    fn guess(body: &[u8]) -> Option<Self> {
        let name = memchr::memchr_iter(b'V', body).find_map(|at| {
            let known = [RequestEvent::EVENT, ResultEvent::EVENT];
            known
                .into_iter()
                .find(|name| body[at..].starts_with(name.as_bytes()))
        })?;
        if name == RequestEvent::EVENT {
            let event = RequestEvent::decode(body).ok()?;
            return (event.event == EventName::Request).then(|| Self::Request(Box::new(event)));
        }
        let event = ResultEvent::decode(body).ok()?;
        (event.event == EventName::Result).then(|| Self::Result(Box::new(event)))
    }

    /// Reads the name first, then the event that it names.
    fn by_name(body: &[u8]) -> Result<Self, JsonError> {
        let name = decode::<OnlyName<'_>>(body)?;
        Ok(match name.0.as_str() {
            RequestEvent::EVENT => Self::Request(Box::new(RequestEvent::decode(body)?)),
            ResultEvent::EVENT => Self::Result(Box::new(ResultEvent::decode(body)?)),
            SmsDeliveredEvent::EVENT => Self::SmsDelivered(Box::new(SmsDeliveredEvent::decode(body)?)),
            other => Self::Unknown(UnknownEvent {
                event: other.to_owned(),
                raw: decode(body)?,
            }),
        })
    }

    /// The event's name on the wire.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Request(_) => RequestEvent::EVENT,
            Self::Result(_) => ResultEvent::EVENT,
            Self::SmsDelivered(_) => SmsDeliveredEvent::EVENT,
            Self::Unknown(unknown) => &unknown.event,
        }
    }

    /// The verification's id, where the event has one.
    #[must_use]
    pub fn id(&self) -> Option<&VerificationId> {
        match self {
            Self::Request(event) => Some(&event.id),
            Self::Result(event) => Some(&event.id),
            Self::SmsDelivered(event) => Some(&event.id),
            Self::Unknown(_) => None,
        }
    }

    /// The verification's method, where the event has one.
    #[must_use]
    pub fn method(&self) -> Option<&Method> {
        match self {
            Self::Request(event) => Some(&event.method),
            Self::Result(event) => Some(&event.method),
            Self::SmsDelivered(event) => event.method.as_ref(),
            Self::Unknown(_) => None,
        }
    }

    /// Who is verified, where the event says so.
    #[must_use]
    pub fn identity(&self) -> Option<&Identity> {
        match self {
            Self::Request(event) => Some(&event.identity),
            Self::Result(event) => Some(&event.identity),
            Self::SmsDelivered(event) => Some(&event.identity),
            Self::Unknown(_) => None,
        }
    }
}

/// Only the name: the whole event is read once its type is known.
struct OnlyName<'de>(Key<'de>);

impl<'de> serde::Deserialize<'de> for OnlyName<'de> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> serde::de::Visitor<'de> for Fields {
            type Value = OnlyName<'de>;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a JSON object (an event)")
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<OnlyName<'de>, A::Error> {
                let mut name = None;
                while let Some(key) = map.next_key::<Key<'de>>()? {
                    if key.as_str() == "event" {
                        name = Some(map.next_value::<Key<'de>>()?);
                    } else {
                        map.next_value::<serde::de::IgnoredAny>()?;
                    }
                }
                name.map(OnlyName)
                    .ok_or_else(|| serde::de::Error::missing_field("event"))
            }
        }
        deserializer.deserialize_map(Fields)
    }
}

open_enum! {
    /// The name of an event.
    pub enum EventName {
        /// [`RequestEvent`].
        Request = "VerificationRequestEvent",
        /// [`ResultEvent`].
        Result = "VerificationResultEvent",
        /// [`SmsDeliveredEvent`].
        SmsDelivered = "VerificationSmsDeliveredEvent",
    }
}

object! {
    /// May this verification go on?
    ///
    /// The service waits for the answer before it sends a message or calls.
    pub struct RequestEvent {
        /// The event's name.
        required "event" => event: EventName;
        /// The verification.
        required "id" => id: VerificationId, via LooseText<VerificationId>;
        /// How.
        required "method" => method: Method, via Spelled<Method>;
        /// Who.
        required "identity" => identity: Identity;
        /// The application's own name for it.
        side "reference" => reference: String;
        /// Text that the start gave along.
        side "custom" => custom: PrivateText;
        /// What it will cost.
        side "price" => price: Money;
        /// Seen in one SDK only.
        side "rate" => rate: Money;
        /// The languages that the start asked for. Deprecated.
        side "acceptLanguage" => accept_language: Vec<String>;
    }
}

impl RequestEvent {
    /// The name on the wire.
    pub const EVENT: &'static str = "VerificationRequestEvent";

    /// An event with the required fields.
    #[must_use]
    pub fn new(id: VerificationId, method: Method, identity: Identity) -> Self {
        Self::bare(EventName::Request, id, method, identity)
    }
}

object! {
    /// A verification ended.
    pub struct ResultEvent {
        /// The event's name.
        required "event" => event: EventName;
        /// The verification.
        required "id" => id: VerificationId, via LooseText<VerificationId>;
        /// How.
        required "method" => method: Method, via Spelled<Method>;
        /// Who.
        required "identity" => identity: Identity;
        /// The application's own name for it.
        side "reference" => reference: String;
        /// Text that the start gave along.
        side "custom" => custom: PrivateText;
        /// How it ended.
        required "status" => status: Status, via Spelled<Status>;
        /// Why, when it was no success.
        side "reason" => reason: Reason, via Spelled<Reason>;
        /// How the code or caller id reached the reporter.
        side "source" => source: Source;
    }
}

impl ResultEvent {
    /// The name on the wire.
    pub const EVENT: &'static str = "VerificationResultEvent";

    /// An event with the required fields.
    #[must_use]
    pub fn new(id: VerificationId, method: Method, identity: Identity, status: Status) -> Self {
        Self::bare(EventName::Result, id, method, identity, status)
    }
}

open_enum! {
    /// The outcome of an SMS.
    pub enum SmsResult {
        /// Delivered.
        Successful = "Successful",
        /// Not delivered.
        Failed = "Failed",
    }
}

object! {
    /// An SMS was delivered, or not.
    pub struct SmsDeliveredEvent {
        /// The event's name.
        required "event" => event: EventName;
        /// The verification.
        required "id" => id: VerificationId, via LooseText<VerificationId>;
        /// How. One SDK's test leaves it out.
        optional "method" => method: Method, via Spelled<Method>;
        /// Who.
        required "identity" => identity: Identity;
        /// The application's own name for it.
        side "reference" => reference: String;
        /// Text that the start gave along.
        side "custom" => custom: PrivateText;
        /// The outcome of the SMS.
        required "smsResult" => sms_result: SmsResult, via Spelled<SmsResult>;
    }
}

impl SmsDeliveredEvent {
    /// The name on the wire.
    pub const EVENT: &'static str = "VerificationSmsDeliveredEvent";

    /// An event with the required fields.
    #[must_use]
    pub fn new(id: VerificationId, identity: Identity, sms_result: SmsResult) -> Self {
        Self {
            method: Some(Method::Sms),
            ..Self::bare(EventName::SmsDelivered, id, identity, sms_result)
        }
    }
}
