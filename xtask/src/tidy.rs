//! `cargo xtask tidy`: rules about the text of the repository that no compiler checks.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::cargo::read;
use crate::metadata::{Member, Metadata};

/// The longest source file: above this there is more than one idea in it.
const MAX_LINES: usize = 600;

/// What is fine while working and not fine in the repository, with the way out.
///
/// The needles are put together here so that this file passes its own check.
const LEFTOVERS: &[(&str, &str)] = &[
    (concat!("to", "do!("), "finish it, or leave the case out"),
    (concat!("un", "implemented!("), "finish it, or leave the case out"),
    (concat!("d", "bg!("), "remove it"),
    (
        concat!("#[", "ignore"),
        "make the test fast and dependable, or delete it",
    ),
];

/// How a path into a person's home folder begins.
const HOMES: &[&str] = &[
    concat!("/ho", "me/"),
    concat!("/ro", "ot/"),
    concat!("/Us", "ers/"),
    concat!(":\\Us", "ers\\"),
];

/// Checks every file that git knows or would add, and every member's manifest.
pub(crate) fn run() -> Result<()> {
    let mut found = Vec::new();
    let files = files()?;
    for path in &files {
        // Binary files have no text to check; deleted ones are still in git's list.
        if let Ok(text) = fs::read_to_string(path) {
            found.extend(check_text(path, &text));
        }
    }
    let members = Metadata::read()?.members;
    let root_manifest = read_file("Cargo.toml")?;
    for member in &members {
        let manifest = read_file(&member.manifest)?;
        let roots: Vec<(&str, String)> = member
            .roots
            .iter()
            .map(|path| Ok((path.as_str(), read_file(path)?)))
            .collect::<Result<_>>()?;
        found.extend(check_unsafe(member, &root_manifest, &manifest, &roots));
        found.extend(check_page(member));
    }
    if !found.is_empty() {
        for violation in &found {
            println!("{violation}");
        }
        bail!("{} untidy place(s), named above", found.len());
    }
    println!("{} files and {} members are tidy", files.len(), members.len());
    Ok(())
}

/// The rules for one file.
fn check_text(path: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    found.extend(check_homes(path, text));
    if has_extension(path, &["rs", "md", "toml"]) {
        found.extend(check_white_space(path, text));
    }
    if has_extension(path, &["rs"]) {
        found.extend(check_leftovers(path, text));
        found.extend(check_length(path, text));
    }
    found
}

/// No macros that stand for missing code, no debugging output, no test that does not run.
fn check_leftovers(path: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (number, line) in numbered(text) {
        for (needle, fix) in LEFTOVERS {
            if line.contains(needle) {
                found.push(format!("{path}:{number}: `{needle}`: {fix}"));
            }
        }
    }
    found
}

/// No path that exists on one person's machine only.
fn check_homes(path: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (number, line) in numbered(text) {
        for home in HOMES {
            if line
                .match_indices(home)
                .any(|(at, _)| begins_a_path(line, at, home))
            {
                found.push(format!(
                    "{path}:{number}: a path that starts with `{home}`: \
                     make it relative, or read it from the environment"
                ));
            }
        }
    }
    found
}

/// Whether the match begins an absolute path, and is no part of an address or a longer path.
fn begins_a_path(line: &str, at: usize, home: &str) -> bool {
    let before = line[..at].chars().next_back();
    let after = line[at + home.len()..].chars().next();
    let is_drive = home.starts_with(':');
    let starts = before.is_none_or(|c| is_drive || !(c.is_alphanumeric() || "._-}~*".contains(c)));
    starts && after.is_some_and(|c| c.is_alphanumeric() || "._-".contains(c))
}

/// No tab and nothing after the last visible character.
fn check_white_space(path: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (number, line) in text.split('\n').enumerate() {
        let number = number + 1;
        if line.contains('\t') {
            found.push(format!(
                "{path}:{number}: a tab: write spaces, or `\\t` in a string"
            ));
        }
        if line.trim_end() != line {
            found.push(format!(
                "{path}:{number}: white space at the end of the line: remove it"
            ));
        }
    }
    found
}

/// Source files of our crates stay short enough to be read in one go.
fn check_length(path: &str, text: &str) -> Option<String> {
    let lines = text.lines().count();
    (is_crate_source(path) && lines > MAX_LINES).then(|| {
        format!(
            "{path}: {lines} lines, more than {MAX_LINES}: \
             split it where one idea ends and the next begins"
        )
    })
}

