//! Callbacks while Redis, or the way to it, has a fault.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failure should stop the test"
)]

mod connection;
mod failover;
#[path = "../redis_server/mod.rs"]
mod redis_server;
mod server;
mod support;
mod tls;
