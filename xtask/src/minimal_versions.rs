//! The job `minimal-versions`: the lowest versions that the manifests allow have what the code needs.
//!
//! Only direct dependencies are lowered: what others allow is theirs to check.

use std::process::Command;

use anyhow::{Context as _, Result};

use crate::cargo::{cargo, run as run_command};
use crate::metadata::{is_published, members};

/// Resolves into a lock file of its own and builds with it. Both is unstable in cargo.
pub(crate) fn run() -> Result<()> {
    let metadata = members()?;
    let folder = metadata.target_directory.join("minimal-versions");
    std::fs::create_dir_all(&folder).with_context(|| format!("failed to create {folder}"))?;
    let lockfile = format!("resolver.lockfile-path = \"{}\"", folder.join("Cargo.lock"));
    let run = |command: &mut Command| {
        command.args(["-Z", "lockfile-path", "--config", &lockfile]);
        // A folder of its own, as build scripts notice the bootstrap and would be built anew.
        command
            .env("RUSTC_BOOTSTRAP", "1")
            .env("CARGO_TARGET_DIR", &folder);
        run_command(
            command,
            "raise the version in [workspace.dependencies] to the lowest that works",
        )
    };
    run(&mut cargo(["generate-lockfile", "-Z", "direct-minimal-versions"]))?;
    let mut check = cargo(["check", "--all-features"]);
    for member in metadata.packages.iter().filter(|member| is_published(member)) {
        check.args(["--package", &member.name]);
    }
    run(&mut check)
}
