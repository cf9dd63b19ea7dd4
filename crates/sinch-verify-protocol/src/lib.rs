#![doc = include_str!("../README.md")]
//! ## Start here
//!
//! - [`Start`], [`Report`], [`StatusById`] and its siblings are the operations;
//!   [`Endpoint`] is what they have in common.
//! - [`Credentials`] authorizes a request, [`auth::Verifier`] checks a callback.
//! - [`Event`] is a callback, [`Decision`] the answer to the first of them.
//! - [`CliFilter`], [`SmsTemplate`] and [`PollSchedule`] are for apps without the
//!   mobile SDK: match the caller id of a flash call, cut the code out of an SMS,
//!   ask for a callout's status.
//!
//! ## Features
//!
//! - `server`: the service half (which operation a request is, how answers are
//!   written), for an emulator or a proxy. Adds API, changes nothing.
//! - `cdr`: call detail records, the daily file of an account's verifications.
//! - `national-numbers`: [`NumberPlans::new`](number_plans::NumberPlans), the numbering plans of all countries.
//!   Whatever reads national numbers is given them; without them, only numbers with `+` are read.
#![forbid(unsafe_code)]

pub mod auth;
pub mod body_kind;
pub mod call_outcome;
pub mod callback;
pub mod caller_id;
#[cfg(feature = "cdr")]
pub mod cdr;
pub mod cli_filter;
pub mod code;
pub mod country;
pub mod development;
pub mod duration;
pub mod endpoint;
pub mod error;
pub mod id;
pub mod identity;
mod json;
pub mod language;
pub mod method;
pub mod number_plans;
mod open_enum;
mod percent;
pub mod phone_number;
pub mod polling;
pub mod price;
pub mod report;
pub mod retry;
pub mod seconds;
#[cfg(feature = "server")]
pub mod server;
pub mod session;
pub mod sms_template;
pub mod start;
pub mod status;
pub mod timestamp;
mod unicode;
pub mod untrusted;
pub mod url;
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
pub use number_plans::NumberPlans;
pub use phone_number::PhoneNumber;
pub use polling::PollSchedule;
pub use price::Amount;
pub use report::{Report, ReportOutcome};
pub use seconds::{CallSeconds, Expiry};
pub use session::Session;
pub use sms_template::SmsTemplate;
pub use start::{Start, Started};
pub use status::{StatusById, StatusByNumber, StatusByReference};
pub use timestamp::Timestamp;
pub use verification::{Reason, Source, Status, Verification};
pub use wire::WireObject;
