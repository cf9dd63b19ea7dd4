//! What is left behind.

use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub(crate) struct OutputArgs {
    /// Write the report as JSON; `-` is standard output, and sends the table to standard error.
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
}
