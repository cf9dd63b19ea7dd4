//! A load tester for Sinch Verification: complete flows, timed end to end, with a verdict.
//!
//! ```text
//! scenario -> Flow::run over a Wire (goose, or the lean transport)   start, phone, report, status
//!                 | FlowRecord per flow: how it ended, how long, each step
//!                 v
//!             Measurements -> Report (table, JSON) -> Verdict -> exit code
//! ```
//!
//! The layers know nothing of those above them: [`flows`] has no load generator in it and runs over
//! any [`Wire`], [`measure`] only counts, [`verdict`] only judges. [`attack`] is the one place where
//! goose is used; it may be replaced without touching a flow.
//!
//! Phone numbers, codes and secrets are in no report and no error message.
//!
//! # Example
//!
//! One flow against a running emulator, without any load generator:
//!
//! ```
//! use std::sync::Arc;
//! use sinch_verify_client::transport::HyperTransport;
//! use sinch_verify_emulator::{Application, Emulator};
//! use sinch_verify_loadtest::flows::{Flow, Steps};
//! use sinch_verify_loadtest::{InboxPhone, LeanWire, Numbers, SystemClock, Target};
//! use sinch_verify_protocol::{ApplicationKey, ApplicationSecret, Credentials};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let key = ApplicationKey::new("11111111-2222-3333-4444-555555555555")?;
//! let secret = ApplicationSecret::new("BeIukql3pTKJ8RGL5zo0DA==")?;
//! let application = Application::new(key.clone(), secret.clone());
//! let emulator = Arc::new(Emulator::builder().application(application).start().await?);
//!
//! let target = Target::new(emulator.base_url(), Credentials::signed(key, secret));
//! let phone = InboxPhone::new(Arc::clone(&emulator));
//! let mut wire = LeanWire::new(HyperTransport::default());
//! let number = Numbers::default().take().ok_or("no number left")?;
//!
//! let mut steps = Steps::new(&mut wire, &phone, &target, &SystemClock);
//! Flow::Sms.run(&mut steps, number).await?;
//! assert_eq!(steps.finish().len(), 4);
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

mod alarm;
pub mod arrivals;
pub mod attack;
mod board;
mod clock;
mod failure;
pub mod flows;
pub mod measure;
mod names;
mod numbers;
mod phone;
mod report;
mod run;
pub mod runfile;
mod runner;
pub mod safety;
mod scenario;
mod target;
pub mod verdict;
mod wire;

pub use alarm::Alarm;
pub use board::{Board, Snapshot};
pub use clock::{Clock, SystemClock};
pub use failure::{Failure, FailureKind};
pub use names::UnknownName;
pub use numbers::Numbers;
pub use phone::{ControlPhone, Delivered, InboxPhone, Phone};
pub use report::{Report, RunFacts};
pub use run::{Options, Run, RunError};
pub use runner::run_flow;
pub use scenario::Scenario;
pub use target::{Target, TargetError, TargetUrl};
pub use wire::{LeanWire, Wire};
