//! `cargo xtask release`: everything of a release that a person would get wrong by hand.
//!
//! It never commits, tags, pushes or publishes; `RELEASING.md` says when a person does.

mod edit;

use std::fs;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, bail, ensure};
use cargo_metadata::semver::Version;
use cargo_metadata::{DependencyKind, Package};
use clap::{Args, ValueEnum};

use crate::cargo::{cargo, read, run};
use crate::metadata::{arrows, is_published, is_versioned, members};

/// The files a release changes; cargo brings the lock file in line by itself.
const CHANGED: [&str; 3] = ["Cargo.toml", "Cargo.lock", "CHANGELOG.md"];

/// How far the version goes, and how much of the work is done.
#[derive(Debug, Args)]
pub(crate) struct Release {
    /// Which part of the version goes up
    #[arg(long)]
    level: Level,
    /// Print the plan and package the current version; write nothing
    #[arg(long)]
    dry_run: bool,
    /// Package without building each package; for a look at the files in it only
    #[arg(long)]
    no_verify: bool,
}

/// The part of the version that goes up; the parts behind it become zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Level {
    /// 0.1.2 to 0.1.3: nothing that users can notice but a mended bug
    Patch,
    /// 0.1.2 to 0.2.0: new API; before 1.0 also a breaking change
    Minor,
    /// 0.1.2 to 1.0.0: a breaking change
    Major,
}

impl Release {
    /// Checks, prints the plan, writes unless it is a dry run, and packages.
    pub(crate) fn run(&self) -> Result<()> {
        ensure_clean_tree()?;
        let members = members()?.packages;
        let order = publish_order(&members)?;
        let current = common_version(&order)?;
        let next = next_version(current, self.level).to_string();
        let current = current.to_string();
        let manifest = edit::bump_manifest(&read_file("Cargo.toml")?, &current, &next)?;
        let date = edit::date(days_since_epoch()?);
        let changelog = edit::cut_changelog(&read_file("CHANGELOG.md")?, &next, &date)?;
        print!("{}", plan(&current, &next, &date, &order));

        if self.dry_run {
            println!("\nA dry run: packaging {current}, writing nothing.");
        } else {
            write_file("Cargo.toml", &manifest)?;
            write_file("CHANGELOG.md", &changelog)?;
            println!("\nWritten. Packaging {next}.");
        }
        let undo = format!(
            "mend what is named above{}",
            if self.dry_run {
                String::new()
            } else {
                format!(", after `git restore {}`", CHANGED.join(" "))
            }
        );
        run(&mut self.package(&members), &undo)?;

        if self.dry_run {
            println!("\nPackaged. Without `--dry-run` the version becomes {next}.");
        } else {
            println!("\nPackaged. Go on with \"During the release\" in RELEASING.md.");
        }
        Ok(())
    }

    /// Packages, and so builds, every published crate from what its package contains.
    fn package(&self, members: &[Package]) -> Command {
        let mut command = cargo(["package", "--workspace"]);
        for member in members.iter().filter(|member| !is_published(member)) {
            command.args(["--exclude", member.name.as_str()]);
        }
        if !self.dry_run {
            // The tree was clean before the new version was written: nothing else is in it.
            command.arg("--allow-dirty");
        }
        if self.no_verify {
            command.arg("--no-verify");
        }
        command
    }
}

/// What is going to happen, for a person to read before it does.
fn plan(current: &str, next: &str, date: &str, order: &[&Package]) -> String {
    let mut text = format!("Release {current} -> {next}\n\nPublished, in this order:\n");
    for (index, member) in order.iter().enumerate() {
        text += &format!("  {}. {} {next}\n", index + 1, member.name);
    }
    text += &format!(
        "\nChanged:\n  \
         Cargo.toml    the version in [workspace.package] and of the path dependencies\n  \
         Cargo.lock    the members' versions, by cargo\n  \
         CHANGELOG.md  \"Unreleased\" becomes \"{next} - {date}\", below an empty \"Unreleased\"\n"
    );
    text
}

/// The version after this one.
fn next_version(current: &Version, level: Level) -> Version {
    let Version {
        major, minor, patch, ..
    } = *current;
    match level {
        Level::Patch => Version::new(major, minor, patch + 1),
        Level::Minor => Version::new(major, minor + 1, 0),
        Level::Major => Version::new(major + 1, 0, 0),
    }
}

