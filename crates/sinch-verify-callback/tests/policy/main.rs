//! Fraud policies: each rule, the same in memory and in Redis; their bounds; and in front of a handler.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failure should stop the test"
)]

mod bad_input;
mod bounds;
#[path = "../fixtures/mod.rs"]
mod fixtures;
mod rules;
mod service;
#[cfg(feature = "redis")]
mod shared;
mod support;

#[cfg(feature = "redis")]
#[path = "../redis_server/mod.rs"]
mod redis_server;
