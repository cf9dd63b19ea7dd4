//! The limits of live runs: the command, over real sockets, against an emulator that plays the real
//! service under a live host name, which is pinned to this machine.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../exit/mod.rs"]
mod exit;
#[path = "../fixtures/mod.rs"]
mod fixtures;
mod pacing;
mod refused;
mod spending;
mod stopping;
mod support;
