//! The client session: calls, polling, data verification, fallback, lost reports, what other
//! clients get wrong, and being carried elsewhere.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod auto;
mod calls;
mod fallback;
#[path = "../fixtures/mod.rs"]
mod fixtures;
mod known_bugs;
mod lost_reports;
mod polling;
mod run;
mod saving;
mod seamless;
