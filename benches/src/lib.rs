//! Benches live in `benches/`: those of pure code on criterion, those that need a socket in
//! `loopback`, and what runs beside the latter in `peers/`. The program `attack` forges, replays
//! and breaks. What both need is here.
//!
//! This is also the one library of the workspace that may see every layer and
//! is never published, so it holds the documents whose examples must compile.
#![forbid(unsafe_code)]

pub mod fixture;
pub mod process;

#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;

#[cfg(doctest)]
#[doc = include_str!("../../docs/guides/callbacks.md")]
struct CallbacksGuide;

#[cfg(doctest)]
#[doc = include_str!("../../docs/guides/errors-and-retries.md")]
struct ErrorsAndRetriesGuide;

#[cfg(doctest)]
#[doc = include_str!("../../docs/guides/first-verification.md")]
struct FirstVerificationGuide;

#[cfg(doctest)]
#[doc = include_str!("../../docs/guides/flows.md")]
struct FlowsGuide;

#[cfg(doctest)]
#[doc = include_str!("../../docs/guides/stateless-backend.md")]
struct StatelessBackendGuide;

#[cfg(doctest)]
#[doc = include_str!("../../docs/guides/testing-with-the-emulator.md")]
struct TestingWithTheEmulatorGuide;
