//! One file a command: its arguments and what it does.

pub(crate) mod completions;
pub(crate) mod decode;
pub(crate) mod demo;
pub(crate) mod inbox;
pub(crate) mod listen;
pub(crate) mod matching;
pub(crate) mod policy;
pub(crate) mod report;
pub(crate) mod serve;
pub(crate) mod signature;
pub(crate) mod start;
pub(crate) mod status;
pub(crate) mod trigger;
