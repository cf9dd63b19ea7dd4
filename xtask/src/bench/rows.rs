//! The rows of the page, from criterion and from `loopback`.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

/// A row of the page: our figures, and those of the compared program or of each size.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Row {
    /// What was measured, and by which program.
    pub(crate) what: String,
    pub(crate) unit: Unit,
    /// Our figure of each round. Empty if the figures are in `growth`.
    pub(crate) ours: Vec<f64>,
    /// The compared program, and its figures of the same rounds. No figures if it was not installed.
    pub(crate) beside: Option<(String, Vec<f64>)>,
    /// Whether the ratio is a speed-up (their time divided by ours) and not a share (ours by theirs).
    pub(crate) times_as_fast: bool,
    pub(crate) goal: Option<Goal>,
    pub(crate) growth: Option<Growth>,
}

/// How a figure grows with a number.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Growth {
    /// What the number counts.
    pub(crate) units: String,
    /// Our figure of each round, by the number.
    pub(crate) figures: BTreeMap<u64, Vec<f64>>,
}

/// The unit of a figure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Unit {
    Nanoseconds,
    /// A number in a second.
    Rate,
    Bytes,
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
    /// The exponent of our figure, as a power of the number.
    ExponentAtMost(f64),
}

/// Whether a goal is met.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Verdict {
    Met,
    Missed,
    /// The rounds are further apart than their median is from the goal.
    NotDecided,
    /// The compared program is missing.
    NotRun,
}

