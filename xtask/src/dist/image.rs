//! The images, made of the root folders.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use super::{dist, products};
use crate::cargo::{read, run};
use crate::release::{IMAGES, ensure_tagged};

/// Builds an image of each command for every architecture whose root folder is there.
///
/// With `push` they are pushed, and `target/distrib/digest/COMMAND` holds the digest to attest.
pub(super) fn build(push: bool) -> Result<()> {
    let dist = dist()?;
    let roots = dist.join("root");
    // The commit's time, so that the same commit gives the same image.
    let time = read(Command::new("git").args(["log", "-1", "--format=%ct"]))?;
    for product in products()? {
        let platforms = platforms(&roots.join(&product.command))?;
        if push {
            ensure_tagged(&product.version)?;
        }
        let image = format!("{IMAGES}{}:{}", product.command, product.version);
        let mut buildah = Command::new("buildah");
        // The format of OCI has no health checks.
        buildah.args(["build", "--format", "docker", "--file", "Containerfile"]);
        buildah.args(["--target", &product.command, "--manifest", &image]);
        buildah.args(["--platform", &platforms.join(","), "--timestamp", time.trim()]);
        run(buildah.arg(&roots), "install buildah")?;
        if push {
            let digests = dist.join("digest");
            fs::create_dir_all(&digests)?;
            let mut buildah = Command::new("buildah");
            buildah.args(["manifest", "push", "--all", "--digestfile"]);
            buildah.arg(digests.join(&product.command));
            buildah.args([&image, &format!("docker://{image}")]);
            run(&mut buildah, "log in with `buildah login ghcr.io`")?;
        }
    }
    Ok(())
}

/// The platforms of an image: a folder is named after the architecture.
fn platforms(roots: &Path) -> Result<Vec<String>> {
    let mut platforms = Vec::new();
    for entry in fs::read_dir(roots)
        .with_context(|| format!("{} is missing: run `cargo xtask dist roots`", roots.display()))?
    {
        platforms.push(format!("linux/{}", entry?.file_name().display()));
    }
    ensure!(
        !platforms.is_empty(),
        "{} is empty: run `cargo xtask dist roots`",
        roots.display()
    );
    platforms.sort();
    Ok(platforms)
}
