//! What an attack found.

use std::time::Duration;

use anyhow::Result;
use serde::Serialize;
use serde_json::json;

/// One count, printed as a line of JSON.
#[derive(Debug, Serialize)]
pub(crate) struct Row<'a> {
    /// What was done.
    pub(crate) attack: &'a str,
    /// How many requests, or runs of a program.
    pub(crate) sent: u64,
    /// What is counted: something that must not happen, or not more often than the goal.
    pub(crate) counted: &'a str,
    pub(crate) count: u64,
    /// The most that is allowed; `None` where this is the price of a fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) goal: Option<u64>,
    #[serde(serialize_with = "seconds", rename = "seconds")]
    pub(crate) took: Duration,
    /// The most bytes that the attacked processes held.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) memory: Option<u64>,
}

fn seconds<S: serde::Serializer>(took: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(took.as_secs_f64())
}

impl Row<'_> {
    /// Hands the row to the program that started this one.
    pub(crate) fn print(&self) -> Result<()> {
        print(&serde_json::to_string(self)?);
        Ok(())
    }
}

/// Says that an attack is left out.
pub(crate) fn not_run(attack: &str, why: &str) {
    print(&json!({ "attack": attack, "notRun": why }).to_string());
}

/// Shows one case that a row counts, so that it can be seen again.
#[expect(clippy::print_stderr, reason = "a person reads it beside the rows")]
pub(crate) fn note(case: &str) {
    eprintln!("counted: {case}");
}

#[expect(clippy::print_stdout, reason = "this is what the program is started for")]
fn print(line: &str) {
    println!("{line}");
}
