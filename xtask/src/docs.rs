//! `cargo xtask docs`: the documentation of all crates, built as CI builds it.

use anyhow::Result;

use crate::cargo::{cargo, run as run_command};
use crate::metadata::Metadata;

/// Builds the documentation and prints the first page of each published crate.
pub(crate) fn run() -> Result<()> {
    build()?;
    let metadata = Metadata::read()?;
    let folder = metadata.target_directory.join("doc");
    println!("\nOpen one of:");
    for member in metadata.members.iter().filter(|member| member.published) {
        let page = folder.join(&member.doc_name).join("index.html");
        println!("  {:<24} {}", member.name, page.display());
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
