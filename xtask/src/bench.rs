//! `cargo xtask bench all`: runs the benches of every area, and writes `docs/performance.md`. The name of an area
//! runs only its benches, and the page keeps the results of the others. `cargo xtask bench gate` counts instructions:
//! see [`gate`].
//!
//! Pure code is measured by criterion. The names of its benches define the rows: benches with `floor: `
//! (the lower bound) and `rival: ` are compared with the others of their group, and `, goal N` at the end of a
//! name sets a goal. Code that needs sockets is measured by the bench `loopback`, which prints lines of JSON.

mod criterion_results;
mod figures;
mod gate;
mod peers;
mod plot;
mod results;
mod rows;
mod section;

use std::ffi::OsString;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use clap::{Args, Subcommand, ValueEnum};
use serde_json::Value;

use crate::cargo::{cargo, run, shown as command_line};
use crate::metadata::members;
use crate::page::Stamp;
use criterion_results::Medians;

pub(crate) use figures::shown;
pub(crate) use gate::Gate;
pub(crate) use rows::Unit;

/// The page that the results of all areas are on.
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
#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
enum Area {
    /// Every area
    All,
    /// Signing, verifying, decoding, matching
    Protocol,
    /// Requests and whole flows, beside bare transports and the official SDKs
    Client,
    /// Callbacks answered and checked, beside bare hyper and the official validator
    Callback,
    /// Requests answered, beside bare hyper and a mock server; memory, and time, with many verifications
    Emulator,
    /// The load tester, beside oha, wrk and a bare goose attack
    Load,
    /// How costs grow with verifications, signatures, connections, readers and events
    Growth,
}

impl Area {
    const EACH: [Self; 6] = [
        Self::Protocol,
        Self::Client,
        Self::Callback,
        Self::Emulator,
        Self::Load,
        Self::Growth,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Protocol => "protocol",
            Self::Client => "client",
            Self::Callback => "callback",
            Self::Emulator => "emulator",
            Self::Load => "load",
            Self::Growth => "growth",
        }
    }
}

impl Bench {
    pub(crate) fn run(&self) -> Result<()> {
        if let Some(Task::Gate(gate)) = &self.task {
            return gate.run().map(|_| ());
        }
        let areas = match self.area.context("no area is named")? {
            Area::All => Area::EACH.to_vec(),
            one => vec![one],
        };
        let stamp = Stamp::now().to_string();
        measure(&areas, self.rounds, |area, lines| {
            results::write(area, &stamp, self.rounds, lines)?;
            write_page()
        })?;
        println!("the results are in {PAGE}");
        Ok(())
    }
}

/// The job `bench-smoke`: one round of every area, whose figures are not kept.
pub(crate) fn smoke() -> Result<()> {
    measure(&Area::EACH, 1, |_, _| Ok(()))
}

/// Measures areas, and gives the lines of JSON of each to `keep`.
fn measure(areas: &[Area], rounds: u32, mut keep: impl FnMut(Area, &[String]) -> Result<()>) -> Result<()> {
    let mut programs: Vec<(&str, OsString)> = peers::installed(areas)?
        .into_iter()
        .map(|(name, path)| (name, path.into()))
        .collect();
    build(areas)?;
    if areas.contains(&Area::Load) {
        programs.extend(load_tester()?);
    }
    let progress = Progress(Instant::now());
    let mut failed = Vec::new();
    for &area in areas {
        let name = area.name();
        progress.print(&format!("{name}: rounds: {rounds}"));
        // Everything once in each round, so that a busy moment affects only one round.
        let lines = match area {
            Area::Protocol => criterion(name, rounds, &progress),
            _ => loopback(name, rounds, &programs, &progress),
        };
        let lines = lines.and_then(|lines| {
            ensure!(!lines.is_empty(), "no bench belongs to {name}");
            Ok(lines)
        });
        match lines {
            Ok(lines) => keep(area, &lines)?,
            // The other areas are measured all the same: a run of all takes long.
            Err(error) => {
                progress.print(&format!("{name}: {error:#}"));
                failed.push(name);
            }
        }
    }
    ensure!(failed.is_empty(), "not measured: {}", failed.join(", "));
    Ok(())
}

