//! The emulator from outside: real requests over real sockets.
#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test may fail where it stands"
)]

mod authorization;
mod callbacks;
mod control;
mod embedding;
mod faults;
mod feeds;
mod guide;
mod inspector;
mod life;
mod lists;
mod methods;
mod numbers;
mod onlooker;
mod replays;
mod requests;
mod steering;
mod support;
mod web;
