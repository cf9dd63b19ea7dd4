//! Writes the section of an area as Markdown.

use std::fmt::Write as _;

use super::rows::{Goal, Row, Unit, median};
use crate::page::Stamp;

/// A page without sections.
pub(crate) const EMPTY: &str = "# Performance\n\n\
`cargo xtask bench AREA` measures an area and writes its section here; nothing on this page is typed by hand.\n\
Figures move with the machine: the ratios are what counts, each measured in one run on one machine, round by round.\n\
A floor is the same work through the raw crates, so no ratio to it can be below 1 but for noise.\n";

/// The section of an area.
pub(crate) fn section(area: &str, rows: &[Row], rounds: u32) -> String {
    let mut text = format!(
        "## {}{}\n\nMeasured {}; medians of {rounds} rounds, and the lowest and the highest ratio.\n\n\
         | what | ours | beside | its figure | ratio | goal | met |\n|---|---|---|---|---|---|---|\n",
        area[..1].to_uppercase(),
        &area[1..],
        Stamp::now(),
    );
    for row in rows {
        let _ = writeln!(text, "{}", line(row));
    }
    text.replace("(.*)", "(.\\*)")
}

/// A row as a line of the table.
fn line(row: &Row) -> String {
    let figure = |figures: &[f64]| shown(row.unit, median(figures));
    let (name, other) = match &row.beside {
        Some((name, figures)) => (name.as_str(), figure(figures)),
        None => ("", String::new()),
    };
    let ratios = row.ratios();
    let ratio = if ratios.is_empty() {
        String::new()
    } else {
        let low = ratios.iter().copied().fold(f64::INFINITY, f64::min);
        let high = ratios.iter().copied().fold(0.0, f64::max);
        let times = if row.times_as_fast { " times as fast" } else { "" };
        format!(
            "{}{times} ({}-{})",
            digits(median(&ratios)),
            digits(low),
            digits(high)
        )
    };
    let goal = match row.goal {
        None => String::new(),
        Some(Goal::RatioAtMost(goal)) => format!("<= {}", digits(goal)),
        Some(Goal::RatioAtLeast(goal)) => format!(">= {}", digits(goal)),
        Some(Goal::RatioWithin(goal)) => format!("{} to {}", digits(1.0 - goal), digits(1.0 + goal)),
        Some(Goal::AtMost(goal)) => format!("<= {}", shown(row.unit, goal)),
    };
    let met = match row.met() {
        None => "",
        Some(true) => "yes",
        Some(false) => "no",
    };
    let ours = figure(&row.ours);
    format!(
        "| {} | {ours} | {name} | {other} | {ratio} | {goal} | {met} |",
        row.what
    )
}

/// A ratio, with a suitable number of digits.
fn digits(ratio: f64) -> String {
    match ratio {
        r if (0.99..0.9999).contains(&r) => format!("{r:.4}"),
        r if r < 10.0 => format!("{r:.2}"),
        r => format!("{r:.1}"),
    }
}

/// A figure in a suitable unit.
pub(crate) fn shown(unit: Unit, figure: f64) -> String {
    let steps: &[(f64, &str)] = match unit {
        Unit::Nanoseconds => &[(1e9, "s"), (1e6, "ms"), (1e3, "µs")],
        Unit::Rate => &[(1e6, "M/s"), (1e3, "k/s")],
        Unit::Count => &[],
        Unit::Bytes => &[(1e9, "GB"), (1e6, "MB"), (1e3, "kB")],
    };
    match steps.iter().find(|(step, _)| figure >= *step) {
        Some((step, name)) => format!("{:.2} {name}", figure / step),
        None => match unit {
            Unit::Nanoseconds => format!("{figure:.0} ns"),
            Unit::Rate => format!("{figure:.0}/s"),
            Unit::Bytes => format!("{figure:.0} bytes"),
            Unit::Count => format!("{figure:.0}"),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_the_unit_that_suits_them() {
        assert_eq!(
            [12.3, 1234.0, 2_500_000.0].map(|time| shown(Unit::Nanoseconds, time)),
            ["12 ns", "1.23 µs", "2.50 ms"]
        );
        assert_eq!(
            [800.0, 21_500.0, 1_100_000.0].map(|rate| shown(Unit::Rate, rate)),
            ["800/s", "21.50 k/s", "1.10 M/s"]
        );
        assert_eq!(
            [44.0, 1e9].map(|bytes| shown(Unit::Bytes, bytes)),
            ["44 bytes", "1.00 GB"]
        );
    }

    #[test]
    fn a_line_says_what_stands_beside_and_whether_it_is_enough() {
        let row = Row {
            what: "a status query: ours".to_owned(),
            unit: Unit::Nanoseconds,
            ours: vec![1100.0, 1000.0, 1300.0],
            beside: Some(("by hand".to_owned(), vec![1000.0, 1000.0, 1000.0])),
            times_as_fast: false,
            goal: Some(Goal::RatioAtMost(1.15)),
        };
        assert_eq!(
            line(&row),
            "| a status query: ours | 1.10 µs | by hand | 1.00 µs | 1.10 (1.00-1.30) | <= 1.15 | yes |"
        );
        let alone = Row {
            beside: None,
            goal: Some(Goal::AtMost(1000.0)),
            ..row
        };
        assert_eq!(
            line(&alone),
            "| a status query: ours | 1.10 µs |  |  |  | <= 1.00 µs | no |"
        );
    }
}
