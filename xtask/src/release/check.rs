//! What must hold before a release.

use anyhow::{Context as _, Result, bail, ensure};
use cargo_metadata::Package;
use cargo_metadata::semver::Version;
use clap::Args;

use super::history::{History, release_type};
use super::{CHANGELOG, changelog, documents, edit, git, published, read_file, tag};
use crate::cargo::{cargo, ensure_clean_tree, run, shown};
use crate::metadata::has_library;
use crate::outcome::Outcome;
use crate::tools::SEMVER_CHECKS;

/// The branch that is released; a branch whose name begins with `release-` prepares it for review.
const MAIN: &str = "main";

/// What CI checks, on each change and at night.
const GATES: [&[&str]; 2] = [&["ci"], &["ci", "--nightly"]];

/// Which version is to be released.
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// The version to release, such as 0.2.0 or 0.2.0-rc.1
    version: Version,
    /// Run the checks of CI too, which takes long
    #[arg(long)]
    run: bool,
}

impl Check {
    /// Prints a line for each condition, and fails when one does not hold.
    pub(super) fn run(&self) -> Result<()> {
        let gates = if self.run { Gates::Run } else { Gates::Name };
        examine(&self.version, gates)?;
        println!(
            "\nEverything that was checked holds: `cargo xtask release prepare {}`",
            self.version
        );
        Ok(())
    }
}

/// What to do with the checks of CI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gates {
    Run,
    Name,
}

/// What a condition says, unless it fails.
enum Finding {
    Holds(String),
    NotChecked(String),
}

use Finding::{Holds, NotChecked};

/// Checks every condition, also after one that does not hold.
pub(super) fn examine(version: &Version, gates: Gates) -> Result<()> {
    let mut table = Table::default();
    table.row(
        "tree",
        ensure_clean_tree().map(|()| Holds("all changes are in commits".to_owned())),
    );
    table.row("branch", branch());
    // First, because it brings the tags that others have made.
    table.row("origin", origin());
    let history = History::read()?;
    let (members, current) = published()?;
    table.row("version", follows(&history, version, &current));
    table.row("tag", unused(&tag(version)));
    table.row("manifests", manifests(&current, version));
    table.row("documents", dependencies(&history, version));
    table.row("changelog", entries());
    table.row("api", api(&history, version, &members));
    table.row("ci", ci(gates));
    table.finish()
}

/// The conditions that failed so far.
#[derive(Default)]
struct Table {
    failed: Vec<&'static str>,
}

impl Table {
    fn row(&mut self, name: &'static str, finding: Result<Finding>) {
        let (result, text) = match finding {
            Ok(Holds(text)) => ("ok", text),
            Ok(NotChecked(text)) => ("not checked", text),
            Err(error) => {
                self.failed.push(name);
                ("TO DO", format!("{error:#}"))
            }
        };
        println!("{name:<10} {result:<12} {text}");
    }

    fn finish(self) -> Result<()> {
        ensure!(
            self.failed.is_empty(),
            "not ready for a release: {}; do what the lines with `TO DO` say",
            self.failed.join(", ")
        );
        Ok(())
    }
}

fn branch() -> Result<Finding> {
    let branch = git(["branch", "--show-current"])?;
    ensure!(
        branch == MAIN || branch.starts_with("release-"),
        "this is `{branch}`: change to `{MAIN}`, or to a branch `release-X.Y.Z` of it"
    );
    Ok(Holds(format!("this is `{branch}`")))
}

fn origin() -> Result<Finding> {
    if !git(["remote"])?.lines().any(|remote| remote == "origin") {
        return Ok(NotChecked("no remote `origin` to compare with".to_owned()));
    }
    git(["fetch", "--quiet", "--tags", "origin", MAIN])?;
    let missing = git(["rev-list", "--count", "HEAD..FETCH_HEAD"])?;
    ensure!(
        missing == "0",
        "{missing} commits of origin's `{MAIN}` are missing here: `git pull --rebase origin {MAIN}`"
    );
    Ok(Holds(format!("has everything of origin's `{MAIN}`")))
}

