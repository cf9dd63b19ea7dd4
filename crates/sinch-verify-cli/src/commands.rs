//! One file a command: its arguments and what it does.

pub(crate) mod clock;
pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod decode;
pub(crate) mod deliveries;
pub(crate) mod demo;
pub(crate) mod doctor;
pub(crate) mod events;
pub(crate) mod fault;
pub(crate) mod inbox;
pub(crate) mod listen;
pub(crate) mod man;
pub(crate) mod matching;
pub(crate) mod policy;
pub(crate) mod report;
pub(crate) mod requests;
pub(crate) mod reset;
pub(crate) mod serve;
pub(crate) mod signature;
pub(crate) mod start;
pub(crate) mod status;
pub(crate) mod trigger;
pub(crate) mod verify;
