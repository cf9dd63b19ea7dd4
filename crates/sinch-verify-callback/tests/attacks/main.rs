//! Attacks on a receiver, each over a real socket, and what is left of them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failure should stop the test"
)]

#[path = "../fixtures/mod.rs"]
mod fixtures;
mod forged;
mod late;
#[cfg(feature = "redis")]
#[path = "../redis_server/mod.rs"]
mod redis_server;
mod replayed;
#[cfg(feature = "redis")]
mod shared;
mod slow;
mod support;
