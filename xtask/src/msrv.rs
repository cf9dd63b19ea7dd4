//! The job `msrv`: everything builds with the lowest Rust that the manifests declare.

use std::process::Command;

use anyhow::{Context as _, Result};

use crate::cargo::{read, run as run_command, without_package};
use crate::metadata::members;
use crate::outcome::Outcome;

/// Builds with that toolchain, where it is installed.
pub(crate) fn run() -> Result<Outcome> {
    let metadata = members()?;
    let declared = metadata
        .packages
        .iter()
        .find_map(|member| member.rust_version.clone());
    let declared = declared.context("no member declares a `rust-version`")?;
    let version = format!("{}.{}", declared.major, declared.minor);
    if !is_installed(&version) {
        println!(
            "not run: Rust {version} is not installed: `rustup toolchain install {version} --profile minimal`\n\
             The job `clippy` checks what it knows of the standard library (`incompatible_msrv`)."
        );
        return Ok(Outcome::NotRun);
    }
    let mut command = Command::new("rustup");
    // What the outer cargo says of itself would start it again.
    without_package(command.env_remove("CARGO").env_remove("RUSTUP_TOOLCHAIN"));
    command.args([
        "run",
        &version,
        "cargo",
        "check",
        "--workspace",
        "--all-features",
        "--locked",
    ]);
    run_command(
        &mut command,
        "write it as that version can, or raise `rust-version` in Cargo.toml and say so in the changelog",
    )?;
    Ok(Outcome::Ok)
}

fn is_installed(version: &str) -> bool {
    let list = read(Command::new("rustup").args(["toolchain", "list"])).unwrap_or_default();
    list.lines()
        .any(|line| line.starts_with(&format!("{version}-")) || line.starts_with(&format!("{version}.")))
}
