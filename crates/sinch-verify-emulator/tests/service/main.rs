//! The emulator from outside: real requests over real sockets.
#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test may fail where it stands"
)]

mod authorization;
mod calls;
mod control;
mod decisions;
mod embedding;
mod events;
mod faults;
mod feeds;
#[path = "../fixtures/mod.rs"]
mod fixtures;
mod guide;
mod hostile;
mod inspector;
mod life;
mod lists;
mod methods;
mod numbers;
mod onlooker;
mod replays;
mod requests;
mod retries;
mod sdks;
mod settings;
mod steering;
mod support;
mod web;
