//! `cargo xtask bench AREA`: runs the benches of an area, and writes its
//! section of `docs/performance.md`. `cargo xtask bench gate` counts instructions, see [`gate`].
//!
//! Pure code is measured by criterion. The names of its benches define the rows: benches with `floor: `
//! (the lower bound) and `rival: ` are compared with the others of their group, and `, goal N` at the end of a
//! name sets a goal. Code that needs sockets is measured by the bench `loopback`, which prints lines of JSON.

mod criterion_results;
mod gate;
mod rows;
mod section;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use clap::{Args, Subcommand, ValueEnum};

use crate::cargo::{cargo, read, run};
use crate::metadata::members;
use criterion_results::Medians;
use rows::Row;

pub(crate) use gate::Gate;
pub(crate) use rows::Unit;
pub(crate) use section::shown;

/// The page with one section for each area.
const PAGE: &str = "docs/performance.md";
/// The folder of criterion's results.
const FIGURES: &str = "target/criterion";

/// Runs benches and writes the results.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct Bench {
    #[command(subcommand)]
    task: Option<Task>,
    /// What to measure
    #[arg(required = true)]
    area: Option<Area>,
    /// The number of rounds; the page has the medians over them
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
}

/// What needs no area.
#[derive(Debug, Subcommand)]
enum Task {
    /// Count instructions, and fail where a row needs more than its baseline
    Gate(Gate),
}

/// An area with benches.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Area {
    /// Signing, verifying, decoding, matching
    Protocol,
    /// Requests and whole flows, beside bare transports and the official SDK
    Client,
    /// Callbacks answered and checked, beside bare hyper and the official validator
    Callback,
    /// Requests answered, beside bare hyper; memory, and time, with many verifications
    Emulator,
    /// The load tester, beside oha and a bare goose attack
    Load,
}

impl Area {
    fn name(self) -> &'static str {
        match self {
            Self::Protocol => "protocol",
            Self::Client => "client",
            Self::Callback => "callback",
            Self::Emulator => "emulator",
            Self::Load => "load",
        }
    }
}

impl Bench {
    /// Measures everything once in each round, so that a busy moment affects only one round.
    pub(crate) fn run(&self) -> Result<()> {
        if let Some(Task::Gate(gate)) = &self.task {
            return gate.run().map(|_| ());
        }
        let measured = self.area.context("no area is named")?;
        let area = measured.name();
        let rows = match measured {
            Area::Protocol => criterion(area, self.rounds)?,
            Area::Client | Area::Callback | Area::Emulator => loopback(area, self.rounds, &[])?,
            Area::Load => loopback(area, self.rounds, &load_tester()?)?,
        };
        ensure!(!rows.is_empty(), "no bench belongs to {area}");
        crate::page::write(PAGE, section::EMPTY, &section::section(area, &rows, self.rounds))
    }
}

/// The groups of criterion whose names start with the area's.
fn criterion(area: &str, rounds: u32) -> Result<Vec<Row>> {
    let prefix = format!("{area}: ");
    let mut medians = Medians::default();
    for round in 1..=rounds {
        println!("round {round} of {rounds}");
        let mut command = bench(["--bench", "protocol", "--bench", "matching"]);
        command.args([
            &prefix,
            "--warm-up-time",
            "0.5",
            "--measurement-time",
            "2",
            "--noplot",
        ]);
        run(&mut command, "the bench that failed is named above")?;
        medians.read(Path::new(FIGURES), &prefix)?;
    }
    Ok(medians.rows())
}

/// The output of the bench `loopback`.
fn loopback(area: &str, rounds: u32, programs: &[(&str, PathBuf)]) -> Result<Vec<Row>> {
    println!("measuring {area}, {rounds} rounds");
    let mut command = bench(["--bench", "loopback"]);
    command.args([area, &rounds.to_string()]);
    command.envs(programs.iter().map(|(name, path)| (name, path)));
    rows::read(&read(&mut command)?)
}

/// Builds the load tester and the attack that it is compared with. Returns their paths, with the names of
/// the variables for the bench.
fn load_tester() -> Result<[(&'static str, PathBuf); 2]> {
    let found = Command::new("oha").arg("--version").output();
    ensure!(
        found.is_ok_and(|output| output.status.success()),
        "oha is missing: run `cargo install oha --locked`"
    );
    let mut command = cargo(["build", "--release", "--package", "sinch-verify-loadtest"]);
    command.args(["--bin", "sinch-verify-load", "--example", "bare_goose"]);
    run(&mut command, "the load tester does not build")?;
    let release = members()?.target_directory.join("release").into_std_path_buf();
    Ok([
        ("SINCH_VERIFY_LOAD", release.join("sinch-verify-load")),
        ("BARE_GOOSE", release.join("examples").join("bare_goose")),
    ])
}

/// `cargo bench` of these benches. Arguments that are added go to the benches.
fn bench<const N: usize>(benches: [&str; N]) -> Command {
    let mut command = cargo(["bench", "--package", "sinch-verify-benches"]);
    command.args(benches).arg("--");
    command
}
