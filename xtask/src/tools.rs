//! `cargo xtask tools`: the programs from crates.io that jobs of CI need, in the versions they are written for.

use std::process::{Command, Stdio};

use anyhow::Result;
use clap::Args;

use crate::cargo::{cargo, run};
use crate::outcome::Outcome;

/// A program from crates.io.
#[derive(Debug)]
pub(crate) struct Tool {
    package: &'static str,
    version: &'static str,
    program: &'static str,
    /// Whether a job that runs on each change needs it.
    daily: bool,
}

pub(crate) const AUDITABLE: Tool = Tool::nightly("cargo-auditable", "0.7.7");
pub(crate) const CYCLONEDX: Tool = Tool::nightly("cargo-cyclonedx", "0.5.9");
pub(crate) const DENY: Tool = Tool::daily("cargo-deny", "0.20.2");
pub(crate) const FUZZ: Tool = Tool::nightly("cargo-fuzz", "0.13.2");
pub(crate) const HTTP_REGISTRY: Tool = Tool::nightly("cargo-http-registry", "0.1.8");
pub(crate) const MACHETE: Tool = Tool::daily("cargo-machete", "0.9.2");
/// Reads the format that rustdoc of 1.95 writes.
pub(crate) const PUBLIC_API: Tool = Tool::daily("cargo-public-api", "0.52.0");
pub(crate) const SEMVER_CHECKS: Tool = Tool::nightly("cargo-semver-checks", "0.51.0");
pub(crate) const TYPOS: Tool = Tool {
    program: "typos",
    ..Tool::daily("typos-cli", "1.52.0")
};

const ALL: [&Tool; 9] = [
    &AUDITABLE,
    &CYCLONEDX,
    &DENY,
    &FUZZ,
    &HTTP_REGISTRY,
    &MACHETE,
    &PUBLIC_API,
    &SEMVER_CHECKS,
    &TYPOS,
];

/// Installs programs with cargo.
#[derive(Debug, Args)]
pub(crate) struct Tools {
    /// The packages to install; those that jobs need on each change when none is named
    #[arg(value_name = "PACKAGE", value_parser = find)]
    packages: Vec<&'static Tool>,
}

impl Tools {
    /// Builds what is not installed in its version already.
    pub(crate) fn run(&self) -> Result<()> {
        let daily = ALL
            .into_iter()
            .filter(|tool| tool.daily && self.packages.is_empty());
        for tool in self.packages.iter().copied().chain(daily) {
            let package = format!("{}@{}", tool.package, tool.version);
            run(
                &mut cargo(["install", "--locked", &package]),
                "the jobs that need it do not run without it",
            )?;
        }
        Ok(())
    }
}

fn find(package: &str) -> Result<&'static Tool, String> {
    let names = ALL.map(|tool| tool.package).join(", ");
    let found = ALL.into_iter().find(|tool| tool.package == package);
    found.ok_or_else(|| format!("choose one of {names}"))
}

impl Tool {
    const fn daily(package: &'static str, version: &'static str) -> Self {
        Self {
            package,
            version,
            program: package,
            daily: true,
        }
    }

    const fn nightly(package: &'static str, version: &'static str) -> Self {
        Self {
            daily: false,
            ..Self::daily(package, version)
        }
    }

    /// Does a job that needs the program, in whichever version is installed.
    pub(crate) fn needed_by(&self, job: impl FnOnce() -> Result<()>) -> Result<Outcome> {
        if !is_installed(self.program) {
            println!("not run: {}", self.missing());
            return Ok(Outcome::NotRun);
        }
        job().map(|()| Outcome::Ok)
    }

    /// Runs the program, and adds `fix` where it fails.
    pub(crate) fn run(&self, args: &[&str], fix: &str) -> Result<Outcome> {
        self.needed_by(|| run(&mut self.command(args), fix))
    }

    /// The program with arguments: a subcommand of cargo, or a command of its own.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = match self.program.strip_prefix("cargo-") {
            Some(subcommand) => cargo([subcommand]),
            None => Command::new(self.program),
        };
        command.args(args);
        command
    }

    /// That it is missing, and how to install it.
    pub(crate) fn missing(&self) -> String {
        format!("{} is missing: {}", self.program, self.advice())
    }

    /// How to install it.
    pub(crate) fn advice(&self) -> String {
        format!("run `cargo xtask tools {}`", self.package)
    }
}

/// Whether a program can be started.
pub(crate) fn is_installed(program: &str) -> bool {
    let mut command = Command::new(program);
    command
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.status().is_ok()
}
