//! The programs of others. `cargo xtask bench` finds them, says how to install a missing one, and passes the
//! path of each in a variable. The rows of a missing one have no figure.

use std::env;
use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::process::{Core, Worker};

/// A program to compare with.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Peer {
    /// Node, with the packages of `benches/peers`.
    Node,
    /// Python, with the official SDK.
    Python,
    /// Python, with Flask.
    Flask,
    /// A mock server that reads an OpenAPI document.
    Prism,
    /// A load generator in Rust.
    Oha,
    /// A load generator in C.
    Wrk,
}

impl Peer {
    /// The command that runs it on this core; `None` if it is not installed.
    ///
    /// # Errors
    ///
    /// The cores are not known.
    pub(crate) fn command(self, core: Core) -> Result<Option<Command>> {
        let variable = match self {
            Self::Node => "PEER_NODE",
            Self::Python => "PEER_PYTHON",
            Self::Flask => "PEER_FLASK",
            Self::Prism => "PEER_PRISM",
            Self::Oha => "PEER_OHA",
            Self::Wrk => "PEER_WRK",
        };
        let Some(program) = env::var_os(variable) else {
            return Ok(None);
        };
        let mut command = core.command(program)?;
        // As in production; Express, for example, then answers errors faster.
        command.env("NODE_ENV", "production");
        Ok(Some(command))
    }

    /// Starts a program of `benches/peers` with it; `None` if it is not installed.
    ///
    /// # Errors
    ///
    /// The program cannot be started.
    pub(crate) fn start(self, core: Core, program: &str, args: &[&str]) -> Result<Option<Worker>> {
        let Some(mut command) = self.command(core)? else {
            return Ok(None);
        };
        let peers = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers");
        command.arg(peers.join(program)).args(args);
        Worker::start(command).map(Some)
    }
}
