//! `cargo xtask release`: a release from the check to the published crates.
//!
//! `RELEASING.md` says in which order, and what to do when a step fails.

mod changelog;
mod check;
mod edit;
mod history;
mod prepare;
mod publish;
mod rehearse;
mod verify;

use std::fs;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use cargo_metadata::Package;
use cargo_metadata::semver::Version;
use clap::{Args, Subcommand};

use crate::cargo::{files, read};
use crate::metadata::{is_published, members};
pub(crate) use check::semver;
pub(crate) use edit::IMAGES;
pub(crate) use publish::ensure_tagged;
pub(crate) use rehearse::rehearse;
pub(crate) use verify::CONSUMERS;

/// The file that users read before they update.
const CHANGELOG: &str = "CHANGELOG.md";

/// One step of a release.
#[derive(Debug, Args)]
pub(crate) struct Release {
    #[command(subcommand)]
    step: Step,
}

/// The steps, in their order; a rehearsal does all of them.
#[derive(Debug, Subcommand)]
enum Step {
    /// Check everything that must hold before a release; write nothing
    Check(check::Check),
    /// Check, write the version everywhere, and commit
    Prepare(prepare::Prepare),
    /// Print what a version brings, as Markdown, from the changelog
    Notes(changelog::Notes),
    /// Publish the crates that the registry lacks; a dry run without `--execute`
    Publish(publish::Publish),
    /// Build and run a test of one small project for each layer, from the published crates alone
    Verify(verify::Verify),
    /// Release a clone twice into a registry on this machine, and verify both releases
    Rehearse,
}

impl Release {
    /// Takes the step.
    pub(crate) fn run(&self) -> Result<()> {
        match &self.step {
            Step::Check(check) => check.run(),
            Step::Prepare(prepare) => prepare.run(),
            Step::Notes(notes) => notes.run(),
            Step::Publish(publish) => publish.run(),
            Step::Verify(verify) => verify.run(),
            Step::Rehearse => rehearse(),
        }
    }
}

/// The published members, and the one version that all of them have.
fn published() -> Result<(Vec<Package>, Version)> {
    let members = members()?.packages;
    let published: Vec<Package> = members.into_iter().filter(is_published).collect();
    let version = common_version(&published)?.clone();
    Ok((published, version))
}

fn common_version(published: &[Package]) -> Result<&Version> {
    let first = published.first().context("no member is published")?;
    for member in published {
        ensure!(
            member.version == first.version,
            "{} is at {} and {} at {}: write `version.workspace = true` in both",
            first.name,
            first.version,
            member.name,
            member.version
        );
    }
    Ok(&first.version)
}

/// The tag of a version.
fn tag(version: &Version) -> String {
    format!("v{version}")
}

/// The files that tell users which release to depend on.
fn documents() -> Result<Vec<String>> {
    // The changelog is about all releases.
    let is_document = |path: &String| (path.ends_with(".md") && path != CHANGELOG) || path.ends_with(".yaml");
    Ok(files()?.into_iter().filter(is_document).collect())
}

/// What git prints, without the line end.
fn git<const N: usize>(args: [&str; N]) -> Result<String> {
    Ok(read(Command::new("git").args(args))?.trim_end().to_owned())
}

/// Reads a file that must be there.
fn read_file(path: &str) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("failed to read {path}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::samples::member;

    #[test]
    fn all_published_crates_have_one_version() {
        let mut members = [member("a", &[]), member("b", &[])];
        assert_eq!(common_version(&members).unwrap(), &Version::new(0, 1, 0));
        members[1].version = Version::new(0, 2, 0);
        let error = common_version(&members).unwrap_err().to_string();
        assert!(error.starts_with("a is at 0.1.0 and b at 0.2.0"), "{error}");
        assert!(common_version(&[]).is_err());
    }
}