/// Whether the file is below `crates/*/src`.
fn is_crate_source(path: &str) -> bool {
    let mut parts = path.split('/');
    parts.next() == Some("crates") && parts.next().is_some() && parts.next() == Some("src")
}

/// No crate may use `unsafe`: by the workspace's lint, or by an attribute in each root file.
fn check_unsafe(
    member: &Member,
    root_manifest: &str,
    manifest: &str,
    roots: &[(&str, String)],
) -> Vec<String> {
    let forbidden = has_entry(root_manifest, "workspace.lints.rust", "unsafe_code", "\"forbid\"");
    let inherits = has_entry(manifest, "lints", "workspace", "true");
    if forbidden && inherits {
        return Vec::new();
    }
    roots
        .iter()
        .filter(|(_, text)| !text.lines().any(|line| line.trim() == "#![forbid(unsafe_code)]"))
        .map(|(path, _)| {
            if inherits {
                format!(
                    "Cargo.toml: `unsafe_code = \"forbid\"` is missing in [workspace.lints.rust], \
                     and {path} has no `#![forbid(unsafe_code)]`"
                )
            } else {
                format!(
                    "{path}: unsafe code is not forbidden: add `[lints]` with `workspace = true` \
                     to {}",
                    member.manifest
                )
            }
        })
        .collect()
}

/// A published crate tells its readers what it is, on what terms, and where it lives.
fn check_page(member: &Member) -> Option<String> {
    let in_crates = member.manifest.starts_with("crates/");
    (in_crates && member.published && !member.missing_keys.is_empty()).then(|| {
        format!(
            "{}: no {}: write or inherit it, or say `publish = false`",
            member.manifest,
            member.missing_keys.join(", ").replace('_', "-")
        )
    })
}

/// Whether a manifest has `key = value` in the table, or `table.key = value` on one line.
///
/// Enough TOML for the manifests of this repository, which are written by hand and one way.
fn has_entry(manifest: &str, table: &str, key: &str, value: &str) -> bool {
    let mut current = String::new();
    for line in manifest.lines() {
        let line = line.split(" #").next().unwrap_or(line).trim();
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            current = name.trim().to_owned();
        } else if let Some((left, right)) = line.split_once('=') {
            let (left, right) = (left.trim(), right.trim());
            let dotted = if current.is_empty() {
                left.to_owned()
            } else {
                format!("{current}.{left}")
            };
            if dotted == format!("{table}.{key}") && right == value {
                return true;
            }
        }
    }
    false
}

/// Lines with the numbers an editor shows.
fn numbered(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().map(|(index, line)| (index + 1, line))
}

/// Whether the file's name ends in one of the extensions.
fn has_extension(path: &str, extensions: &[&str]) -> bool {
    Path::new(path)
        .extension()
        .and_then(|extension| extension.to_str())
        .is_some_and(|extension| extensions.contains(&extension))
}

/// The files of the repository, also those that are not added yet; without git, all files.
fn files() -> Result<Vec<String>> {
    let tracked = Command::new("git")
        .args(["rev-parse", "--is-inside-work-tree"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    let mut files = if tracked {
        let list =
            read(Command::new("git").args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]))?;
        list.split_terminator('\0').map(str::to_owned).collect()
    } else {
        let mut files = Vec::new();
        walk(Path::new("."), &mut files)?;
        files
    };
    files.sort();
    files.dedup();
    Ok(files)
}

/// Collects the files below a folder, without what builds leave behind.
fn walk(folder: &Path, files: &mut Vec<String>) -> Result<()> {
    let context = || format!("failed to read the folder {}", folder.display());
    for entry in fs::read_dir(folder).with_context(context)? {
        let entry = entry.with_context(context)?;
        let path = entry.path();
        let kind = entry.file_type().with_context(context)?;
        let name = entry.file_name();
        if kind.is_dir() {
            if name != ".git" && name != "target" && name != "node_modules" {
                walk(&path, files)?;
            }
        } else if kind.is_file() {
            let path = path.to_string_lossy().replace('\\', "/");
            files.push(path.trim_start_matches("./").to_owned());
        }
    }
    Ok(())
}

/// Reads a file that must be there.
fn read_file(path: &str) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("failed to read {path}"))
}

#[cfg(test)]
mod tests;
