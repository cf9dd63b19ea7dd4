//! The code that benches and attacks share.
//!
//! The benches are in `benches/`: those of pure code use criterion, those that need sockets are in
//! `loopback`, and the programs that they are compared with are in `peers/`. The program `attack` sends
//! forged and replayed callbacks and injects faults.
//!
//! This library may depend on every layer and is never published, so it also contains the documents whose
//! examples must compile.
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
