use sinch_verify_protocol::callback::{RequestEvent, ResultEvent, SmsDeliveredEvent, SmsResult};
use sinch_verify_protocol::identity::Identity;
use sinch_verify_protocol::method::MethodInfo;
use sinch_verify_protocol::price::Money;
use sinch_verify_protocol::{Amount, Method, PhoneNumber, Status, VerificationId};

/// The methods that there are events of.
pub fn methods() -> impl Iterator<Item = Method> {
    MethodInfo::single().map(|info| info.method.clone())
}

/// What an application called its verification when it started it, and gave along.
const REFERENCE: &str = "order-7781";
const CUSTOM: &str = "session 12";

/// A request event with every field that the service is known to fill.
#[must_use]
pub fn request_event(id: VerificationId, method: Method, number: PhoneNumber) -> RequestEvent {
    let mut event = RequestEvent::new(id, method, Identity::number(number));
    event.reference = Some(REFERENCE.to_owned());
    event.custom = Some(CUSTOM.into());
    event.price = "0.0127"
        .parse::<Amount>()
        .ok()
        .map(|amount| Money::new("EUR", amount));
    event
}

/// A result event: the verification ended with `status`.
#[must_use]
pub fn result_event(id: VerificationId, method: Method, number: PhoneNumber, status: Status) -> ResultEvent {
    let mut event = ResultEvent::new(id, method, Identity::number(number), status);
    event.reference = Some(REFERENCE.to_owned());
    event.custom = Some(CUSTOM.into());
    event
}

/// An event with the outcome of an SMS.
#[must_use]
pub fn sms_delivered_event(id: VerificationId, number: PhoneNumber, result: SmsResult) -> SmsDeliveredEvent {
    let mut event = SmsDeliveredEvent::new(id, Identity::number(number), result);
    event.reference = Some(REFERENCE.to_owned());
    event.custom = Some(CUSTOM.into());
    event
}
