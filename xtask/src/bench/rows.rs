//! The rows of the page, from criterion and from `loopback`.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

/// A row of the page: our figures, and those of the compared program.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Row {
    /// What was measured, and by which program.
    pub(crate) what: String,
    pub(crate) unit: Unit,
    /// Our figure of each round.
    pub(crate) ours: Vec<f64>,
    /// The compared program, and its figures of the same rounds.
    pub(crate) beside: Option<(String, Vec<f64>)>,
    /// Whether the ratio is a speed-up (their time divided by ours) and not a share (ours by theirs).
    pub(crate) times_as_fast: bool,
    pub(crate) goal: Option<Goal>,
}

/// The unit of a figure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Unit {
    Nanoseconds,
    /// A number in a second.
    Rate,
    Bytes,
    Count,
}

/// A goal.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Goal {
    /// The ratio of the figures.
    RatioAtMost(f64),
    /// The same.
    RatioAtLeast(f64),
    /// How far the ratio is from 1.
    RatioWithin(f64),
    /// Our figure alone.
    AtMost(f64),
}

impl Row {
    /// The ratio of each round. Empty if there is no compared program.
    pub(crate) fn ratios(&self) -> Vec<f64> {
        let beside = self.beside.iter().flat_map(|(_, figures)| figures);
        let rounds = self.ours.iter().zip(beside);
        rounds
            .map(|(ours, other)| {
                if self.times_as_fast {
                    other / ours
                } else {
                    ours / other
                }
            })
            .collect()
    }

    /// Whether the medians meet the goal, if there is one.
    pub(crate) fn met(&self) -> Option<bool> {
        Some(match self.goal? {
            Goal::RatioAtMost(goal) => median(&self.ratios()) <= goal,
            Goal::RatioAtLeast(goal) => median(&self.ratios()) >= goal,
            Goal::RatioWithin(goal) => (median(&self.ratios()) - 1.0).abs() <= goal,
            Goal::AtMost(goal) => median(&self.ours) <= goal,
        })
    }
}

/// The median of the figures; 0 if there are none.
pub(crate) fn median(figures: &[f64]) -> f64 {
    let mut figures = figures.to_vec();
    figures.sort_by(f64::total_cmp);
    let middle = figures.len() / 2;
    match figures.len() {
        0 => 0.0,
        len if len % 2 == 1 => figures[middle],
        _ => f64::midpoint(figures[middle - 1], figures[middle]),
    }
}

/// Reads the rows of a program that prints each measurement of each round as a line of JSON. They are in the
/// order of their first lines.
pub(crate) fn read(printed: &str) -> Result<Vec<Row>> {
    let mut rows: Vec<Row> = Vec::new();
    let mut places = BTreeMap::new();
    for line in printed.lines() {
        let measured = one(line).with_context(|| format!("the bench printed `{line}`"))?;
        let beside = measured.beside.as_ref().map(|(name, _)| name.clone());
        let place = *places
            .entry((measured.what.clone(), beside))
            .or_insert(rows.len());
        match rows.get_mut(place) {
            Some(row) => {
                row.ours.extend(measured.ours);
                if let (Some((_, figures)), Some((_, more))) = (&mut row.beside, measured.beside) {
                    figures.extend(more);
                }
            }
            None => rows.push(measured),
        }
    }
    Ok(rows)
}

/// One measurement of one round.
fn one(line: &str) -> Result<Row> {
    let line: Value = serde_json::from_str(line)?;
    let text = |value: &Value, what: &str| {
        value
            .as_str()
            .map(str::to_owned)
            .with_context(|| format!("no {what}"))
    };
    let figure = |value: &Value| -> Result<(String, Vec<f64>)> {
        let figure = value["value"].as_f64().context("no figure")?;
        Ok((text(&value["name"], "name")?, vec![figure]))
    };
    let (name, ours) = figure(&line["ours"])?;
    let goal = |kind: &str| line["goal"][kind].as_f64();
    Ok(Row {
        what: format!("{}: {name}", text(&line["what"], "description")?),
        unit: match line["unit"].as_str() {
            Some("nanoseconds") => Unit::Nanoseconds,
            Some("rate") => Unit::Rate,
            Some("bytes") => Unit::Bytes,
            Some("count") => Unit::Count,
            _ => bail!("no unit that is known"),
        },
        ours,
        beside: line.get("beside").map(figure).transpose()?,
        times_as_fast: false,
        goal: goal("ratio-at-most")
            .map(Goal::RatioAtMost)
            .or_else(|| goal("ratio-at-least").map(Goal::RatioAtLeast))
            .or_else(|| goal("ratio-within").map(Goal::RatioWithin))
            .or_else(|| goal("at-most").map(Goal::AtMost)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_one_row_become_one_row() {
        let line = |ours: f64, other: f64| {
            format!(
                r#"{{"what":"a flow","unit":"rate","goal":{{"ratio-at-least":2.0}},"ours":{{"name":"ours","value":{ours}}},"beside":{{"name":"theirs","value":{other}}}}}"#
            )
        };
        let alone =
            r#"{"what":"memory","unit":"bytes","goal":{"at-most":64},"ours":{"name":"store","value":65}}"#;
        let printed = [
            line(30.0, 10.0),
            alone.to_owned(),
            line(10.0, 10.0),
            line(25.0, 10.0),
        ]
        .join("\n");
        let rows = read(&printed).unwrap();
        assert_eq!(rows.len(), 2);
        assert_eq!(rows[0].what, "a flow: ours");
        assert_eq!(rows[0].ratios(), [3.0, 1.0, 2.5]);
        assert_eq!(rows[0].met(), Some(true));
        assert_eq!(rows[1].met(), Some(false), "65 bytes are more than 64");
        assert!(rows[1].ratios().is_empty());
    }

    #[test]
    fn what_is_no_measurement_is_named() {
        let error = read("warming up").unwrap_err().to_string();
        assert!(error.contains("warming up"), "{error}");
    }

    #[test]
    fn a_median_of_an_even_number_is_between() {
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), 2.5);
        assert_eq!(median(&[]), 0.0);
    }
}
