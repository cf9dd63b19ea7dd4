//! `cargo xtask simulate`: the emulator's engine under random commands.

use anyhow::Result;
use clap::Args;

use crate::cargo::{cargo, run};

/// The length and the seed of a run.
#[derive(Debug, Args)]
pub(crate) struct Simulate {
    /// The number of random commands
    #[arg(long, default_value_t = 1_000_000)]
    steps: u64,
    /// The seed of the commands
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

impl Simulate {
    /// Runs a unit test of the emulator: nothing of ours is linked into this program.
    pub(crate) fn run(&self) -> Result<()> {
        let mut command = cargo([
            "test",
            "--release",
            "--quiet",
            "--package",
            "sinch-verify-emulator",
            "--lib",
            "--",
            "--exact",
            "--nocapture",
            "simulation::tests::as_many_steps_as_asked_for_keep_every_rule",
        ]);
        command.env("SIMULATE_STEPS", self.steps.to_string());
        command.env("SIMULATE_SEED", self.seed.to_string());
        run(
            &mut command,
            "the seed and the step above show it again, every time",
        )
    }
}
