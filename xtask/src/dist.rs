//! `cargo xtask dist`: what a release ships besides crates, in `target/distrib`.
//!
//! Everything is built for the platform it is built on, so that a workflow needs a runner for each
//! platform and no cross compiler.

mod archive;
pub(crate) mod image;
mod root;

use std::env::consts::{ARCH, EXE_SUFFIX, OS};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use cargo_metadata::semver::Version;
use clap::{Args, Subcommand};

use crate::cargo::{cargo, read, run, rustc};
use crate::metadata::{is_published, members};
use crate::tools::{AUDITABLE, CYCLONEDX};

/// One thing that a release ships.
#[derive(Debug, Subcommand)]
pub(crate) enum Dist {
    /// Pack each command for this platform, and its symbols apart
    Archives {
        #[command(flatten)]
        auditable: Auditable,
        /// A command without shared libraries, for any Linux
        #[arg(long = "static")]
        is_static: bool,
    },
    /// Make the root folder of each image, and prove that the command works with nothing else there
    Roots {
        #[command(flatten)]
        auditable: Auditable,
    },
    /// Build the images from the root folders, with buildah
    Images {
        /// Push them to the registry they are named for
        #[arg(long)]
        push: bool,
    },
    /// Write what each command is made of, as CycloneDX
    Sbom,
    /// Write the SHA-256 of every file in target/distrib
    Checksums,
}

/// Whether the dependencies are written into the command.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Auditable {
    /// Write the list of dependencies into the command, with cargo-auditable
    #[arg(long)]
    auditable: bool,
}

/// A command that is shipped.
#[derive(Debug)]
pub(crate) struct Product {
    /// The crate, as on crates.io.
    package: String,
    /// The name of the command, and of its image.
    pub(crate) command: String,
    /// The folder of the crate.
    folder: PathBuf,
    version: Version,
}

/// How a command is linked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Linkage {
    Dynamic,
    /// With the C library inside. Host names are then resolved by DNS and `/etc/hosts`, as no module
    /// of the name service switch can be loaded.
    Static,
}

/// What was built: the products, and the folder of their commands.
#[derive(Debug)]
struct Built {
    products: Vec<Product>,
    folder: PathBuf,
    target: String,
}

impl Dist {
    /// Does what was asked for.
    pub(crate) fn run(&self) -> Result<()> {
        match self {
            Self::Archives { auditable, is_static } => {
                let linkage = if *is_static {
                    Linkage::Static
                } else {
                    Linkage::Dynamic
                };
                archive::pack(&build(linkage, *auditable)?, linkage)
            }
            Self::Roots { auditable } => root::make(&build(Linkage::Static, *auditable)?),
            Self::Images { push } => image::build(*push),
            Self::Sbom => sbom(),
            Self::Checksums => checksums(),
        }
    }
}

/// The folder that holds what is shipped; cargo itself uses `target/dist`, for the profile.
fn dist() -> Result<PathBuf> {
    let folder = members()?.target_directory.into_std_path_buf().join("distrib");
    fs::create_dir_all(&folder).with_context(|| format!("failed to create {}", folder.display()))?;
    Ok(folder)
}

/// The published members that are commands.
pub(crate) fn products() -> Result<Vec<Product>> {
    let mut products = Vec::new();
    for package in members()?.packages.into_iter().filter(is_published) {
        let commands = package.targets.iter().filter(|target| target.is_bin());
        for command in commands {
            products.push(Product {
                package: package.name.to_string(),
                command: command.name.clone(),
                folder: package.manifest_path.with_file_name("").into_std_path_buf(),
                version: package.version.clone(),
            });
        }
    }
    Ok(products)
}

/// A static command does not find the C library's `getrandom` at run time, and would read `/dev/urandom`, which
/// an empty root folder lacks: it makes the system call itself.
const STATIC_FLAGS: &str = "-C target-feature=+crt-static --cfg getrandom_backend=\"linux_getrandom\"";

