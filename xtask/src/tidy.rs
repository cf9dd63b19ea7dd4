//! `cargo xtask tidy`: rules about the text of the repository that no compiler checks.

use std::fs;
use std::path::Path;

use anyhow::{Result, bail};

use crate::cargo::files;

/// The longest source file: above this there is more than one idea in it.
const MAX_LINES: usize = 600;

/// How a path into a person's home folder begins.
const HOMES: &[&str] = &[
    concat!("/ho", "me/"),
    concat!("/ro", "ot/"),
    concat!("/Us", "ers/"),
    concat!(":\\Us", "ers\\"),
];

/// Checks every file that git knows or would add.
pub(crate) fn run() -> Result<()> {
    let mut found = Vec::new();
    let files = files()?;
    for path in &files {
        // Binary files have no text to check.
        if let Ok(text) = fs::read_to_string(path) {
            found.extend(check_text(path, &text));
        }
    }
    if !found.is_empty() {
        for violation in &found {
            println!("{violation}");
        }
        bail!("{} untidy place(s), named above", found.len());
    }
    println!("{} files are tidy", files.len());
    Ok(())
}

/// The rules for one file.
fn check_text(path: &str, text: &str) -> Vec<String> {
    let mut found = check_homes(path, text);
    // rustfmt checks Rust files.
    if has_extension(path, &["md", "toml"]) {
        found.extend(check_white_space(path, text));
    }
    if path.ends_with("/Cargo.toml") {
        found.extend(check_lints(path, text));
    }
    found.extend(check_documented(path, text));
    if has_extension(path, &["rs"]) {
        found.extend(check_length(path, text));
    }
    found
}

/// Checks that there is no path of one person's machine.
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

/// No crate is without the workspace's lints, which forbid `unsafe` among other things.
fn check_lints(path: &str, manifest: &str) -> Option<String> {
    // The fuzz targets are a workspace of their own.
    let inherits = manifest.contains("\n[lints]\nworkspace = true\n");
    (!inherits && !manifest.contains("\n[workspace]\n"))
        .then(|| format!("{path}: the workspace's lints are missing: add `[lints]` with `workspace = true`"))
}

/// The page of a crate is its README, and docs.rs builds all of its features.
fn check_documented(path: &str, text: &str) -> Option<String> {
    let (missing, fix) = match path.strip_prefix("crates/")?.split_once('/')?.1 {
        "src/lib.rs" => (
            "doc = include_str!(\"../README.md\")",
            "begin the documentation of the crate with its README",
        ),
        "Cargo.toml" => (
            "\n[package.metadata.docs.rs]\nall-features = true\n",
            "let docs.rs build all features",
        ),
        _ => return None,
    };
    (!text.contains(missing)).then(|| format!("{path}: `{}` is missing: {fix}", missing.trim()))
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

#[cfg(test)]
mod tests;
