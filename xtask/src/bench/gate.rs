//! `cargo xtask bench gate`: counts the instructions of the bench `counts`, and fails where a row needs more
//! than its baseline.
//!
//! Counts of one toolchain hardly depend on the machine or on its load, so they can guard a pull request.
//! Callgrind is started directly: gungraun, which wraps it, needs a second program of the same version on each
//! machine, keeps its baselines below `target`, and can leave out no crate and name no function that grew.

mod baseline;
mod profile;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, Result, bail, ensure};
use cargo_metadata::Message;
use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use serde_json::Value;

use crate::cargo::{cargo, read, rustc, shown};
use crate::metadata::members;
use crate::outcome::Outcome;
use baseline::{Baseline, Counts, Rows};
use profile::Profile;

/// The folder of the baselines: one file for each toolchain.
const BASELINES: &str = "benches/baselines";

/// Compares instruction counts with the baseline of this toolchain.
#[derive(Debug, Default, Args)]
pub(crate) struct Gate {
    /// Write the counts as the new baseline, with the reason why they may differ from the old one
    #[arg(long, value_name = "REASON", value_parser = NonEmptyStringValueParser::new())]
    accept: Option<String>,
}

impl Gate {
    /// Not run where there is nothing to compare with.
    ///
    /// # Errors
    ///
    /// A row needs more instructions or allocations than its baseline, or nothing can be counted.
    pub(crate) fn run(&self) -> Result<Outcome> {
        let Some(valgrind) = valgrind_version() else {
            println!("not run: valgrind is not installed (Debian: `apt-get install valgrind`)");
            return Ok(Outcome::NotRun);
        };
        let toolchain = Toolchain::of_this_machine(valgrind)?;
        let path = toolchain.path();
        let old = match fs::read_to_string(&path) {
            Ok(text) => {
                let old = Baseline::read(&text);
                Some(old.with_context(|| format!("{} is no baseline", path.display()))?)
            }
            Err(_) if self.accept.is_none() => {
                println!(
                    "not run: no baseline for {}; `cargo xtask bench gate --accept REASON` adds one",
                    toolchain.description()
                );
                return Ok(Outcome::NotRun);
            }
            Err(_) => None,
        };
        let rows = count_all()?;
        let comparison = old.unwrap_or_default().compare(&rows);
        print!("\n{comparison}");
        match &self.accept {
            Some(reason) => {
                let baseline = Baseline {
                    reason: reason.clone(),
                    rows,
                };
                fs::create_dir_all(BASELINES).with_context(|| format!("failed to create {BASELINES}"))?;
                fs::write(&path, baseline.to_json())
                    .with_context(|| format!("failed to write {}", path.display()))?;
                println!("written to {}: commit it with the change", path.display());
            }
            None => comparison.ensure_passed()?,
        }
        Ok(Outcome::Ok)
    }
}

/// What the counts depend on.
struct Toolchain {
    rustc: String,
    target: String,
    valgrind: String,
}

impl Toolchain {
    fn of_this_machine(valgrind: String) -> Result<Self> {
        Ok(Self {
            rustc: rustc("release")?,
            target: rustc("host")?,
            valgrind,
        })
    }

    fn path(&self) -> PathBuf {
        let Self {
            rustc,
            target,
            valgrind,
        } = self;
        Path::new(BASELINES).join(format!("rustc-{rustc}.{target}.valgrind-{valgrind}.json"))
    }

    fn description(&self) -> String {
        let Self {
            rustc,
            target,
            valgrind,
        } = self;
        format!("rustc {rustc} for {target} with valgrind {valgrind}")
    }
}

/// Such as `3.19.0`. `None` if valgrind is not installed.
fn valgrind_version() -> Option<String> {
    let output = Command::new("valgrind").arg("--version").output().ok()?;
    let version = String::from_utf8(output.stdout).ok()?;
    Some(version.trim().strip_prefix("valgrind-")?.to_owned())
}

