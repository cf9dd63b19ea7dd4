//! The emulator from outside: real requests over real sockets.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may fail where it stands")]

mod authorization;
mod guide;
mod support;
