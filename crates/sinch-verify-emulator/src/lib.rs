//! The Sinch Verification service on loopback, for a laptop and for tests.
//!
//! The emulator answers the API with real state, real signatures and real callbacks. Every phone
//! number is a virtual handset whose messages can be read and whose keys can be pressed, and time
//! can be moved. Nothing leaves the machine, and no account is needed. What the service's documents
//! leave open is a field of [`Settings`]; the defaults are ours and are no claim about the service.
//!
//! ```
//! use std::time::Duration;
//! use sinch_verify_emulator::{Application, Emulator};
//! use sinch_verify_protocol::{ApplicationKey, ApplicationSecret};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let key = ApplicationKey::new("11111111-2222-3333-4444-555555555555")?;
//! let secret = ApplicationSecret::new("BeIukql3pTKJ8RGL5zo0DA==")?;
//! let emulator = Emulator::builder()
//!     .application(Application::new(key, secret))
//!     .seed(7)
//!     .start()
//!     .await?;
//! println!("point your client at {}", emulator.url());
//! // ... start a verification of +46700000001 ...
//! assert!(emulator.inbox(&"+46700000001".parse()?).is_empty());
//! emulator.advance(Duration::from_secs(300));
//! emulator.shutdown().await;
//! # Ok(())
//! # }
//! ```
//!
//! Two times run in here. *Wire time* is the wall clock: signed requests are checked against it,
//! and events are signed with it. *Service time* is what verifications live by, and what
//! [`Emulator::advance`] moves. A test may move a day ahead and still sign its requests.
//!
//! Besides the API the emulator has a control interface under `/_emu`, listed by `GET /`. With
//! feature `console`, which is on by default, a browser gets a page there that shows all of it.
#![forbid(unsafe_code)]

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
mod duration;
mod emulator;
mod engine;
mod fault;
mod feed;
mod handset_behavior;
mod host_name;
mod journal;
mod magic;
mod message;
mod operation;
mod replay;
mod ring_buffer;
mod server;
mod settings;
#[cfg(test)]
mod simulation;
mod splitmix;
mod tamper_kit;
mod unit_variant;

pub use application::{Application, AuthorizationLevel, CallbackUrl, InvalidCallbackUrl};
pub use builder::{Builder, StartError};
pub use callbacks::Check;
pub use control_error::ControlError;
pub use delivery::Delivery;
pub use duration::{InvalidDuration, parse_duration};
pub use emulator::Emulator;
pub use fault::{ActiveFault, Fault, FaultPlace, FaultRule, Spread};
pub use handset_behavior::{HandsetBehavior, Scope};
pub use host_name::{HostName, InvalidHostName};
pub use magic::MagicNumber;
pub use message::Message;
pub use operation::Operation;
pub use replay::Replay;
pub use settings::{CalloutPolling, InvalidStrictness, ReportAnswer, Settings, Strictness};
pub use tamper_kit::TamperKit;
