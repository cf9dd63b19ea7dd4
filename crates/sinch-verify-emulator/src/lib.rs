#![doc = include_str!("../README.md")]
//! ## Time
//!
//! There are two clocks. *Wire time* is the wall clock: signatures of requests are checked against it,
//! and callbacks are signed with it. *Service time* decides when verifications expire and events are due,
//! and [`Emulator::advance`] moves it. So a test can move a day ahead, and its signatures stay valid.
//!
//! Besides the API, the emulator has an HTTP control interface under `/_emu`; `GET /` lists its paths.
//! With feature `console`, which is on by default, browsers see a page at `/` that shows everything.
#![forbid(unsafe_code)]

mod answered_request;
mod api;
mod application;
mod body;
mod builder;
mod callbacks;
mod clock;
mod clock_driver;
#[cfg(feature = "console")]
mod console;
mod control;
mod control_error;
mod core;
mod delivery;
mod emulator;
mod engine;
mod fault;
mod feed;
mod handset_behavior;
mod host_name;
mod journal;
mod magic;
mod message;
mod metrics;
mod operation;
mod replay;
mod ring_buffer;
mod server;
mod settings;
#[cfg(test)]
mod simulation;
mod snapshot;
mod splitmix;
mod state_file;
mod tamper_kit;
mod test_application;
pub mod testing;
mod unit_variant;

pub use answered_request::{AnsweredRequest, AnsweredRequests};
pub use application::{Application, AuthorizationLevel, CallbackAuth, CallbackUrl, InvalidCallbackUrl};
pub use builder::{Builder, StartError};
pub use callbacks::Check;
pub use control_error::ControlError;
pub use delivery::{ConformanceCheck, Delivery};
pub use emulator::Emulator;
pub use fault::{ActiveFault, Fault, FaultPlace, FaultRule, Spread};
pub use handset_behavior::{HandsetBehavior, Scope};
pub use host_name::{HostName, InvalidHostName};
pub use magic::MagicNumber;
pub use message::Message;
pub use operation::Operation;
pub use replay::Replay;
pub use settings::{CalloutPolling, InvalidStrictness, ReportAnswer, Settings, Strictness};
pub use snapshot::{Snapshot, SnapshotError};
pub use tamper_kit::TamperKit;
pub use test_application::TestApplication;
