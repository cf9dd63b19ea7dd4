//! `cargo xtask simulate`: the emulator's engine under random commands, and days of fraud in front of a policy.

use std::process::Command;

use anyhow::Result;
use clap::{Args, ValueEnum};

use crate::cargo::{cargo, read, run};
use crate::page;

/// What to simulate, and from which seed.
#[derive(Debug, Args)]
pub(crate) struct Simulate {
    /// What to simulate
    #[arg(value_enum, default_value = "engine")]
    what: What,
    /// The number of random commands to the engine
    #[arg(long, default_value_t = 1_000_000)]
    steps: u64,
    /// The seed of the commands
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum What {
    /// The emulator's engine under random commands
    Engine,
    /// Days of SMS pumping in front of enforce.toml; writes a section of docs/guides/fraud.md
    Fraud,
}

const PAGE: &str = "docs/guides/fraud.md";
const PLOT: &str = "docs/images/pumping.svg";
const POLICY: &str = "crates/sinch-verify-callback/examples/policies/enforce.toml";

impl Simulate {
    /// Starts programs of the others: nothing of ours is linked into this one.
    pub(crate) fn run(&self) -> Result<()> {
        match self.what {
            What::Engine => self.engine(),
            What::Fraud => fraud(),
        }
    }

    fn engine(&self) -> Result<()> {
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

fn fraud() -> Result<()> {
    let mut command: Command = cargo([
        "run",
        "--release",
        "--quiet",
        "--package",
        "sinch-verify-loadtest",
    ]);
    command.args(["--example", "pumping", "--", POLICY, "--plot", PLOT]);
    let figures = read(&mut command)?;
    page::write(PAGE, "", &section(&figures))
}

/// The section of the guide, with the figures of a run.
fn section(figures: &str) -> String {
    format!(
        "## An attack, simulated\n\n\
         `cargo xtask simulate fraud` writes this section; nothing in it is typed by hand.\n\
         It generates days of traffic from seeds, with injected time, and feeds them to \
         [`enforce.toml`](../../{POLICY}).\n\
         Honest users come from nine countries in a rhythm of day and night: they mistype numbers and codes, ask \
         again when the resend button lets them, and some give up.\n\
         Bots start 10 to 50 times as often, all day, for numbers of twelve ranges, an hour per country, each \
         with another caller key; half of these ranges carry honest users too.\n\
         A launch has 20 times the usual users and no bots.\n\n\
         {figures}\n\
         ![Starts of bots on the worst day: asked for, and paid](../images/pumping.svg)\n\n\
         `cargo run --release -p sinch-verify-loadtest --example pumping -- policy.toml` does the same with a \
         policy of yours.\n"
    )
}
