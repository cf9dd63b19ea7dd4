//! A load tester for Sinch Verification: complete flows, timed end to end, with a verdict.
//!
//! ```text
//! Schedule -> Queue -> Crew: Flow::run over a Wire (goose, or the lean transport)
//!                            ^ events: callbacks
//!                            | FlowRecord per flow: how it ended, how long, each interval
//!                            v
//!                        Board -> RunFile (run.json) -> report, Verdict -> exit code
//! ```
//!
//! The layers know nothing of those above them: [`flows`] has no load generator in it and runs over
//! any [`Wire`], [`measure`] only counts, [`verdict`] only judges. [`attack`] is the one place where
//! goose is used; it may be replaced without touching a flow. A [run file](runfile) is all that
//! reports and verdicts are made from, so that they can be made again, or from several machines'
//! shards.
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
//! use sinch_verify_loadtest::flows::{Cast, Flow, Job, Steps};
//! use sinch_verify_loadtest::{InboxPhone, LeanWire, Numbers, Target};
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
//! let cast = Cast::new(target, phone, "0123456789abcdef".parse()?);
//! let number = Numbers::made_up(0).of(0).ok_or("no number")?;
//!
//! let mut wire = LeanWire::new(HyperTransport::default());
//! let mut steps = Steps::new(&mut wire, &cast, Flow::SMS, Job { slot: 0, number });
//! Flow::SMS.run(&mut steps).await?;
//! assert_eq!(steps.finish().len(), 4);
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

mod alarm;
pub mod arrivals;
pub mod attack;
mod board;
pub mod callbacks;
mod chance;
mod clock;
pub mod compare;
mod cpu;
pub mod crew;
mod failure;
pub mod flows;
pub mod measure;
mod names;
mod numbers;
mod phone;
pub mod report;
mod run;
pub mod runfile;
pub mod safety;
mod scenario;
mod target;
pub mod verdict;
mod wire;

pub use alarm::Alarm;
pub use board::{Board, CallbackSeen, Counted, Phase, Snapshot};
pub use clock::{Clock, SystemClock};
pub use cpu::Busy;
pub use failure::{Failure, FailureKind};
pub use names::UnknownName;
pub use numbers::Numbers;
pub use phone::{ControlPhone, Delivered, FixedPhone, HeardPhone, InboxPhone, Phone};
pub use run::{Draft, Options, Receiving, Run, RunError};
pub use scenario::{Mix, MixError, Scenario};
pub use target::{Against, Elsewhere, Target};
pub use wire::{LeanWire, Wire};
