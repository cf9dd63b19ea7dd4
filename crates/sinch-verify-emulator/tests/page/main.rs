//! The page, in a real browser.
#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test may fail where it stands"
)]

mod applications;
mod assets;
mod browser;
mod callbacks;
mod controls;
mod first_visit;
#[path = "../fixtures/mod.rs"]
mod fixtures;
mod live_updates;
mod looks;
mod many_messages;
#[path = "../../../../xtask/src/test/not_run.rs"]
mod not_run;
mod phones;
mod proxy;
mod requests;
mod sizes;
mod start;
#[path = "../service/support.rs"]
#[expect(dead_code, reason = "the service's tests use more of it")]
mod support;
mod webdriver;
