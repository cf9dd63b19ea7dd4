//! One file a command: its arguments and what it does.

pub mod demo;
pub mod matching;
pub mod report;
pub mod serve;
pub mod signature;
pub mod start;
pub mod status;
