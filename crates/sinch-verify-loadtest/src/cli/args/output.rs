//! The files that a run writes.

use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub(crate) struct OutputArgs {
    /// Write run.json (everything measured), report.html, report.md and junit.xml into this directory.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,

    /// Write run.json to this file; `-` is standard output, and sends the text report to standard error.
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
}
