//! The client session: edge cases by their numbers, known faults of other
//! clients by their names, fallback, lost reports, and being carried elsewhere.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod auto;
mod calls;
mod fallback;
mod known_bugs;
mod lost_reports;
mod polling;
mod run;
mod saving;
mod seamless;