/// Builds the commands with the profile `dist`.
fn build(linkage: Linkage, Auditable { auditable }: Auditable) -> Result<Built> {
    ensure!(
        linkage == Linkage::Dynamic || OS == "linux",
        "a static command is built on Linux only; leave out `--static`"
    );
    let products = products()?;
    // The one that the compiler builds for when none is named.
    let target = rustc("host")?;
    // One by one, so that each has the features it has for `cargo install`.
    for product in &products {
        let mut command = if auditable {
            cargo(["auditable", "build"])
        } else {
            cargo(["build"])
        };
        // With a target the flags are for the command alone: what runs during the build stays dynamic.
        command.args(["--locked", "--profile", "dist", "--target", &target]);
        command.args(["--package", &product.package]);
        if linkage == Linkage::Static {
            command.env("RUSTFLAGS", STATIC_FLAGS);
        }
        let fix = format!(
            "see above; `--auditable` needs cargo-auditable: {}",
            AUDITABLE.advice()
        );
        run(&mut command, &fix)?;
    }
    let folder = members()?.target_directory.into_std_path_buf();
    Ok(Built {
        folder: folder.join(&target).join("dist"),
        products,
        target,
    })
}

impl Product {
    /// The file of the command on this platform.
    fn file(&self) -> String {
        format!("{}{EXE_SUFFIX}", self.command)
    }
}

/// The architecture as images name it.
fn image_architecture() -> Result<&'static str> {
    match ARCH {
        "x86_64" => Ok("amd64"),
        "aarch64" => Ok("arm64"),
        other => anyhow::bail!("no image is built for {other}"),
    }
}

/// Makes a folder without anything in it.
fn empty_folder(path: &Path) -> Result<()> {
    if path.exists() {
        fs::remove_dir_all(path).with_context(|| format!("failed to remove {}", path.display()))?;
    }
    fs::create_dir_all(path).with_context(|| format!("failed to create {}", path.display()))
}

/// Copies a file, with its permissions.
fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::copy(from, to).with_context(|| format!("failed to copy {} to {}", from.display(), to.display()))?;
    Ok(())
}

/// Writes a list of dependencies for each command, of all platforms and with default features.
fn sbom() -> Result<()> {
    let dist = dist()?;
    let args = ["--format", "json", "--target", "all"];
    run(&mut CYCLONEDX.command(&args), &CYCLONEDX.advice())?;
    // It writes a file beside the manifest of every member, and only commands are shipped.
    let products = products()?;
    for member in members()?.packages {
        let file = format!("{}.cdx.json", member.name);
        let written = member.manifest_path.with_file_name(&file);
        if products.iter().any(|product| product.package == *member.name) {
            copy(written.as_std_path(), &dist.join(&file))?;
        }
        fs::remove_file(&written).with_context(|| format!("failed to remove {written}"))?;
    }
    Ok(())
}

/// Writes `SHA256SUMS`, as `sha256sum --check` reads it.
fn checksums() -> Result<()> {
    let dist = dist()?;
    let mut files = Vec::new();
    for entry in fs::read_dir(&dist).with_context(|| format!("failed to read {}", dist.display()))? {
        let entry = entry?;
        if entry.file_type()?.is_file() && entry.file_name() != "SHA256SUMS" {
            files.push(entry.file_name());
        }
    }
    ensure!(
        !files.is_empty(),
        "{} has no files: pack archives first",
        dist.display()
    );
    files.sort();
    let sums = read(Command::new("sha256sum").args(&files).current_dir(&dist))?;
    print!("{sums}");
    fs::write(dist.join("SHA256SUMS"), sums).context("failed to write SHA256SUMS")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_commands_are_shipped() {
        let mut commands: Vec<_> = products()
            .unwrap()
            .into_iter()
            .map(|product| product.command)
            .collect();
        commands.sort();
        assert_eq!(commands, ["sinch-verify", "sinch-verify-load"]);
    }
}
