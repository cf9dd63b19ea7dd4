//! Releases of a small workspace in a repository of its own.
#![expect(clippy::unwrap_used, reason = "a test may fail so")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const REPOSITORY: &str = env!("CARGO_PKG_REPOSITORY");

/// A workspace with one library, all of it committed on `main`.
struct Project {
    /// Removed with everything in it.
    _home: tempfile::TempDir,
    folder: PathBuf,
}

impl Project {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("project");
        let project = Self { _home: home, folder };
        for (path, text) in [
            (
                "Cargo.toml",
                "[workspace]\nresolver = \"3\"\nmembers = [\"crates/*\", \"tools\"]\n\n\
                 [workspace.package]\nversion = \"0.1.0\"\nedition = \"2024\"\n\n\
                 [workspace.dependencies]\n\
                 sinch-verify-protocol = { path = \"crates/sinch-verify-protocol\", version = \"0.1.0\" }\n",
            ),
            (
                "crates/sinch-verify-protocol/Cargo.toml",
                "[package]\nname = \"sinch-verify-protocol\"\nversion.workspace = true\nedition.workspace = true\n",
            ),
            ("crates/sinch-verify-protocol/src/lib.rs", ""),
            (
                "tools/Cargo.toml",
                "[package]\nname = \"tools\"\nversion.workspace = true\nedition = \"2024\"\npublish = false\n\n\
                 [dependencies]\nsinch-verify-protocol.workspace = true\n",
            ),
            ("tools/src/lib.rs", ""),
            (
                "README.md",
                &format!(
                    "```toml\n[dependencies]\n# Not on crates.io yet.\nsinch-verify-protocol = {{ git = \"{REPOSITORY}\" }}\n```\n"
                ),
            ),
            ("CHANGELOG.md", "# Changelog\n\n## [Unreleased]\n\n- First.\n"),
        ] {
            project.write(path, text);
        }
        project.git(&["init", "--quiet", "--initial-branch", "main"]);
        project.git(&["config", "user.name", "Test"]);
        project.git(&["config", "user.email", "test@example.com"]);
        let mut lock = Command::new(env!("CARGO"));
        lock.args(["generate-lockfile", "--offline", "--quiet"]);
        assert!(lock.current_dir(&project.folder).status().unwrap().success());
        project.commit();
        project
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.folder.join(path)).unwrap()
    }

    fn git(&self, args: &[&str]) -> String {
        git(&self.folder, args)
    }

    fn commit(&self) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", "Change"]);
    }

    fn release(&self, args: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_xtask"))
            .arg("release")
            .args(args)
            .env("CARGO_MANIFEST_DIR", self.folder.join("xtask"))
            .env("CARGO_REGISTRIES_NOWHERE_INDEX", "file:///no/such/folder")
            .output()
            .unwrap()
    }

    /// What a step prints that succeeds.
    fn succeeds(&self, args: &[&str]) -> String {
        let output = self.release(args);
        let text = String::from_utf8(output.stdout).unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{args:?}\n{text}\n{error}");
        text
    }

    /// What a step prints that fails, and its error.
    fn fails(&self, args: &[&str]) -> (String, String) {
        let output = self.release(args);
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(!output.status.success(), "{args:?}\n{text}");
        (text, String::from_utf8(output.stderr).unwrap())
    }
}

fn git(folder: &Path, args: &[&str]) -> String {
    let output = Command::new("git")
        .current_dir(folder)
        .args(args)
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "git {args:?}\n{error}");
    String::from_utf8(output.stdout).unwrap()
}

/// The row of a condition.
fn row<'a>(table: &'a str, name: &str) -> &'a str {
    table.lines().find(|line| line.starts_with(name)).unwrap()
}

