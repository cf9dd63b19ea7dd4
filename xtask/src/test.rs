//! `cargo xtask test`: every test that is not a doctest.

use std::ffi::OsString;

use anyhow::Result;
use clap::Args;

use crate::cargo::{cargo, run};

/// The README's test command. It needs Rust and nothing else.
#[derive(Debug, Default, Args)]
pub(crate) struct Test {
    /// Passed on to the test binaries: a part of a test's name, `--nocapture`
    #[arg(last = true)]
    args: Vec<OsString>,
}

impl Test {
    /// Tests libraries, binaries, integration tests and examples with all features.
    ///
    /// Doctests have a job of their own because they take long for what they find;
    /// benches are built by the `clippy` job and measured elsewhere.
    pub(crate) fn run(&self) -> Result<()> {
        let mut command = cargo([
            "test",
            "--workspace",
            "--all-features",
            "--lib",
            "--bins",
            "--tests",
            "--examples",
            // One run names every failure, not only those of the first crate that has one.
            "--no-fail-fast",
        ]);
        if !self.args.is_empty() {
            command.arg("--").args(&self.args);
        }
        run(
            &mut command,
            "the failures are named above; \
             `cargo xtask test -- PART_OF_A_NAME` runs one of them again",
        )
    }
}
