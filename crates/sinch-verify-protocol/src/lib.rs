//! Sinch Verification as pure types.
//!
//! Placeholder docs, replaced below.
#![forbid(unsafe_code)]

pub mod auth;
pub mod callback;
pub mod caller_id;
pub mod cli_filter;
pub mod code;
pub mod country;
pub mod endpoint;
pub mod error;
pub mod id;
pub mod identity;
pub mod language;
pub mod method;
mod open_enum;
pub mod outcome;
mod percent;
pub mod phone_number;
pub mod polling;
pub mod price;
pub mod report;
pub mod seconds;
#[cfg(feature = "server")]
pub mod server;
pub mod sms_template;
pub mod start;
pub mod status;
pub mod timestamp;
pub mod verification;
pub mod wire;

pub use auth::{ApplicationKey, ApplicationSecret, Credentials};
pub use callback::{Decision, Event};
pub use cli_filter::CliFilter;
pub use code::{Cli, Code, CodeType};
pub use endpoint::{BaseUrl, Endpoint};
pub use error::{ApiError, DecodeError, EncodeError};
pub use id::{Custom, Reference, VerificationId};
pub use language::{AcceptLanguage, LanguageTag};
pub use method::Method;
pub use phone_number::PhoneNumber;
pub use polling::PollSchedule;
pub use price::Amount;
pub use report::Report;
pub use seconds::{CallSeconds, Expiry};
pub use sms_template::SmsTemplate;
pub use start::{Start, Started};
pub use status::{StatusById, StatusByNumber, StatusByReference};
pub use timestamp::Timestamp;
pub use verification::{Reason, Source, Status, Verification};
pub use wire::WireObject;
