//! `man`: the manual pages.

use std::path::PathBuf;

use crate::exit::{Outcome, failed};

/// Arguments of `man`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The folder for the pages, one for each command; such as ~/.local/share/man/man1. It is made if
    /// there is none.
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
}

/// Writes the pages, for `command` and all below it.
pub(crate) fn run(args: &Args, command: clap::Command) -> anyhow::Result<Outcome> {
    let written =
        std::fs::create_dir_all(&args.folder).and_then(|()| clap_mangen::generate_to(command, &args.folder));
    written.map_err(|error| {
        failed(format!(
            "failed to write manual pages to {}: {error}",
            args.folder.display()
        ))
    })?;
    Ok(Outcome::Yes)
}
