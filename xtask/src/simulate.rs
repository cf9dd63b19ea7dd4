//! `cargo xtask simulate`: the emulator's engine under random commands.

use anyhow::Result;
use clap::Args;

use crate::cargo::{cargo, run};

/// How long, and which of all the possible runs.
#[derive(Debug, Args)]
pub(crate) struct Simulate {
    /// How many random commands
    #[arg(long, default_value_t = 1_000_000)]
    steps: u64,
    /// What fixes them
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

impl Simulate {
    /// Runs the emulator's own example: nothing of ours is linked into this program.
    pub(crate) fn run(&self) -> Result<()> {
        let mut command = cargo([
            "run",
            "--release",
            "--quiet",
            "--package",
            "sinch-verify-emulator",
            "--features",
            "simulation",
            "--example",
            "simulate",
            "--",
        ]);
        command.args(["--steps", &self.steps.to_string()]);
        command.args(["--seed", &self.seed.to_string()]);
        run(
            &mut command,
            "the seed and the step above show it again, every time",
        )
    }
}
