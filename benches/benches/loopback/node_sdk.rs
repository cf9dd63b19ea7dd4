//! The official Node SDK, in programs of `benches/peers`.

use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};

use crate::process::{Core, Worker};

/// The folder of the programs and their packages.
pub(crate) struct Node {
    peers: PathBuf,
}

impl Node {
    /// Finds the packages. They are not installed by this program.
    pub(crate) fn installed() -> Result<Self> {
        let peers = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers");
        for package in ["@sinch/sdk-core", "express"] {
            ensure!(
                peers.join("node_modules").join(package).is_dir(),
                "the npm package {package} is missing: run `npm ci --ignore-scripts --prefix benches/peers` (Node 20 or later)"
            );
        }
        Ok(Self { peers })
    }

    /// Starts a program.
    pub(crate) fn start(&self, core: Core, program: &str, args: &[&str]) -> Result<Worker> {
        let mut command = core.command("node")?;
        command.arg(self.peers.join(program)).args(args);
        // As in production; Express, for example, then answers errors faster.
        command.env("NODE_ENV", "production");
        Worker::start(command)
    }
}