fn follows(history: &History, version: &Version, current: &Version) -> Result<Finding> {
    history.ensure_follows(version, current)?;
    Ok(Holds(match history.last() {
        None => format!("{version}: no release yet"),
        Some(last) => format!("{version} follows {last}"),
    }))
}

fn unused(tag: &str) -> Result<Finding> {
    ensure!(
        git(["tag", "--list", tag])?.is_empty(),
        "the tag {tag} exists: choose another version, or delete a tag that was never pushed with `git tag -d {tag}`"
    );
    Ok(Holds(format!("{tag} is not used")))
}

fn manifests(current: &Version, version: &Version) -> Result<Finding> {
    edit::manifest(&read_file("Cargo.toml")?, current, version)?;
    Ok(Holds(format!("all published crates are at {current}")))
}

/// Before the first release, documents depend on the repository; after it, on the last release.
fn dependencies(history: &History, version: &Version) -> Result<Finding> {
    for path in documents()? {
        let text = read_file(&path)?;
        let edited =
            edit::document(&text, history.last().unwrap_or(version)).with_context(|| path.clone())?;
        let mut lines = text.lines().zip(edited.lines());
        if let (Some(last), Some((old, new))) = (history.last(), lines.find(|(old, new)| old != new)) {
            bail!("{path} does not depend on the last release, {last}: write `{new}` for `{old}`");
        }
    }
    Ok(Holds(match history.last() {
        None => "all of them can depend on this release".to_owned(),
        Some(last) => format!("all of them depend on {last}"),
    }))
}

fn entries() -> Result<Finding> {
    changelog::ensure_has_entries(&read_file(CHANGELOG)?)?;
    Ok(Holds(
        "there are entries; read them as a user would, breaking changes first".to_owned(),
    ))
}

/// Whether the version goes as far as the public API changed.
fn api(history: &History, version: &Version, members: &[Package]) -> Result<Finding> {
    let Some(last) = history.last() else {
        return Ok(NotChecked("no release to compare the public API with".to_owned()));
    };
    let level = release_type(last, version);
    Ok(match compare(last, level, members)? {
        Outcome::NotRun => NotChecked(format!(
            "the level may not fit the changes: {}",
            SEMVER_CHECKS.missing()
        )),
        _ => Holds(format!("the changes since {last} are at most {level}")),
    })
}

/// The job `semver`: what breaks users since the last release is named in the changelog.
pub(crate) fn semver() -> Result<Outcome> {
    let history = History::read()?;
    let Some(last) = history.last() else {
        println!("not run: no release yet to compare with");
        return Ok(Outcome::NotRun);
    };
    if changelog::names_a_break(&read_file(CHANGELOG)?)? {
        println!("not run: the changelog names a breaking change, so anything may have changed");
        return Ok(Outcome::NotRun);
    }
    compare(last, "minor", &published()?.0)
}

/// Compares the public API of each library with that of a release.
fn compare(last: &Version, level: &str, members: &[Package]) -> Result<Outcome> {
    let tag = tag(last);
    let mut args = vec!["--release-type", level, "--baseline-rev", &tag];
    for member in members.iter().filter(|member| has_library(member)) {
        args.extend(["--package", &member.name]);
    }
    SEMVER_CHECKS.run(
        &args,
        "take back what breaks, or name it in the changelog and choose a version that goes further",
    )
}

fn ci(gates: Gates) -> Result<Finding> {
    let mut commands = GATES.map(|gate| {
        let mut command = cargo(["xtask"]);
        command.args(gate);
        command
    });
    if gates == Gates::Run {
        for command in &mut commands {
            run(command, "mend what it names")?;
        }
    }
    let lines = commands
        .map(|command| format!("`{}`", shown(&command)))
        .join(", ");
    Ok(match gates {
        Gates::Run => Holds(lines),
        Gates::Name => NotChecked(format!("run {lines}; `release check --run` does")),
    })
}
