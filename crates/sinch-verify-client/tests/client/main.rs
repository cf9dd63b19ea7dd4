//! The client over real sockets: against the emulator, and against a server that breaks things.
#![expect(
    clippy::unwrap_used,
    reason = "a test stops where something fails, in helpers too"
)]

mod builder;
#[rustfmt::skip]
#[expect(unused_variables, reason = "what is copied ends where the user's own code goes on")]
mod copied;
mod environment;
mod fault_server;
mod faults;
mod flows;
mod handles;
mod hostile;
mod lost;
mod many;
mod metrics;
mod operations;
mod ours;
mod parity;
mod proxies;
mod report_outcomes;
mod retries;
mod script;
mod snippets;
mod stateless;
mod support;
mod tls;
mod transports;
mod wire;
