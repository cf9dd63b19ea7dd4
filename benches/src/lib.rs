//! The code that benches and attacks share.
//!
//! The benches are in `benches/`: those of pure code use criterion, those that need sockets are in
//! `loopback`, and the programs that they are compared with are in `peers/`. The program `attack` sends
//! forged and replayed callbacks and injects faults.
//!
//! This library may depend on every layer and is never published.
#![forbid(unsafe_code)]

pub mod fixture;
pub mod process;
pub mod samples;
