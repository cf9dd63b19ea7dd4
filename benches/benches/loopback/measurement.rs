//! Measurements of ours and of another program, in the same round.

use std::time::Duration;

use anyhow::Result;
use serde::Serialize;
use serde_json::{Value, json};

/// The figure of a program that is not installed. It is `null` in JSON, and the page says "not run".
pub(crate) const NOT_RUN: f64 = f64::NAN;

/// One measurement of one round, printed as a line of JSON.
///
/// `cargo xtask bench` computes the medians over all rounds. The median ratio is that of the ratios of
/// the rounds.
#[derive(Debug, Serialize)]
pub(crate) struct Measurement<'a> {
    /// What was measured.
    pub(crate) what: &'a str,
    /// The unit of the figures.
    pub(crate) unit: Unit,
    /// The goal, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) goal: Option<Goal>,
    /// Our program, and its figure.
    pub(crate) ours: Figure<'a>,
    /// The other program, and its figure in the same round.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) beside: Option<Figure<'a>>,
}

/// The unit of a figure.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Unit {
    /// A duration in nanoseconds.
    Nanoseconds,
    /// A number in a second.
    Rate,
    /// An amount of memory.
    Bytes,
}

/// A goal.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Goal {
    /// The largest accepted ratio of our figure to the other.
    RatioAtMost(f64),
    /// The smallest accepted ratio of our figure to the other.
    RatioAtLeast(f64),
    /// The largest accepted distance from 1 of the ratio of our figure to the other.
    RatioWithin(f64),
    /// The largest accepted value of our figure.
    AtMost(f64),
    /// The largest accepted exponent of our figure, as a power of the size.
    ExponentAtMost(f64),
}

/// The figure of one program.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Figure<'a> {
    /// The name of the program.
    pub(crate) name: &'a str,
    /// The figure.
    pub(crate) value: f64,
}

impl<'a> Measurement<'a> {
    /// Our figure alone, without a goal.
    pub(crate) fn new(what: &'a str, unit: Unit, name: &'a str, value: f64) -> Self {
        Self {
            what,
            unit,
            goal: None,
            ours: Figure { name, value },
            beside: None,
        }
    }

    /// The same beside another program.
    pub(crate) fn beside(self, name: &'a str, value: f64) -> Self {
        let beside = Some(Figure { name, value });
        Self { beside, ..self }
    }

    /// The same with a goal.
    pub(crate) fn goal(self, goal: Goal) -> Self {
        let goal = Some(goal);
        Self { goal, ..self }
    }

    /// Prints the measurement for `cargo xtask bench`.
    pub(crate) fn print(&self) -> Result<()> {
        print(&serde_json::to_value(self)?);
        Ok(())
    }

    /// Prints a figure of a row that shows how the figure grows with the number of `units`.
    pub(crate) fn print_at(&self, units: &str, number: u64) -> Result<()> {
        let mut line = serde_json::to_value(self)?;
        line["at"] = json!({ "name": units, "value": number });
        print(&line);
        Ok(())
    }
}

#[expect(clippy::print_stdout, reason = "this is what the bench is started for")]
fn print(line: &Value) {
    println!("{line}");
}

/// Measures both sides. The other side is first in every second round, so that the order has no effect on
/// the medians.
pub(crate) fn both<T, U>(
    round: u32,
    ours: impl FnOnce() -> Result<T>,
    other: impl FnOnce() -> Result<U>,
) -> Result<(T, U)> {
    if round.is_multiple_of(2) {
        let other = other()?;
        Ok((ours()?, other))
    } else {
        Ok((ours()?, other()?))
    }
}

/// The average of the time of `count` operations.
pub(crate) fn each(together: Duration, count: u64) -> f64 {
    together.as_nanos() as f64 / count as f64
}
