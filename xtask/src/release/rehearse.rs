//! A rehearsal: a clone is released three times, as RELEASING.md says, into a registry on this machine.
//!
//! The registry is cargo-http-registry: an index in a folder, and uploads over HTTP. In the clone our
//! crates depend on each other in that registry; all others come from where cargo gets them.

use std::fs;
use std::net::Ipv4Addr;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use cargo_metadata::camino::{Utf8Path, Utf8PathBuf};
use cargo_metadata::semver::Version;

use super::history::History;
use super::{CHANGELOG, published};
use crate::cargo::{cargo, ensure_clean_tree, run};
use crate::metadata::members;
use crate::tools::HTTP_REGISTRY;

/// The registry's name in cargo's configuration.
const REGISTRY: &str = "rehearsal";

/// The crate that is published before the others, as if publishing had been interrupted.
const FIRST_CRATE: &str = "sinch-verify-protocol";

/// Releases a candidate, its release and the next patch, and verifies each.
pub(crate) fn rehearse() -> Result<()> {
    // The clone would lack the changes.
    ensure_clean_tree()?;
    let metadata = members()?;
    let folder = metadata.target_directory.join("rehearsal");
    for part in ["clone", "registry"] {
        let part = folder.join(part);
        if part.exists() {
            fs::remove_dir_all(&part).with_context(|| format!("failed to remove {part}"))?;
        }
    }
    let registry = Registry::start(&folder.join("registry"))?;
    let clone = Clone::make(&metadata.workspace_root, &folder, &registry)?;

    let [candidate, release, patch] = versions()?;
    for version in [&candidate, &release, &patch] {
        println!("\n==> {version}");
        let start = Instant::now();
        if *version == patch {
            clone.add_entry()?;
        }
        clone.release(&["prepare", &version.to_string(), "--tag"])?;
        if *version == candidate {
            clone.publish_first_crate()?;
        }
        clone.release(&["publish", "--execute", "--no-verify", "--registry", REGISTRY])?;
        clone.release(&["verify", "--registry", REGISTRY])?;
        println!("{version} took {:.0} s", start.elapsed().as_secs_f64());
    }
    println!("\nReleased {candidate}, {release} and {patch}, and each can be used");
    Ok(())
}

/// The next candidate, its release, and the patch after it.
fn versions() -> Result<[Version; 3]> {
    let (_, current) = published()?;
    let smallest = History::read()?.smallest(&current);
    let [candidate, release] = smallest.context("no version follows")?;
    let patch = Version::new(release.major, release.minor, release.patch + 1);
    Ok([candidate, release, patch])
}

/// The registry, until it is dropped.
struct Registry {
    folder: Utf8PathBuf,
    process: Child,
}

impl Registry {
    fn start(folder: &Utf8Path) -> Result<Self> {
        let process = Command::new("cargo-http-registry")
            .arg(folder)
            .arg("--addr")
            .arg(format!("{}:0", Ipv4Addr::LOCALHOST))
            .stdin(Stdio::null())
            .spawn()
            .with_context(|| HTTP_REGISTRY.missing())?;
        let mut registry = Self {
            folder: folder.to_owned(),
            process,
        };
        registry.wait()?;
        Ok(registry)
    }

    /// Waits until the index has its first commit: the registry answers from then on.
    fn wait(&mut self) -> Result<()> {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let ended = self.process.try_wait().context("failed to ask for its end")?;
            ensure!(ended.is_none(), "cargo-http-registry ended by itself");
            let mut head = Command::new("git");
            head.current_dir(&self.folder)
                .args(["rev-parse", "--quiet", "--verify", "HEAD"]);
            if self.folder.join(".git").exists() && head.output().is_ok_and(|output| output.status.success())
            {
                return Ok(());
            }
            ensure!(
                Instant::now() < deadline,
                "the index has no commit after a minute"
            );
            sleep(Duration::from_millis(100));
        }
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A clone that publishes into the registry.
struct Clone {
    folder: Utf8PathBuf,
    variables: [(&'static str, String); 3],
}

impl Clone {
    fn make(root: &Utf8Path, folder: &Utf8Path, registry: &Registry) -> Result<Self> {
        let clone = Self {
            folder: folder.join("clone"),
            variables: [
                (
                    "CARGO_REGISTRIES_REHEARSAL_INDEX",
                    format!("file://{}", registry.folder),
                ),
                // The registry accepts any token.
                ("CARGO_REGISTRIES_REHEARSAL_TOKEN", "any".to_owned()),
                ("CARGO_TARGET_DIR", folder.join("target").into_string()),
            ],
        };
        run(
            Command::new("git").args(["clone", "--quiet", root.as_str(), clone.folder.as_str()]),
            "see what git says",
        )?;
        clone.git(&["checkout", "--quiet", "-B", "main"])?;
        clone.git(&["remote", "remove", "origin"])?;
        clone.git(&["config", "user.name", "Rehearsal"])?;
        clone.git(&["config", "user.email", "rehearsal@example.com"])?;
        clone.edit("Cargo.toml", |manifest| {
            let here = "{ path = \"crates/";
            manifest.replace(
                here,
                &here.replacen('{', &format!("{{ registry = \"{REGISTRY}\","), 1),
            )
        })?;
        Ok(clone)
    }

    /// Says in the changelog that something changed.
    fn add_entry(&self) -> Result<()> {
        self.edit(CHANGELOG, |changelog| {
            changelog.replacen(
                "## [Unreleased]\n",
                "## [Unreleased]\n\n- An entry of the rehearsal.\n",
                1,
            )
        })
    }

    /// Edits a file and commits it.
    fn edit(&self, path: &str, edit: impl FnOnce(&str) -> String) -> Result<()> {
        let file = self.folder.join(path);
        let text = fs::read_to_string(&file).with_context(|| format!("failed to read {file}"))?;
        fs::write(&file, edit(&text)).with_context(|| format!("failed to write {file}"))?;
        self.git(&["commit", "--quiet", "--all", "--message", "Rehearse"])
    }

    fn publish_first_crate(&self) -> Result<()> {
        let mut publish = cargo(["publish", "--locked", "--no-verify"]);
        publish.args(["--registry", REGISTRY, "--package", FIRST_CRATE]);
        self.run(&mut publish)
    }

    fn git(&self, args: &[&str]) -> Result<()> {
        self.run(Command::new("git").args(args))
    }

    /// A step of the release, as a person types it.
    fn release(&self, args: &[&str]) -> Result<()> {
        self.run(cargo(["xtask", "release"]).args(args))
    }

    fn run(&self, command: &mut Command) -> Result<()> {
        command.current_dir(&self.folder).envs(self.variables.clone());
        run(command, &format!("the clone is in {}", self.folder))
    }
}
