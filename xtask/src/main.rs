//! The project's tasks as one Rust program: `cargo xtask COMMAND`.
//!
//! CI calls nothing else, so every check of CI can be run at home with the same command.
//! The program starts other programs and reads files; it depends on none of the crates it checks.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a task runner talks to the person who runs it"
)]

mod api;
mod attack;
mod bench;
mod cargo;
mod ci;
mod dist;
mod docs;
mod features;
mod follow;
mod fuzz;
mod guides;
mod layers;
mod links;
mod markdown;
mod metadata;
mod minimal_versions;
mod msrv;
mod our_dependency;
mod outcome;
mod outdated;
mod package;
mod page;
mod release;
mod simulate;
mod targets;
mod test;
mod tidy;
mod tools;
mod workflows;

use std::env;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::{Parser, Subcommand};

/// The tasks of the sinch-verify workspace.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Xtask {
    #[command(subcommand)]
    command: Command,
}

/// One variant for each file of this crate that is a command.
#[derive(Debug, Subcommand)]
enum Command {
    /// Run the jobs of CI, all of them or the named ones
    Ci(ci::Ci),
    /// Run every test but the doctests
    Test(test::Test),
    /// Check that crates depend on each other only as designed
    Layers,
    /// Run the emulator's engine under random commands
    Simulate(simulate::Simulate),
    /// Check the text of the repository: sizes, leftovers, white space, manifests
    Tidy,
    /// Build the documentation and say where to open it
    Docs,
    /// Compile every program and test of the README and the guides as it stands there
    Guides,
    /// Do what the README, the first guide and the guide about tests say, from a clean clone on
    FollowGuide,
    /// Run the benches of an area and write its section of docs/performance.md
    Bench(bench::Bench),
    /// Attack receivers, clients and the command on this machine, and write docs/testing.md's section
    Attack(attack::Attack),
    /// Fuzz the protocol crate with cargo-fuzz, each target for a while
    Fuzz(fuzz::Fuzz),
    /// Build what a release ships besides crates: archives, images, lists of dependencies
    #[command(subcommand)]
    Dist(dist::Dist),
    /// Write the public API of each library into docs/api
    Api,
    /// Install the programs that jobs of CI need
    Tools(tools::Tools),
    /// Release the crates: check, prepare, publish, verify
    Release(release::Release),
}

fn main() -> ExitCode {
    let xtask = Xtask::parse();
    match xtask.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Not with `Debug`, because its backtrace would hide the advice.
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

impl Xtask {
    /// Every command runs at the root of the project, wherever it was started.
    fn run(self) -> Result<()> {
        let root = project_root();
        env::set_current_dir(&root).with_context(|| format!("failed to change into {}", root.display()))?;
        match self.command {
            Command::Ci(ci) => ci.run(),
            Command::Test(test) => test.run(),
            Command::Layers => layers::run(),
            Command::Simulate(simulate) => simulate.run(),
            Command::Tidy => tidy::run(),
            Command::Docs => docs::run(),
            Command::Guides => guides::run(),
            Command::FollowGuide => follow::run(),
            Command::Bench(bench) => bench.run(),
            Command::Attack(attack) => attack.run(),
            Command::Fuzz(fuzz) => fuzz.run(),
            Command::Dist(dist) => dist.run(),
            Command::Api => api::write(),
            Command::Tools(tools) => tools.run(),
            Command::Release(release) => release.run(),
        }
    }
}

/// The folder above this crate's.
///
/// `cargo run` gives the crate's folder at run time; the one known at build time
/// is the fallback for a binary that is started by hand.
fn project_root() -> PathBuf {
    let own = env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    own.parent().map(Path::to_path_buf).unwrap_or(own)
}
