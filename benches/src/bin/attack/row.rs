//! The results of an attack.

use std::time::Duration;

use anyhow::Result;
use serde::Serialize;
use serde_json::json;

/// One count, printed as a line of JSON.
#[derive(Debug, Serialize)]
pub(crate) struct Row<'a> {
    /// The attack.
    pub(crate) attack: &'a str,
    /// The number of requests, or of runs of a program.
    pub(crate) sent: u64,
    /// What is counted: an event that must not happen more often than `goal`.
    pub(crate) counted: &'a str,
    pub(crate) count: u64,
    /// The largest allowed count. `None` if the count is an accepted cost of a fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) goal: Option<u64>,
    #[serde(serialize_with = "seconds", rename = "seconds")]
    pub(crate) took: Duration,
    /// The most bytes of memory of the attacked processes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) memory: Option<u64>,
}

fn seconds<S: serde::Serializer>(took: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(took.as_secs_f64())
}

impl Row<'_> {
    /// Prints the row for `cargo xtask attack`.
    pub(crate) fn print(&self) -> Result<()> {
        print(&serde_json::to_string(self)?);
        Ok(())
    }
}

/// Prints that an attack does not run.
pub(crate) fn not_run(attack: &str, why: &str) {
    print(&json!({ "attack": attack, "notRun": why }).to_string());
}

/// Prints one counted case, so that it can be repeated.
#[expect(clippy::print_stderr, reason = "a person reads it beside the rows")]
pub(crate) fn note(case: &str) {
    eprintln!("counted: {case}");
}

#[expect(clippy::print_stdout, reason = "this is what the program is started for")]
fn print(line: &str) {
    println!("{line}");
}