/// The one version that all published crates have.
fn common_version<'a>(order: &[&'a Package]) -> Result<&'a Version> {
    let first = order.first().context("no member is published")?;
    for member in order {
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

/// The published members, each after those it depends on; otherwise by name.
fn publish_order(members: &[Package]) -> Result<Vec<&Package>> {
    let mut waiting: Vec<&Package> = members.iter().filter(|member| is_published(member)).collect();
    waiting.sort_by(|a, b| a.name.cmp(&b.name));
    let mut order: Vec<&Package> = Vec::new();
    while !waiting.is_empty() {
        let ready = |member: &&Package| {
            // What only tests need is no reason to wait, unless it is in the package.
            arrows(member)
                .filter(|arrow| arrow.kind != DependencyKind::Development || is_versioned(arrow))
                .all(|arrow| order.iter().any(|done| done.name == arrow.name))
        };
        let Some(index) = waiting.iter().position(ready) else {
            let names: Vec<&str> = waiting.iter().map(|member| member.name.as_str()).collect();
            bail!(
                "no order to publish {} in: they wait for each other, or for a member \
                 that is not published; `cargo xtask layers` shows the arrows",
                names.join(", ")
            );
        };
        order.push(waiting.remove(index));
    }
    Ok(order)
}

/// A release is made of a commit and nothing else.
fn ensure_clean_tree() -> Result<()> {
    let changes = read(Command::new("git").args(["status", "--porcelain"]))?;
    ensure!(
        changes.is_empty(),
        "the tree has changes that are in no commit; commit or stash them:\n{changes}"
    );
    Ok(())
}

/// Today, in days, as UTC sees it.
fn days_since_epoch() -> Result<u64> {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .context("the clock is set before 1970")?;
    Ok(now.as_secs() / 86_400)
}

/// Reads a file that must be there.
fn read_file(path: &str) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("failed to read {path}"))
}

/// Writes a file of the repository.
fn write_file(path: &str, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| format!("failed to write {path}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::samples::member;

    fn unpublished(name: &str) -> Package {
        let mut member = member(name, &[]);
        member.publish = Some(Vec::new());
        member
    }

    #[test]
    fn each_level_clears_the_parts_behind_it() {
        let cases = [
            ("0.1.2", Level::Patch, "0.1.3"),
            ("0.1.2", Level::Minor, "0.2.0"),
            ("0.1.2", Level::Major, "1.0.0"),
            ("1.9.9", Level::Patch, "1.9.10"),
            ("9.9.9", Level::Major, "10.0.0"),
        ];
        for (current, level, expected) in cases {
            let next = next_version(&current.parse().unwrap(), level);
            assert_eq!(next.to_string(), expected);
        }
    }

    #[test]
    fn crates_are_published_after_what_they_need() {
        use DependencyKind::*;
        let members = [
            member("cli", &[("client", Normal, true), ("emulator", Normal, true)]),
            member(
                "client",
                &[("protocol", Normal, true), ("emulator", Development, false)],
            ),
            member("emulator", &[("protocol", Build, true)]),
            member("protocol", &[]),
            unpublished("xtask"),
        ];
        let names: Vec<&str> = publish_order(&members)
            .unwrap()
            .iter()
            .map(|member| member.name.as_str())
            .collect();
        assert_eq!(names, ["protocol", "client", "emulator", "cli"]);
    }

    #[test]
    fn a_circle_and_an_unpublished_need_are_named() {
        let circle = [
            member("a", &[("b", DependencyKind::Development, true)]),
            member("b", &[("a", DependencyKind::Normal, true)]),
        ];
        let error = publish_order(&circle).unwrap_err().to_string();
        assert!(error.contains("a, b"), "{error}");

        let unpublished = [
            member("a", &[("tools", DependencyKind::Normal, true)]),
            unpublished("tools"),
        ];
        assert!(publish_order(&unpublished).is_err());
    }

    #[test]
    fn all_published_crates_have_one_version() {
        let (a, mut b) = (member("a", &[]), member("b", &[]));
        assert_eq!(common_version(&[&a, &b]).unwrap(), &Version::new(0, 1, 0));
        b.version = Version::new(0, 2, 0);
        let error = common_version(&[&a, &b]).unwrap_err().to_string();
        assert!(error.starts_with("a is at 0.1.0 and b at 0.2.0"), "{error}");
        assert!(common_version(&[]).is_err());
    }

    #[test]
    fn packages_leave_out_what_is_not_published() {
        let members = [member("a", &[]), unpublished("xtask")];
        let line = |dry_run, no_verify| {
            let release = Release {
                level: Level::Patch,
                dry_run,
                no_verify,
            };
            release
                .package(&members)
                .get_args()
                .map(|arg| arg.to_string_lossy().into_owned())
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert_eq!(line(true, false), "package --workspace --exclude xtask");
        assert_eq!(
            line(true, true),
            "package --workspace --exclude xtask --no-verify"
        );
        assert_eq!(
            line(false, false),
            "package --workspace --exclude xtask --allow-dirty"
        );
    }

    #[test]
    fn the_plan_names_versions_order_and_files() {
        let (a, b) = (member("a", &[]), member("b", &[]));
        let plan = plan("0.1.0", "0.2.0", "2026-11-23", &[&a, &b]);
        for part in [
            "0.1.0 -> 0.2.0",
            "1. a 0.2.0\n  2. b 0.2.0",
            "\"0.2.0 - 2026-11-23\"",
        ] {
            assert!(plan.contains(part), "{plan}");
        }
        for file in CHANGED {
            assert!(plan.contains(file), "{plan}");
        }
    }
}
