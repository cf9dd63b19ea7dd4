//! Callbacks: events that the service posts to the application, and the
//! decision that answers the first of them.

mod decision;
mod event;

pub use decision::{
    Action, CalloutDecision, Decision, DecisionBody, FlashCallDecision, SmsDecision, WhatsAppDecision,
};
pub use event::{Event, EventName, RequestEvent, ResultEvent, SmsDeliveredEvent, SmsResult, UnknownEvent};