/// Builds the bench and counts each of its rows.
fn count_all() -> Result<Rows> {
    let program = build()?;
    let folder = members()?.target_directory.join("bench-gate").into_std_path_buf();
    fs::create_dir_all(&folder).with_context(|| format!("failed to create {}", folder.display()))?;
    let start = Instant::now();
    let mut rows = Rows::new();
    for line in read(&mut Command::new(&program))?.lines() {
        let row = Row::read(line).with_context(|| format!("the bench printed `{line}`"))?;
        let counts = row.count(&program, &folder)?;
        rows.insert(row.name, counts);
    }
    println!(
        "counted {} rows in {:.0} s; profiles for callgrind_annotate are in {}",
        rows.len(),
        start.elapsed().as_secs_f64(),
        folder.display()
    );
    Ok(rows)
}

/// Builds the bench. Returns its path.
fn build() -> Result<PathBuf> {
    let mut command = cargo([
        "bench",
        "--package",
        "sinch-verify-benches",
        "--bench",
        "counts",
        "--no-run",
        "--message-format=json-render-diagnostics",
    ]);
    println!("$ {}", shown(&command));
    let messages = read(&mut command)?;
    for message in Message::parse_stream(messages.as_bytes()) {
        if let Message::CompilerArtifact(artifact) = message.context("failed to read cargo's messages")?
            && artifact.target.name == "counts"
            && let Some(path) = artifact.executable
        {
            return Ok(path.into_std_path_buf());
        }
    }
    bail!("cargo names no program of the bench `counts`");
}

/// A row of the bench.
struct Row {
    name: String,
    /// The pattern of the function below which instructions are counted.
    function: String,
    /// How often the row does its work there.
    calls: u64,
}

impl Row {
    /// Reads a line of the bench's list.
    fn read(line: &str) -> Result<Self> {
        let line: Value = serde_json::from_str(line)?;
        let text = |name: &str| {
            let text = line[name].as_str().map(str::to_owned);
            text.with_context(|| format!("no field `{name}`"))
        };
        Ok(Self {
            name: text("row")?,
            function: text("function")?,
            calls: line["calls"].as_u64().context("no field `calls`")?,
        })
    }

    /// Runs the row under callgrind.
    fn count(&self, program: &Path, folder: &Path) -> Result<Counts> {
        let profile = folder.join(format!("{}.callgrind", self.name));
        let mut command = Command::new("valgrind");
        // Variables are on the stack of a program, so others would move all that lies below.
        command
            .env_clear()
            .envs(env::var_os("PATH").map(|path| ("PATH", path)));
        // With room for all freed blocks in its cache, glibc's allocator needs the same for each block, and
        // does not tidy up at a moment that depends on what was allocated before.
        command.env("GLIBC_TUNABLES", "glibc.malloc.tcache_count=65535");
        command.args(["--quiet", "--tool=callgrind", "--collect-atstart=no"]);
        command.arg(format!("--toggle-collect={}", self.function));
        command.arg(format!("--callgrind-out-file={}", profile.display()));
        command.arg(program).arg(&self.name);
        let printed = read(&mut command)?;
        let text =
            fs::read_to_string(&profile).with_context(|| format!("failed to read {}", profile.display()))?;
        let counted = Profile::read(&text).with_context(|| format!("in {}", profile.display()))?;
        ensure!(
            !counted.functions.is_empty(),
            "row {}: nothing is counted below `{}`; where the compiler has inlined it or it has a new name, \
             change the row in benches/benches/counts.rs",
            self.name,
            self.function
        );
        let printed: Value =
            serde_json::from_str(&printed).with_context(|| format!("the bench printed `{printed}`"))?;
        Ok(Counts::of_one_call(
            &counted,
            printed["allocations"].as_u64(),
            self.calls,
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_read_as_the_bench_prints_it() {
        let row = Row::read(r#"{"calls":100,"function":"*counted*","row":"sign"}"#).unwrap();
        assert_eq!(
            (row.name.as_str(), row.function.as_str(), row.calls),
            ("sign", "*counted*", 100)
        );
        let error = Row::read(r#"{"row":"sign"}"#).err().unwrap().to_string();
        assert_eq!(error, "no field `function`");
    }

    #[test]
    fn each_toolchain_has_a_file() {
        let toolchain = Toolchain {
            rustc: "1.95.0".to_owned(),
            target: "x86_64-unknown-linux-gnu".to_owned(),
            valgrind: "3.19.0".to_owned(),
        };
        let path = "benches/baselines/rustc-1.95.0.x86_64-unknown-linux-gnu.valgrind-3.19.0.json";
        assert_eq!(toolchain.path(), Path::new(path));
    }
}