/// Prints what is measured, and the time since the first measurement.
struct Progress(Instant);

impl Progress {
    fn print(&self, what: &str) {
        let seconds = self.0.elapsed().as_secs();
        println!("[{:02}:{:02}] {what}", seconds / 60, seconds % 60);
    }
}

/// Writes the page and the plots from the results of all areas.
fn write_page() -> Result<()> {
    let results = results::read()?;
    for results in &results {
        if let Some(plot) = plot::svg(results.area.name(), &results.rows) {
            fs::write(format!("{}/{}.svg", results::FOLDER, results.area.name()), plot)?;
        }
    }
    fs::write(PAGE, section::page(&results)).with_context(|| format!("failed to write {PAGE}"))
}

/// Builds the benches, so that a fault in one is found before any is measured.
fn build(areas: &[Area]) -> Result<()> {
    let mut command = cargo(["bench", "--package", "sinch-verify-benches", "--no-run"]);
    if areas.contains(&Area::Protocol) {
        command.args(["--bench", "protocol", "--bench", "matching"]);
    }
    if areas.iter().any(|area| *area != Area::Protocol) {
        command.args(["--bench", "loopback"]);
    }
    run(&mut command, "the benches do not build")
}

/// The groups of criterion whose names start with the area's.
fn criterion(area: &str, rounds: u32, progress: &Progress) -> Result<Vec<String>> {
    let prefix = format!("{area}: ");
    let mut medians = Medians::default();
    for round in 1..=rounds {
        progress.print(&format!("{area}: round {round} of {rounds}"));
        let mut command = bench(["--bench", "protocol", "--bench", "matching"]);
        command.args([
            &prefix,
            "--warm-up-time",
            "0.5",
            "--measurement-time",
            "2",
            "--noplot",
            "--quiet",
        ]);
        run(&mut command, "the bench that failed is named above")?;
        medians.read(Path::new(FIGURES), &prefix)?;
    }
    Ok(medians.lines())
}

/// The output of the bench `loopback`. Prints what each line is about.
fn loopback(
    area: &str,
    rounds: u32,
    programs: &[(&str, OsString)],
    progress: &Progress,
) -> Result<Vec<String>> {
    let mut command = bench(["--bench", "loopback"]);
    command.args([area, &rounds.to_string()]);
    command.envs(programs.iter().map(|(name, path)| (name, path)));
    let mut child = command.stdout(Stdio::piped()).spawn()?;
    let output = child.stdout.take().context("the bench has no output")?;
    let mut lines = Vec::new();
    for line in BufReader::new(output).lines() {
        let line = line?;
        let measured: Value = serde_json::from_str(&line).unwrap_or_default();
        progress.print(&format!("{area}: {}", measured["what"].as_str().unwrap_or(&line)));
        lines.push(line);
    }
    let status = child.wait()?;
    ensure!(
        status.success(),
        "`{}` ended with {status}",
        command_line(&command)
    );
    Ok(lines)
}

/// Builds the load tester and the attack that it is compared with. Returns their paths, with the names of
/// the variables for the bench.
fn load_tester() -> Result<[(&'static str, OsString); 2]> {
    let mut command = cargo(["build", "--release", "--package", "sinch-verify-loadtest"]);
    command.args(["--bin", "sinch-verify-load", "--example", "bare_goose"]);
    run(&mut command, "the load tester does not build")?;
    let release = members()?.target_directory.join("release").into_std_path_buf();
    Ok([
        ("SINCH_VERIFY_LOAD", release.join("sinch-verify-load").into()),
        ("BARE_GOOSE", release.join("examples").join("bare_goose").into()),
    ])
}

/// `cargo bench` of these benches. Arguments that are added go to the benches.
fn bench<const N: usize>(benches: [&str; N]) -> Command {
    let mut command = cargo(["bench", "--package", "sinch-verify-benches"]);
    command.args(benches).arg("--");
    command
}
