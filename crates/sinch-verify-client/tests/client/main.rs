//! The client over real sockets: against the emulator, and against a server that breaks things.

mod builder;
mod fault_server;
mod faults;
mod operations;
mod wire;
