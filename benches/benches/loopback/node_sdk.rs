//! The official Node SDK, in programs of `benches/peers`.

use anyhow::{Context as _, Result};

use crate::peers::Peer;
use crate::process::{Core, Worker};

/// Node, with the packages.
pub(crate) struct Node(());

impl Node {
    /// Fails if the packages are not installed.
    pub(crate) fn installed() -> Result<Self> {
        Peer::Node
            .command(Core::Client)?
            .context("the npm packages are missing; `cargo xtask bench callback` says how to install them")?;
        Ok(Self(()))
    }

    /// Starts a program.
    pub(crate) fn start(&self, core: Core, program: &str, args: &[&str]) -> Result<Worker> {
        let started = Peer::Node.start(core, program, args)?;
        started.context("the npm packages are missing")
    }
}
