//! The commit of a release.

use std::fs;
use std::process::Command;

use anyhow::{Context as _, Result};
use cargo_metadata::semver::Version;
use clap::Args;

use super::check::{Gates, examine};
use super::{CHANGELOG, changelog, documents, edit, published, read_file, tag};
use crate::cargo::{files, run};
use crate::metadata::members;

const MANIFEST: &str = "Cargo.toml";

/// What to release, and how far to go.
#[derive(Debug, Args)]
pub(crate) struct Prepare {
    /// The version to release, such as 0.2.0 or 0.2.0-rc.1
    version: Version,
    /// Tag the commit, as `publish` needs it; without it, tag the commit that is merged
    #[arg(long)]
    tag: bool,
}

impl Prepare {
    /// Writes all files of the release and commits them.
    pub(super) fn run(&self) -> Result<()> {
        let version = &self.version;
        examine(version, Gates::Name)?;
        println!();
        let edits = edits(version)?;
        for (path, text) in &edits {
            println!("{path}");
            fs::write(path, text).with_context(|| format!("failed to write {path}"))?;
        }
        let mut commit = Command::new("git");
        commit.args([
            "commit",
            "--quiet",
            "--message",
            &format!("Release {version}"),
            "--",
        ]);
        commit.args(edits.iter().map(|(path, _)| path));
        run(
            &mut commit,
            "`git restore --staged --worktree .` undoes what was written",
        )?;
        if self.tag {
            let mut command = Command::new("git");
            command.args([
                "tag",
                "--annotate",
                &tag(version),
                "--message",
                &version.to_string(),
            ]);
            run(
                &mut command,
                "the commit of the release is made; mend the cause and tag it",
            )?;
        }
        println!("\nPrepared. Read `git show`, and go on with RELEASING.md.");
        Ok(())
    }
}

/// The files that change, with their new text.
///
/// A candidate changes versions only: the changelog and the documents are about releases.
fn edits(version: &Version) -> Result<Vec<(String, String)>> {
    let (_, current) = published()?;
    // Members that are not published can have the workspace's version too.
    let members = members()?.packages;
    let names: Vec<&str> = members.iter().map(|member| member.name.as_str()).collect();
    let mut edits = Vec::new();
    let mut change = |path: String, edit: &dyn Fn(&str) -> Result<String>| -> Result<()> {
        let text = read_file(&path)?;
        let edited = edit(&text).with_context(|| path.clone())?;
        if edited != text {
            edits.push((path, edited));
        }
        Ok(())
    };
    change(MANIFEST.to_owned(), &|text| {
        edit::manifest(text, &current, version)
    })?;
    // The fuzz targets have a lock file of their own.
    for path in files()?.into_iter().filter(|path| path.ends_with("Cargo.lock")) {
        change(path, &|text| Ok(edit::lock(text, &names, &current, version)))?;
    }
    if version.pre.is_empty() {
        let date = changelog::today()?;
        change(CHANGELOG.to_owned(), &|text| changelog::cut(text, version, &date))?;
        for path in documents()? {
            change(path, &|text| edit::document(text, version))?;
        }
    }
    Ok(edits)
}
