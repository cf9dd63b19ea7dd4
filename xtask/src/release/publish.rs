//! The way to the registry.

use std::env;

use anyhow::{Context as _, Result, bail, ensure};
use cargo_metadata::semver::Version;
use clap::Args;

use super::{git, published, tag};
use crate::cargo::{cargo, run, shown};

/// How far to go, and where to.
#[derive(Debug, Args)]
pub(crate) struct Publish {
    /// Publish; without it everything is done but the uploads
    #[arg(long)]
    execute: bool,
    /// Do not build the packages before they are uploaded
    #[arg(long)]
    no_verify: bool,
    /// Another registry than crates.io, as cargo's configuration names it
    #[arg(long)]
    registry: Option<String>,
}

impl Publish {
    /// Publishes the crates that the registry does not have in this version.
    pub(super) fn run(&self) -> Result<()> {
        let (members, version) = published()?;
        if self.execute {
            ensure_tagged(&version)?;
        }
        let registry = self.registry.as_deref();
        // Cargo orders them, and waits for each before those that need it.
        let mut command = cargo(["publish", "--locked"]);
        let mut is_complete = true;
        for member in &members {
            if is_in_registry(&member.name, &version, registry)? {
                println!("{} {version} is published already", member.name);
            } else {
                command.args(["--package", &member.name]);
                is_complete = false;
            }
        }
        if is_complete {
            println!("Everything of {version} is published: `cargo xtask release verify`");
            return Ok(());
        }
        if let Some(registry) = registry {
            command.args(["--registry", registry]);
        }
        if !self.execute {
            command.arg("--dry-run");
        }
        if self.no_verify {
            command.arg("--no-verify");
        }
        run(
            &mut command,
            "mend the cause and run this again: it goes on with the crates that are missing",
        )?;
        println!(
            "\n{}",
            if self.execute {
                "Published: `cargo xtask release verify`"
            } else {
                "A dry run: nothing was uploaded. `--execute` publishes."
            }
        );
        Ok(())
    }
}

/// What is published is what the tag names, so that a version can be built again.
pub(crate) fn ensure_tagged(version: &Version) -> Result<()> {
    let tag = tag(version);
    let tags = git(["tag", "--points-at", "HEAD"])?;
    ensure!(
        tags.lines().any(|line| line == tag),
        "this commit is not {tag}: check out the tag, or tag the merged commit of the release \
         with `git tag --annotate {tag} --message {version}`"
    );
    Ok(())
}

/// Whether the registry's index has the version of a crate.
fn is_in_registry(name: &str, version: &Version, registry: Option<&str>) -> Result<bool> {
    let mut command = cargo(["info", "--quiet"]);
    let package = format!("{name}@{version}");
    command.arg(&package);
    if let Some(registry) = registry {
        command.args(["--registry", registry]);
    }
    // Within the workspace, cargo would describe the member.
    command.current_dir(env::temp_dir());
    let line = shown(&command);
    let output = command
        .output()
        .with_context(|| format!("failed to start `{line}`"))?;
    let error = String::from_utf8_lossy(&output.stderr);
    if output.status.success() {
        return Ok(true);
    }
    if error.contains(&format!("could not find `{package}`")) {
        return Ok(false);
    }
    bail!(
        "`{line}` ended with {}, so it is not known what is published:\n{error}",
        output.status
    );
}