#[test]
fn a_candidate_changes_versions_and_a_release_the_changelog_and_the_documents_too() {
    let project = Project::new();
    let readme = project.read("README.md");
    let changelog = project.read("CHANGELOG.md");

    project.succeeds(&["prepare", "0.1.0-rc.1", "--tag"]);
    assert_eq!(project.git(&["tag", "--points-at", "HEAD"]), "v0.1.0-rc.1\n");
    assert_eq!(project.git(&["status", "--porcelain"]), "");
    assert_eq!(
        project.git(&["show", "--format=%s", "--name-only"]),
        "Release 0.1.0-rc.1\n\nCargo.lock\nCargo.toml\n"
    );
    assert_eq!(project.read("Cargo.toml").matches("\"0.1.0-rc.1\"").count(), 2);
    assert_eq!(project.read("README.md"), readme);
    assert_eq!(project.read("CHANGELOG.md"), changelog);
    assert_eq!(project.succeeds(&["notes"]), "- First.\n");

    project.succeeds(&["prepare", "0.1.0", "--tag"]);
    assert!(project.read("Cargo.lock").contains("version = \"0.1.0\"\n"));
    assert_eq!(
        project.read("README.md"),
        "```toml\n[dependencies]\nsinch-verify-protocol = \"0.1\"\n```\n"
    );
    assert!(project.read("CHANGELOG.md").contains("\n\n## [0.1.0] - 20"));
    assert_eq!(project.succeeds(&["notes"]), "- First.\n");

    project.write(
        "CHANGELOG.md",
        "## [Unreleased]\n\n- Breaks.\n\n## [0.1.0] - 2026-01-01\n\n- First.\n",
    );
    project.commit();
    project.succeeds(&["prepare", "0.2.0"]);
    assert_eq!(project.git(&["tag", "--points-at", "HEAD"]), "");
    assert!(
        project
            .read("README.md")
            .contains("sinch-verify-protocol = \"0.2\"")
    );
    assert_eq!(project.succeeds(&["notes"]), "- Breaks.\n");
    assert_eq!(project.succeeds(&["notes", "0.1.0"]), "- First.\n");
    // The lock file fits: cargo would not change it.
    let mut metadata = Command::new(env!("CARGO"));
    metadata.args(["metadata", "--locked", "--offline", "--format-version=1"]);
    assert!(
        metadata
            .current_dir(&project.folder)
            .output()
            .unwrap()
            .status
            .success()
    );
}

#[test]
fn the_first_release_has_the_version_of_the_manifests() {
    let project = Project::new();
    project.succeeds(&["prepare", "0.1.0"]);
    assert_eq!(
        project.git(&["show", "--format=%s", "--name-only"]),
        "Release 0.1.0\n\nCHANGELOG.md\nREADME.md\n"
    );
}

#[test]
fn every_condition_that_fails_is_named_and_nothing_is_written() {
    let project = Project::new();
    project.git(&["tag", "v0.1.0"]);
    project.git(&["checkout", "--quiet", "-b", "feature"]);
    project.write("CHANGELOG.md", "# Changelog\n\n## [Unreleased]\n");

    for step in ["check", "prepare"] {
        let (table, error) = project.fails(&[step, "0.1.0"]);
        assert!(row(&table, "tree").contains("TO DO"), "{table}");
        assert!(
            row(&table, "branch").contains("TO DO        this is `feature`"),
            "{table}"
        );
        assert!(
            row(&table, "version").contains("0.1.1-rc.1, 0.1.1, 0.2.0-rc.1"),
            "{table}"
        );
        assert!(row(&table, "tag").contains("the tag v0.1.0 exists"), "{table}");
        assert!(
            row(&table, "documents").contains("write `sinch-verify-protocol = \"0.1\"`"),
            "{table}"
        );
        assert!(
            row(&table, "changelog").contains("say what the release brings"),
            "{table}"
        );
        assert!(
            error.contains("tree, branch, version, tag, documents, changelog"),
            "{error}"
        );
        assert_eq!(project.git(&["status", "--porcelain"]), " M CHANGELOG.md\n");
    }
}

#[test]
fn commits_of_the_origin_must_be_in_the_release() {
    let project = Project::new();
    let origin = project.folder.with_file_name("origin");
    project.git(&["clone", "--quiet", "--bare", ".", origin.to_str().unwrap()]);
    project.git(&["remote", "add", "origin", origin.to_str().unwrap()]);
    let table = project.succeeds(&["check", "0.1.0"]);
    assert!(row(&table, "origin").contains(" ok "), "{table}");

    project.write("README.md", "Changed.\n");
    project.commit();
    project.git(&["push", "--quiet", "origin", "main"]);
    project.git(&["reset", "--quiet", "--hard", "HEAD^"]);
    let (table, _) = project.fails(&["check", "0.1.0"]);
    assert!(
        row(&table, "origin").contains("1 commits of origin's `main` are missing"),
        "{table}"
    );
}

#[test]
fn only_a_tagged_commit_is_published() {
    let project = Project::new();
    let (_, error) = project.fails(&["publish", "--execute"]);
    assert!(error.contains("this commit is not v0.1.0"), "{error}");
}

#[test]
fn a_registry_that_does_not_answer_is_not_one_that_lacks_the_crates() {
    let project = Project::new();
    let (_, error) = project.fails(&["publish", "--registry", "nowhere"]);
    assert!(error.contains("it is not known what is published"), "{error}");
}
