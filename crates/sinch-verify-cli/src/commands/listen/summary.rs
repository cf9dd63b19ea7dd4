//! The summary of an event that is printed.

use sinch_verify_protocol::callback::Event;
use sinch_verify_protocol::wire::Anomaly;

/// The kinds of event.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Kind {
    /// May this verification go on?
    Request,
    /// A verification ended.
    Result,
    /// An SMS was delivered, or not.
    SmsDelivered,
    /// What this version does not know.
    Unknown,
}

impl Kind {
    pub(super) fn of(event: &Event) -> Self {
        match event {
            Event::Request(_) => Self::Request,
            Event::Result(_) => Self::Result,
            Event::SmsDelivered(_) => Self::SmsDelivered,
            _ => Self::Unknown,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Result => "result",
            Self::SmsDelivered => "sms-delivered",
            Self::Unknown => "unknown",
        }
    }
}

/// The printed fields of an event.
pub(super) struct Summary {
    pub(super) event: &'static str,
    pub(super) id: Option<String>,
    pub(super) method: Option<String>,
    pub(super) number: Option<String>,
    /// How the verification ended, or what became of the SMS.
    pub(super) outcome: Option<String>,
    /// Why the verification ended so.
    pub(super) outcome_reason: Option<String>,
    /// What is not as documented and was tolerated.
    pub(super) anomalies: Vec<String>,
}

impl Summary {
    /// `event`, with the number masked unless it is to be revealed.
    pub(super) fn of(event: &Event, anomalies: &[Anomaly], reveal: bool) -> Self {
        let number = event.identity().map(|identity| match identity.phone_number() {
            Ok(number) if reveal => number.to_string(),
            Ok(number) => number.masked().to_string(),
            // Not for a screen: what it is cannot be known.
            Err(_) => "no number".to_owned(),
        });
        Self {
            event: Kind::of(event).name(),
            id: event.id().map(ToString::to_string),
            method: event.method().map(ToString::to_string),
            number,
            outcome: match event {
                Event::Result(event) => Some(event.status.to_string()),
                Event::SmsDelivered(event) => Some(event.sms_result.to_string()),
                _ => None,
            },
            outcome_reason: match event {
                Event::Result(event) => event.reason.as_ref().map(ToString::to_string),
                _ => None,
            },
            anomalies: anomalies.iter().map(ToString::to_string).collect(),
        }
    }
}
