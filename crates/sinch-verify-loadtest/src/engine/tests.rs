//! Flows and whole runs against a real emulator and the real callback receiver, over sockets.

mod abuse;
mod beginning;
mod failures;
mod hung;
mod own;
mod ramp;
mod receiver;
mod stall;
mod verified;
mod world;
