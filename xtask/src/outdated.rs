//! The job `outdated`: the direct dependencies are on their latest majors, or `Cargo.toml` says why not.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};
use cargo_metadata::Dependency;
use cargo_metadata::semver::Version;

use crate::cargo::{cargo, shown};
use crate::metadata::members;
use crate::outcome::Outcome;

/// A package of the lock file that the manifests do not let cargo update to the latest version.
#[derive(Debug, PartialEq, Eq)]
struct Behind {
    name: String,
    locked: Version,
    latest: Version,
}

/// Asks cargo what an update would leave behind.
pub(crate) fn run() -> Result<Outcome> {
    let mut command = cargo(["update", "--dry-run", "--verbose", "--color", "never"]);
    let line = shown(&command);
    let output = command
        .output()
        .with_context(|| format!("failed to start `{line}`"))?;
    let text = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        println!(
            "{text}not run: `{line}` ended with {}: is the registry within reach?",
            output.status
        );
        return Ok(Outcome::NotRun);
    }
    let metadata = members()?;
    let dependencies: Vec<_> = metadata
        .packages
        .iter()
        .flat_map(|member| &member.dependencies)
        .collect();
    let reasons = reasons(&metadata.workspace_metadata)?;
    let found = check(&behind(&text), &dependencies, &reasons);
    ensure!(
        found.is_empty(),
        "move these up in [workspace.dependencies], or say in [workspace.metadata.outdated] why not:\n{}",
        found.join("\n")
    );
    println!("every direct dependency is on its latest major, or has a reason:");
    for (name, reason) in reasons {
        println!("- {name}: {reason}");
    }
    Ok(Outcome::Ok)
}

/// What `[workspace.metadata.outdated]` says: the reason for each dependency that stays behind.
fn reasons(metadata: &serde_json::Value) -> Result<BTreeMap<String, String>> {
    let table = metadata
        .get("outdated")
        .cloned()
        .unwrap_or_else(|| serde_json::json!({}));
    serde_json::from_value(table).context("[workspace.metadata.outdated] is no table of names and reasons")
}

/// The packages in cargo's lines `Unchanged NAME vX (available: vY)`.
///
/// A version that needs a newer Rust than the manifests declare is no choice: cargo adds `, requires Rust Z`.
fn behind(text: &str) -> Vec<Behind> {
    text.lines()
        .filter_map(|line| {
            let (package, latest) = line
                .trim()
                .strip_prefix("Unchanged ")?
                .split_once(" (available: v")?;
            let (name, locked) = package.split_once(" v")?;
            Some(Behind {
                name: name.to_owned(),
                locked: locked.parse().ok()?,
                latest: latest.strip_suffix(')')?.parse().ok()?,
            })
        })
        .collect()
}

/// The direct dependencies among them that have no reason, and the reasons without one of them.
fn check(behind: &[Behind], dependencies: &[&Dependency], reasons: &BTreeMap<String, String>) -> Vec<String> {
    let direct: Vec<&Behind> = behind
        .iter()
        .filter(|behind| {
            dependencies
                .iter()
                .any(|dependency| dependency.name == behind.name && dependency.req.matches(&behind.locked))
        })
        .collect();
    let without_reason = direct.iter().filter(|behind| !reasons.contains_key(&behind.name));
    let mut found: Vec<String> = without_reason
        .map(|Behind { name, locked, latest }| format!("- {name} {locked}: the latest is {latest}"))
        .collect();
    for name in reasons.keys() {
        if direct.iter().all(|behind| behind.name != *name) {
            found.push(format!("- {name} is not behind: remove its reason"));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        text.parse().unwrap()
    }

    #[test]
    fn what_cargo_leaves_behind_is_read() {
        let text = "    Updating crates.io index
     Locking 0 packages to latest Rust 1.88 compatible versions
   Unchanged generic-array v0.14.7 (available: v0.14.9)
   Unchanged jiff v0.2.46 (available: v1.0.2)
   Unchanged parking_lot v0.12.5 (available: v0.13.0, requires Rust 1.95)
note: to see how you depend on a package, run `cargo tree --invert <dep>@<ver>`
";
        let names: Vec<_> = behind(text).into_iter().map(|behind| behind.name).collect();
        assert_eq!(names, ["generic-array", "jiff"]);
    }

    #[test]
    fn only_direct_dependencies_count_and_reasons_do_not_grow_old() {
        let dependency = |name: &str, req: &str| -> Dependency {
            serde_json::from_value(serde_json::json!({
                "name": name, "req": req, "kind": null,
                "optional": false, "uses_default_features": true, "features": [],
            }))
            .unwrap()
        };
        let behind = |name: &str, locked: &str| Behind {
            name: name.to_owned(),
            locked: version(locked),
            latest: version("9.0.0"),
        };
        let dependencies = [
            dependency("jiff", "^0.2"),
            dependency("http", "^1"),
            dependency("toml", "^1"),
        ];
        let dependencies: Vec<_> = dependencies.iter().collect();
        let behind = [
            behind("jiff", "0.2.46"),
            behind("http", "0.2.12"), // Another crate's.
            behind("toml", "1.0.0"),
            behind("generic-array", "0.14.7"),
        ];
        let reasons = ["toml", "serde"].map(|name| (name.to_owned(), "it is slower".to_owned()));
        assert_eq!(
            check(&behind, &dependencies, &reasons.into()),
            [
                "- jiff 0.2.46: the latest is 9.0.0",
                "- serde is not behind: remove its reason"
            ]
        );
    }
}
