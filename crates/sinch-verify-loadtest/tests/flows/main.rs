//! The flows against a real emulator and our real callback receiver, over sockets, without a load
//! generator.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod abuse;
mod beginning;
mod failures;
#[path = "../fixtures/mod.rs"]
mod fixtures;
mod hung;
mod ramp;
mod receiver;
mod verified;
mod world;
