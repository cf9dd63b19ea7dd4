//! The files of one run.

use std::path::PathBuf;

use super::{OutputArgs, ThresholdArgs};

#[derive(Debug, clap::Args)]
pub(crate) struct MergeArgs {
    /// The run.json of each shard.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,

    #[command(flatten)]
    pub(crate) thresholds: ThresholdArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}
