//! The job `minimal-versions`: the lowest versions that the manifests allow have what the code needs.
//!
//! Only direct dependencies are lowered: what others allow is theirs to check.

use anyhow::Result;

use crate::cargo::{cargo, run as run_command};
use crate::metadata::{is_published, members};

/// Resolves into a lock file of its own and builds with it. Both options are unstable in cargo.
pub(crate) fn run() -> Result<()> {
    let metadata = members()?;
    let folder = metadata.target_directory.join("minimal-versions");
    std::fs::create_dir_all(&folder)?;
    let lockfile = folder.join("Cargo.lock");
    let unstable = ["-Z", "unstable-options", "--lockfile-path", lockfile.as_str()];
    let fix = "raise the version in [workspace.dependencies] to the lowest that works";

    let mut resolve = cargo(["generate-lockfile", "-Z", "direct-minimal-versions"]);
    run_command(resolve.args(unstable).env("RUSTC_BOOTSTRAP", "1"), fix)?;
    let mut check = cargo(["check", "--all-features"]);
    check.args(unstable).env("RUSTC_BOOTSTRAP", "1");
    for member in metadata.packages.iter().filter(|member| is_published(member)) {
        check.args(["--package", &member.name]);
    }
    // Beside the lock file, as build scripts notice RUSTC_BOOTSTRAP and would be built anew.
    run_command(check.env("CARGO_TARGET_DIR", folder.as_str()), fix)
}
