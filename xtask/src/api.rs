//! `cargo xtask api`: the public API of each library, as text in `docs/api`, so that a review sees each change.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use cargo_metadata::Target;

use crate::cargo::{cargo, read, run as run_command};
use crate::metadata::{is_published, members};
use crate::outcome::Outcome;
use crate::tools::PUBLIC_API;

const FOLDER: &str = "docs/api";

/// How rustdoc's JSON names the form that [`PUBLIC_API`] reads: that of Rust 1.95.
const FORM: &str = "\"format_version\":57";

/// The job `api`: fails where a text differs from the API.
pub(crate) fn run() -> Result<Outcome> {
    if cfg!(windows) {
        println!("not run: xtask/rustdoc-json is a shell script");
        return Ok(Outcome::NotRun);
    }
    if PUBLIC_API.needed_by(|| Ok(()))? == Outcome::NotRun {
        return Ok(Outcome::NotRun);
    }
    let Some(apis) = apis()? else {
        println!("not run: rustdoc of this toolchain writes another form than `{FORM}`");
        return Ok(Outcome::NotRun);
    };
    let mut differ = Vec::new();
    for (path, api) in apis {
        let text = fs::read_to_string(&path).unwrap_or_default();
        if text != api {
            println!("\n{path}:");
            show_difference(&text, &api);
            differ.push(path);
        }
    }
    ensure!(
        differ.is_empty(),
        "the public API is not that of {}: if the change is meant, `cargo xtask api` writes it",
        differ.join(", ")
    );
    Ok(Outcome::Ok)
}

/// Writes the texts.
pub(crate) fn write() -> Result<()> {
    fs::create_dir_all(FOLDER).with_context(|| format!("failed to create {FOLDER}"))?;
    let apis =
        apis()?.with_context(|| format!("rustdoc of this toolchain writes another form than `{FORM}`"))?;
    for (path, api) in apis {
        fs::write(&path, api).with_context(|| format!("failed to write {path}"))?;
        println!("{path}");
    }
    Ok(())
}

/// The path and the text of each library's API, with all features. `None` where rustdoc writes another form.
fn apis() -> Result<Option<Vec<(String, String)>>> {
    let metadata = members()?;
    let libraries: Vec<&Target> = metadata
        .packages
        .iter()
        .filter(|member| is_published(member))
        .flat_map(|member| member.targets.iter().find(|target| target.is_lib()))
        .collect();
    let mut document = cargo([
        "doc",
        "--workspace",
        "--lib",
        "--no-deps",
        "--all-features",
        "--quiet",
    ]);
    document
        .env(
            "RUSTDOC",
            Path::new(&metadata.workspace_root).join("xtask/rustdoc-json"),
        )
        .env("RUSTDOCFLAGS", "-Z unstable-options --output-format json");
    run_command(&mut document, "the job `docs` says more")?;
    let mut apis = Vec::new();
    for library in libraries {
        let json = metadata
            .target_directory
            .join("doc")
            .join(format!("{}.json", library.name));
        let text = fs::read_to_string(&json).with_context(|| format!("failed to read {json}"))?;
        if !text.contains(FORM) {
            return Ok(None);
        }
        // Without what every type has, and what is derived.
        let mut list = PUBLIC_API.command(&["-sss", "--color", "never", "--rustdoc-json", json.as_str()]);
        apis.push((
            format!("{FOLDER}/{}.txt", library.name.replace('_', "-")),
            read(&mut list)?,
        ));
    }
    Ok(Some(apis))
}

/// The lines that went and those that came.
fn show_difference(old: &str, new: &str) {
    for (sign, text, other) in [('-', old, new), ('+', new, old)] {
        let other: HashSet<&str> = other.lines().collect();
        for line in text.lines().filter(|line| !other.contains(line)) {
            println!("{sign} {line}");
        }
    }
}
