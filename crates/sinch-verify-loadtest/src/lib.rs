#![doc = include_str!("../README.md")]
//! ## The library
//!
//! A [`Scenario`] is an async function over a [`Flow`]. [`main`] gives a program with scenarios of its own
//! the whole command line of `sinch-verify-load`: schedules, callbacks, reports, thresholds, exit codes.
//! [`verification`] has the same flows for a goose attack of your own, and [`runfile`] reads what a run
//! leaves behind. [`pumping`] simulates a day of fraud in front of a policy.
//!
//! ```text
//! model      names, loads, arrivals, failures, what was measured
//! recorder   counts while a run goes on
//! arrivals   when flows are due: Schedule -> Queue
//! live       the limits of a run that costs money
//! scenario   what a flow does: Flow, Scenario, the built-in scenarios
//! engine     virtual users on goose or on the direct transport, the scheduler, the environment
//! runfile    run.json; verdict, report and compare are made from it alone
//! cli        the command line
//! pumping    a day of fraud on injected time: traffic, tally, study
//! ```
#![forbid(unsafe_code)]

mod arrivals;
mod callbacks;
mod cli;
mod compare;
mod destination;
mod engine;
mod live;
mod model;
mod phone;
pub mod pumping;
mod recorder;
mod report;
pub mod runfile;
mod scenario;
mod target;
mod verdict;
pub mod verification;
mod wire;

pub use callbacks::CallbackAnswer;
pub use cli::main;
pub use model::{Delivered, Failure, FailureKind, Setting};
pub use scenario::{Expectation, Flow, FlowFn, ReceiverLink, Scenario, With, with};
