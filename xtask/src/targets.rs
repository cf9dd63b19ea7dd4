//! The job `targets`: the protocol crate builds for the platforms of apps.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::cargo::{cargo, read, run as run_command};
use crate::outcome::Outcome;

const TARGETS: [&str; 2] = ["wasm32-unknown-unknown", "aarch64-linux-android"];

/// Checks the crate for each installed target, and prints the missing ones. Not run where none is installed.
pub(crate) fn run() -> Result<Outcome> {
    let mut outcome = Outcome::NotRun;
    for target in TARGETS {
        if !is_installed(target)? {
            println!("not run: {target} is not installed: `rustup target add {target}`");
            continue;
        }
        let mut command = cargo(["check", "--package", "sinch-verify-protocol", "--all-features"]);
        command.args(["--target", target]);
        run_command(
            &mut command,
            "keep the protocol crate free of what this platform lacks",
        )?;
        outcome = Outcome::Ok;
    }
    Ok(outcome)
}

/// Whether the compiler has a standard library for the target.
fn is_installed(target: &str) -> Result<bool> {
    let folder = read(Command::new("rustc").args(["--print", "target-libdir", "--target", target]))?;
    Ok(Path::new(folder.trim()).exists())
}
