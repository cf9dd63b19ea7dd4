//! Criterion benches live in `benches/`.
//!
//! This is also the one library of the workspace that may see every layer and
//! is never published, so it holds the documents whose examples must compile.
#![forbid(unsafe_code)]

#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
