//! The manual pages.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::CommandFactory as _;

use super::Args;

#[derive(Debug, clap::Args)]
pub(crate) struct ManArgs {
    /// The folder for the pages, one for each command; such as ~/.local/share/man/man1. It is made if
    /// there is none.
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
}

impl ManArgs {
    /// Writes the pages.
    pub(crate) fn write(&self) -> Result<()> {
        std::fs::create_dir_all(&self.folder)
            .and_then(|()| clap_mangen::generate_to(Args::command(), &self.folder))
            .with_context(|| format!("write manual pages to {}", self.folder.display()))
    }
}
