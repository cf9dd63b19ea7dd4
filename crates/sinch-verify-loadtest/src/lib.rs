//! A load tester for Sinch Verification: complete flows, timed end to end, with a verdict.
//!
//! A [`Scenario`] is an async function over a [`Flow`]. [`main`] gives a program with scenarios of its own
//! the whole command line of `sinch-verify-load`: schedules, callbacks, reports, thresholds, exit codes.
//!
//! ```text
//! model      names, loads, arrivals, failures, what was measured
//! arrivals   Schedule -> Queue                        when flows are due
//! scenario   Flow, Scenario, the built-in scenarios   what a flow does
//! engine     virtual users on goose or direct; the recorder counts
//! runfile    run.json -> verdict, report              made from the file alone
//! live       the limits of a run that costs money
//! ```
//!
//! Phone numbers, codes and secrets are in no report and no error message.
#![forbid(unsafe_code)]

mod alarm;
mod args;
pub mod arrivals;
pub mod callbacks;
mod cli;
pub mod compare;
pub mod destination;
pub mod engine;
pub mod live;
pub mod model;
mod outcome;
pub mod phone;
mod print;
mod progress;
pub mod recorder;
pub mod report;
pub mod runfile;
pub mod scenario;
mod sink;
pub mod target;
pub mod verdict;
pub mod verification;
pub mod wire;

pub use callbacks::CallbackAnswer;
pub use cli::main;
pub use model::{
    BadName, Delivered, Failure, FailureKind, Latency, Load, Mix, Rate, ScenarioName, Setting, Shard,
    StepName, UnknownName,
};
pub use scenario::{Expectation, Flow, FlowFn, ReceiverLink, Scenario, With, with};
