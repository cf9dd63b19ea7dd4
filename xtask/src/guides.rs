//! The job `guides`: every program and test in the README and the guides compiles as it stands there, and
//! so do the projects that verify a release.
//!
//! Each document becomes a package of a workspace of its own, with the dependencies that the document
//! names, so that what a reader pastes into a new project builds. They are checked together, which is
//! quicker by far and has one price: a feature that a document forgets may come from another document.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};

use crate::cargo::{cargo, files, run as run_command};
use crate::markdown::{self, Block, is_dependency_table};
use crate::metadata::members;
use crate::our_dependency;
use crate::release::CONSUMERS;

const MANIFEST_TAIL: &str = "\n[lints]\nworkspace = true\n";

/// Writes the packages and checks them.
pub(crate) fn run() -> Result<()> {
    let metadata = members()?;
    let folder = metadata.target_directory.join("guides");
    let root = metadata.workspace_root.as_str();
    let mut packages = Vec::new();
    for path in documents()? {
        let blocks = markdown::read(&path)?;
        let package =
            package(&blocks, root).with_context(|| format!("{path} has a block that does not build"))?;
        if let Some(package) = package {
            let name = Path::new(&path).file_stem().and_then(|stem| stem.to_str());
            packages.push((name.unwrap_or_default().to_ascii_lowercase(), package));
        }
    }
    ensure!(!packages.is_empty(), "no document has a program");
    for consumer in CONSUMERS {
        let dependencies = format!("[dependencies]\n{}", consumer.dependencies);
        let package = Package {
            dependencies: all_from_here(&dependencies, root)?,
            programs: vec![("tests/consumer.rs".to_owned(), consumer.test.to_owned())],
        };
        packages.push((format!("consumer-{}", consumer.name), package));
    }
    let projects = folder.join("projects");
    if projects.exists() {
        fs::remove_dir_all(&projects).with_context(|| format!("failed to remove {projects}"))?;
    }
    let write = |path: String, text: &str| {
        let path = projects.join(path);
        let folder = path.parent().unwrap_or(&projects);
        fs::create_dir_all(folder).with_context(|| format!("failed to make {folder}"))?;
        fs::write(&path, text).with_context(|| format!("failed to write {path}"))
    };
    write(
        "Cargo.toml".to_owned(),
        "[workspace]\nresolver = \"3\"\nmembers = [\"*\"]\n\n[workspace.lints.rust]\nwarnings = \"deny\"\n",
    )?;
    // The versions that are tested, and no download of others.
    let lock = fs::read_to_string("Cargo.lock").context("failed to read Cargo.lock")?;
    write("Cargo.lock".to_owned(), &lock)?;
    for (name, package) in &packages {
        let head = format!("[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n");
        let manifest = format!("{head}{}{MANIFEST_TAIL}", package.dependencies);
        write(format!("{name}/Cargo.toml"), &manifest)?;
        // A package of tests alone is none to cargo.
        write(format!("{name}/src/lib.rs"), "")?;
        for (path, program) in &package.programs {
            write(format!("{name}/{path}"), program)?;
        }
    }
    run_command(
        cargo(["check", "--workspace", "--all-targets"])
            .current_dir(&projects)
            .env("CARGO_TARGET_DIR", folder.join("target")),
        "fix the block: the program's name has the line of the document on which it begins",
    )?;
    let count: usize = packages.iter().map(|(_, package)| package.programs.len()).sum();
    println!(
        "{count} programs and tests of {} projects compile",
        packages.len()
    );
    Ok(())
}

/// The README and the guides.
fn documents() -> Result<Vec<String>> {
    let is_document =
        |path: &String| path == "README.md" || (path.starts_with("docs/guides/") && path.ends_with(".md"));
    Ok(files()?.into_iter().filter(is_document).collect())
}

/// What a document's blocks make.
#[derive(Debug, PartialEq, Eq)]
struct Package {
    dependencies: String,
    /// Paths within the package, and their text.
    programs: Vec<(String, String)>,
}

/// The package of a document; none where it has no Rust.
fn package(blocks: &[Block], root: &str) -> Result<Option<Package>> {
    let mut programs = Vec::new();
    for block in blocks.iter().filter(|block| block.language == "rust") {
        let path = place(block).with_context(|| format!("line {}", block.line))?;
        programs.push((path, block.text.clone()));
    }
    if programs.is_empty() {
        return Ok(None);
    }
    let mut dependencies = String::new();
    for block in blocks.iter().filter(|block| block.names_dependencies()) {
        dependencies += &all_from_here(&block.text, root).with_context(|| format!("line {}", block.line))?;
    }
    Ok(Some(Package {
        dependencies,
        programs,
    }))
}

/// Where a program belongs: a reader sees all of it, so it is a program or a test by itself.
fn place(block: &Block) -> Result<String> {
    let hidden = block
        .text
        .lines()
        .find(|line| *line == "#" || line.starts_with("# "));
    if let Some(hidden) = hidden {
        bail!("`{hidden}` does not compile: show the line without `#`, or leave it out");
    }
    let is_program = block.text.contains("fn main()");
    ensure!(
        is_program || block.text.contains("test]"),
        "neither a program nor a test: add `fn main`, or `#[test]`"
    );
    let folder = if is_program { "src/bin" } else { "tests" };
    Ok(format!("{folder}/line_{}.rs", block.line))
}

/// The lines of a manifest, each from here.
fn all_from_here(lines: &str, root: &str) -> Result<String> {
    lines
        .lines()
        .map(|line| Ok(from_here(line, root)? + "\n"))
        .collect()
}

/// A line of a manifest with the crate of this folder in place of a git repository or a version.
fn from_here(line: &str, root: &str) -> Result<String> {
    let known = line.contains(" = ") || line.is_empty() || line.starts_with('#') || is_dependency_table(line);
    ensure!(known, "`{line}` is no dependency");
    let ours = our_dependency::with_source(line, "path", |name| format!("{root}/crates/{name}"))?;
    Ok(ours.unwrap_or_else(|| line.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_crates_come_from_this_folder() {
        for (line, expected) in [
            (
                "sinch-verify-client = \"0.1\"",
                "sinch-verify-client = { path = \"/here/crates/sinch-verify-client\" }",
            ),
            ("tokio = \"1\"", "tokio = \"1\""),
            ("[dependencies]", "[dependencies]"),
        ] {
            assert_eq!(from_here(line, "/here").unwrap(), expected);
        }
        assert!(from_here("tokio", "/here").is_err());
    }

    fn place_of(text: &str) -> Result<String> {
        place(&Block {
            line: 7,
            language: "rust".to_owned(),
            notes: Vec::new(),
            text: text.to_owned(),
        })
    }

    #[test]
    fn a_block_is_a_program_or_a_test_and_shows_all_of_it() {
        let place = |text| place_of(text).unwrap();
        assert_eq!(place("fn main() {}\n"), "src/bin/line_7.rs");
        assert_eq!(
            place("#[tokio::test]\nasync fn verifies() {}\n"),
            "tests/line_7.rs"
        );
        for (text, why) in [
            ("fn part() {}\n", "fn main"),
            ("# fn main() {\nlet a = 1;\n# }\n", "# fn main"),
        ] {
            let error = place_of(text).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
    }
}
