//! Tests of the emulator from outside: real requests over real sockets.
#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test may fail where it stands"
)]

mod authorization;
mod basic_callbacks;
mod calls;
mod control;
mod control_actions;
mod cross_origin;
mod decisions;
mod embedding;
mod events;
mod faults;
mod feed;
#[path = "../fixtures/mod.rs"]
mod fixtures;
mod guide;
mod hostile_requests;
mod invalid_requests;
mod journal;
mod lifecycle;
mod links;
mod lists;
mod methods;
mod metrics;
mod numbers;
mod openapi;
mod replays;
mod retries;
mod sdk_requests;
mod settings;
mod shared;
mod snapshots;
mod state_files;
mod support;
mod timeline;
