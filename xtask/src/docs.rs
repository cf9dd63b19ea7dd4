//! `cargo xtask docs`: the documentation of all crates, built as CI builds it.

use anyhow::Result;

use crate::cargo::{cargo, run as run_command};
use crate::metadata::{is_published, members};

/// Builds the documentation and prints the first page of each published crate.
pub(crate) fn run() -> Result<()> {
    build()?;
    let metadata = members()?;
    let folder = metadata.target_directory.join("doc");
    println!("\nOpen one of:");
    for member in metadata.packages.iter().filter(|member| is_published(member)) {
        // The folder is named after the library, or after the binary where there is none.
        if let Some(target) = member.targets.first() {
            let page = folder.join(target.name.replace('-', "_")).join("index.html");
            println!("  {:<24} {page}", member.name);
        }
    }
    Ok(())
}

/// Builds the documentation; a broken link or a bad code block is an error.
pub(crate) fn build() -> Result<()> {
    run_command(
        cargo(["doc", "--workspace", "--no-deps", "--all-features"]).env("RUSTDOCFLAGS", "-D warnings"),
        "rustdoc names the file and line above; link items by a path that is in scope there",
    )
}
