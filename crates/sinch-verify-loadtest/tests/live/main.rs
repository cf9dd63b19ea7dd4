//! The rails of live runs, each over real sockets against an emulator that plays the real service:
//! under the name of a live host, which is pinned to this machine.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod command;
#[path = "../exit/mod.rs"]
mod exit;
#[path = "../fixtures/mod.rs"]
mod fixtures;
mod pacing;
mod refused;
mod spending;
mod stopping;
mod support;
