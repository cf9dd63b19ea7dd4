//! What is measured: ours, beside something else, in the same round.

use std::time::Duration;

use anyhow::Result;
use serde::Serialize;

/// One measurement of one round, printed as a line of JSON.
///
/// Whoever collects the lines takes the medians: the ratio's is that of the rounds' ratios.
#[derive(Debug, Serialize)]
pub(crate) struct Measurement<'a> {
    /// What was done.
    pub(crate) what: &'a str,
    /// What a figure is.
    pub(crate) unit: Unit,
    /// What was aimed at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) goal: Option<Goal>,
    /// Who did it, and what it took.
    pub(crate) ours: Figure<'a>,
    /// Who else did it, in the same round.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) beside: Option<Figure<'a>>,
}

/// What a figure is.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Unit {
    /// A time in nanoseconds.
    Nanoseconds,
    /// How often in a second.
    Rate,
    /// An amount of memory.
    Bytes,
    /// How many.
    Count,
}

/// What was aimed at.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Goal {
    /// Ours, divided by the other figure, at most.
    RatioAtMost(f64),
    /// Ours, divided by the other figure, at least.
    RatioAtLeast(f64),
    /// Ours, divided by the other figure, so far from 1 at most.
    RatioWithin(f64),
    /// Ours alone, at most.
    AtMost(f64),
}

/// Somebody's figure.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Figure<'a> {
    /// Whose.
    pub(crate) name: &'a str,
    /// The figure.
    pub(crate) value: f64,
}

impl Measurement<'_> {
    /// Hands the measurement to whoever started the bench.
    #[expect(clippy::print_stdout, reason = "this is what the bench is started for")]
    pub(crate) fn print(&self) -> Result<()> {
        println!("{}", serde_json::to_string(self)?);
        Ok(())
    }
}

/// Measures both sides: the other one first in every second round, so that neither always
/// finds the machine as the other left it.
pub(crate) fn both<T>(
    round: u32,
    ours: impl FnOnce() -> Result<T>,
    other: impl FnOnce() -> Result<T>,
) -> Result<(T, T)> {
    if round.is_multiple_of(2) {
        let other = other()?;
        Ok((ours()?, other))
    } else {
        Ok((ours()?, other()?))
    }
}

/// What `count` took together, for each.
pub(crate) fn each(together: Duration, count: u64) -> f64 {
    together.as_nanos() as f64 / count as f64
}