impl Row {
    /// What the row is about, by round: the ratio, or the exponent of the growth. Empty if nothing is compared.
    pub(crate) fn compared(&self) -> Vec<f64> {
        if let Some(growth) = &self.growth {
            return growth.exponents();
        }
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

    /// Whether the goal is met, if there is one.
    pub(crate) fn verdict(&self) -> Option<Verdict> {
        let goal = self.goal?;
        let figures = match goal {
            Goal::AtMost(_) => self.ours.clone(),
            _ => self.compared(),
        };
        if figures.is_empty() {
            return Some(Verdict::NotRun);
        }
        let median = median(&figures);
        // How far inside the goal the median is.
        let margin = match goal {
            Goal::RatioAtMost(goal) | Goal::AtMost(goal) | Goal::ExponentAtMost(goal) => goal - median,
            Goal::RatioAtLeast(goal) => median - goal,
            Goal::RatioWithin(goal) => goal - (median - 1.0).abs(),
        };
        let (lowest, highest) = ends(&figures);
        Some(if highest - lowest > margin.abs() {
            Verdict::NotDecided
        } else if margin >= 0.0 {
            Verdict::Met
        } else {
            Verdict::Missed
        })
    }
}

impl Growth {
    /// The exponent of each round: the slope of the line of least squares through the logarithms.
    fn exponents(&self) -> Vec<f64> {
        let rounds = self.figures.values().map(Vec::len).min().unwrap_or(0);
        let slope = |round: usize| {
            let points = self.figures.iter();
            let points: Vec<(f64, f64)> = points
                .map(|(number, figures)| ((*number as f64).ln(), figures[round].ln()))
                .collect();
            let middle =
                |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / points.len() as f64;
            let (x, y) = (middle(|point| point.0), middle(|point| point.1));
            let (mut joint, mut alone) = (0.0, 0.0);
            for point in &points {
                joint += (point.0 - x) * (point.1 - y);
                alone += (point.0 - x) * (point.0 - x);
            }
            joint / alone
        };
        (0..rounds).map(slope).collect()
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

/// The lowest and the highest figure.
pub(crate) fn ends(figures: &[f64]) -> (f64, f64) {
    let low = figures.iter().copied().fold(f64::INFINITY, f64::min);
    let high = figures.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    (low, high)
}

/// Reads the rows of lines of JSON, each with a measurement of one round. They are in the order of their
/// first lines.
pub(crate) fn read(lines: &[String]) -> Result<Vec<Row>> {
    let mut rows: Vec<Row> = Vec::new();
    let mut places = BTreeMap::new();
    for line in lines {
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
                if let (Some(growth), Some(more)) = (&mut row.growth, measured.growth) {
                    for (number, figures) in more.figures {
                        growth.figures.entry(number).or_default().extend(figures);
                    }
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
    let ours = &line["ours"];
    let figure = ours["value"].as_f64().context("no figure")?;
    let beside = match line.get("beside") {
        // A missing program has no figure.
        Some(beside) => Some((
            text(&beside["name"], "name")?,
            beside["value"].as_f64().into_iter().collect(),
        )),
        None => None,
    };
    let growth = match line.get("at") {
        Some(at) => Some(Growth {
            units: text(&at["name"], "name")?,
            figures: BTreeMap::from([(at["value"].as_u64().context("no number")?, vec![figure])]),
        }),
        None => None,
    };
    let goal = |kind: &str| line["goal"][kind].as_f64();
    Ok(Row {
        what: format!(
            "{}: {}",
            text(&line["what"], "description")?,
            text(&ours["name"], "name")?
        ),
        unit: match line["unit"].as_str() {
            Some("nanoseconds") => Unit::Nanoseconds,
            Some("rate") => Unit::Rate,
            Some("bytes") => Unit::Bytes,
            _ => bail!("no unit that is known"),
        },
        ours: if growth.is_none() {
            vec![figure]
        } else {
            Vec::new()
        },
        beside,
        times_as_fast: line["times-as-fast"].as_bool().unwrap_or(false),
        goal: goal("ratio-at-most")
            .map(Goal::RatioAtMost)
            .or_else(|| goal("ratio-at-least").map(Goal::RatioAtLeast))
            .or_else(|| goal("ratio-within").map(Goal::RatioWithin))
            .or_else(|| goal("at-most").map(Goal::AtMost))
            .or_else(|| goal("exponent-at-most").map(Goal::ExponentAtMost)),
        growth,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A line of JSON; the other figure may be `null`.
    fn line(ours: f64, other: &str) -> String {
        format!(
            r#"{{"what":"a flow","unit":"rate","goal":{{"ratio-at-least":2.0}},"ours":{{"name":"ours","value":{ours}}},"beside":{{"name":"theirs","value":{other}}}}}"#
        )
    }

    fn verdict(lines: &[String]) -> Option<Verdict> {
        read(lines).unwrap()[0].verdict()
    }

    #[test]
    fn lines_of_one_row_become_one_row() {
        let alone =
            r#"{"what":"memory","unit":"bytes","goal":{"at-most":64},"ours":{"name":"store","value":65}}"#;
        let lines = [
            line(30.0, "10.0"),
            alone.to_owned(),
            line(25.0, "10.0"),
            line(28.0, "10.0"),
        ];
        let rows = read(&lines).unwrap();
        assert_eq!(rows.len(), 2);
        assert_eq!(rows[0].what, "a flow: ours");
        assert_eq!(rows[0].compared(), [3.0, 2.5, 2.8]);
        assert_eq!(rows[0].verdict(), Some(Verdict::Met));
        assert_eq!(
            rows[1].verdict(),
            Some(Verdict::Missed),
            "65 bytes are more than 64"
        );
        assert!(rows[1].compared().is_empty());
    }

    #[test]
    fn a_spread_wider_than_the_margin_decides_nothing() {
        let median_of_two_and_a_half = |low: f64, high: f64| {
            verdict(&[
                line(25.0, "10.0"),
                line(10.0 * low, "10.0"),
                line(10.0 * high, "10.0"),
            ])
        };
        assert_eq!(median_of_two_and_a_half(2.3, 2.7), Some(Verdict::Met));
        assert_eq!(median_of_two_and_a_half(2.1, 2.9), Some(Verdict::NotDecided));
        let below = [line(12.0, "10.0"), line(13.0, "10.0"), line(14.0, "10.0")];
        assert_eq!(verdict(&below), Some(Verdict::Missed));
    }

    #[test]
    fn a_row_beside_a_missing_program_is_not_run() {
        assert_eq!(verdict(&[line(30.0, "null")]), Some(Verdict::NotRun));
    }

    #[test]
    fn the_exponent_is_the_slope_of_the_logarithms() {
        let at = |number: u64, value: f64| {
            format!(
                r#"{{"what":"expiry","unit":"nanoseconds","goal":{{"exponent-at-most":1.1}},"ours":{{"name":"ours","value":{value}}},"at":{{"name":"pending","value":{number}}}}}"#
            )
        };
        let lines = [10, 100, 1000].map(|number| at(number, 3.0 * (number * number) as f64));
        let rows = read(&lines).unwrap();
        assert_eq!(rows.len(), 1);
        assert!((rows[0].compared()[0] - 2.0).abs() < 1e-9, "the square");
        assert_eq!(rows[0].verdict(), Some(Verdict::Missed));
    }

    #[test]
    fn what_is_no_measurement_is_named() {
        let error = read(&["warming up".to_owned()]).unwrap_err().to_string();
        assert!(error.contains("warming up"), "{error}");
    }

    #[test]
    fn a_median_of_an_even_number_is_between() {
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), 2.5);
        assert_eq!(median(&[]), 0.0);
    }
}
