//! Writes the page as Markdown.

use std::fmt::Write as _;

use super::figures::{count, exponent, ratio, shown};
use super::results::Results;
use super::rows::{Goal, Row, Verdict, ends, median};

const INTRODUCTION: &str = "# Performance\n\n\
`cargo xtask bench all` measures everything and writes this page; `cargo xtask bench AREA` measures one area.\n\
Figures move with the machine: the ratios are what counts, each measured in one run on one machine, round by round.\n\
A floor is the same work through the raw crates, so no ratio to it can be below 1 but for noise.\n\
\"Not decided\" means that the rounds are further apart than their median is from the goal; \"not run\" means that the other program was missing.\n";

/// Notes that do not come from a run.
const NOTES: &str = include_str!("notes.md");

/// The page: a summary of the rows with a goal, and a section for each area.
pub(super) fn page(results: &[Results]) -> String {
    let measured = |results: &Results| {
        format!(
            "Measured {}; medians of {} rounds, with the lowest and the highest.\n",
            results.stamp, results.rounds
        )
    };
    let mut text = INTRODUCTION.to_owned();
    let first = results.first().map(measured);
    let same = results.iter().all(|results| Some(measured(results)) == first);
    if let Some(first) = first.filter(|_| same) {
        let _ = write!(text, "\n{first}");
    }
    text.push_str("\n## Summary\n\n| what | against | ratio | goal | met |\n|---|---|---|---|---|\n");
    for row in results.iter().flat_map(|results| &results.rows) {
        if let Some(verdict) = row.verdict() {
            let _ = writeln!(text, "{}", summary(row, verdict));
        }
    }
    for results in results {
        let area = results.area;
        let _ = write!(
            text,
            "\n## {}{}\n\n",
            area.name()[..1].to_uppercase(),
            &area.name()[1..]
        );
        if !same {
            let _ = writeln!(text, "{}", measured(results));
        }
        let _ = writeln!(text, "![{0}](performance/{0}.svg)\n", area.name());
        text.push_str(
            "| what | ours | beside | its figure | ratio | goal | met |\n|---|---|---|---|---|---|---|\n",
        );
        for row in &results.rows {
            let _ = writeln!(text, "{}", line(row));
        }
    }
    let _ = write!(text, "\n{NOTES}");
    text.replace("(.*)", "(.\\*)")
}

/// A row with a goal, as a line of the summary.
fn summary(row: &Row, verdict: Verdict) -> String {
    let figures = row.compared();
    let result = match (&row.goal, &row.growth) {
        (Some(Goal::AtMost(_)), _) => shown(row.unit, median(&row.ours)),
        _ if figures.is_empty() => String::new(),
        (_, Some(_)) => exponent(median(&figures)),
        _ => ratio(median(&figures)),
    };
    format!(
        "| {} | {} | {result} | {} | {} |",
        row.what,
        against(row),
        goal(row),
        met(verdict)
    )
}

/// The compared program, or what the figure grows with.
fn against(row: &Row) -> String {
    match (&row.growth, &row.beside) {
        (Some(growth), _) => {
            let number = |number: Option<&u64>| count(number.copied().unwrap_or_default() as f64);
            let (first, last) = (growth.figures.keys().next(), growth.figures.keys().next_back());
            format!("{} to {} {}", number(first), number(last), growth.units)
        }
        (None, Some((name, _))) => name.clone(),
        (None, None) => String::new(),
    }
}

/// A row as a line of the table of its area.
fn line(row: &Row) -> String {
    let figure = |figures: &Vec<f64>| match figures.is_empty() {
        true => "not run".to_owned(),
        false => shown(row.unit, median(figures)),
    };
    let (ours, other) = match (&row.growth, &row.beside) {
        (Some(growth), _) => {
            let mut figures = growth.figures.values().map(figure);
            (
                figures.next().unwrap_or_default(),
                figures.next_back().unwrap_or_default(),
            )
        }
        (None, Some((_, theirs))) => (figure(&row.ours), figure(theirs)),
        (None, None) => (figure(&row.ours), String::new()),
    };
    let figures = row.compared();
    let compared = if figures.is_empty() {
        String::new()
    } else {
        let (low, high) = ends(&figures);
        let times = if row.times_as_fast { " times as fast" } else { "" };
        let shown = if row.growth.is_some() { exponent } else { ratio };
        format!(
            "{}{times} ({} to {})",
            shown(median(&figures)),
            ratio(low),
            ratio(high)
        )
    };
    format!(
        "| {} | {ours} | {} | {other} | {compared} | {} | {} |",
        row.what,
        against(row),
        goal(row),
        row.verdict().map_or("", met)
    )
}

fn goal(row: &Row) -> String {
    match row.goal {
        None => String::new(),
        Some(Goal::RatioAtMost(goal)) => format!("<= {}", ratio(goal)),
        Some(Goal::RatioAtLeast(goal)) => format!(">= {}", ratio(goal)),
        Some(Goal::RatioWithin(goal)) => format!("{} to {}", ratio(1.0 - goal), ratio(1.0 + goal)),
        Some(Goal::AtMost(goal)) => format!("<= {}", shown(row.unit, goal)),
        Some(Goal::ExponentAtMost(goal)) => format!("<= {}", exponent(goal)),
    }
}

fn met(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Met => "yes",
        Verdict::Missed => "no",
        Verdict::NotDecided => "not decided",
        Verdict::NotRun => "not run",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::Area;
    use super::super::rows::{Growth, Unit};
    use super::*;

    fn row() -> Row {
        Row {
            what: "a status query: ours".to_owned(),
            unit: Unit::Nanoseconds,
            ours: vec![1100.0, 1000.0, 1150.0],
            beside: Some(("by hand".to_owned(), vec![1000.0, 1000.0, 1000.0])),
            times_as_fast: false,
            goal: Some(Goal::RatioAtMost(1.30)),
            growth: None,
        }
    }

    #[test]
    fn a_line_has_both_figures_and_whether_the_goal_is_met() {
        assert_eq!(
            line(&row()),
            "| a status query: ours | 1.10 µs | by hand | 1.00 µs | 1.10 (1.00 to 1.15) | <= 1.30 | yes |"
        );
        let alone = Row {
            beside: None,
            goal: Some(Goal::AtMost(500.0)),
            ..row()
        };
        assert_eq!(
            line(&alone),
            "| a status query: ours | 1.10 µs |  |  |  | <= 500 ns | no |"
        );
        let missing = Row {
            beside: Some(("wrk".to_owned(), Vec::new())),
            ..row()
        };
        assert_eq!(
            line(&missing),
            "| a status query: ours | 1.10 µs | wrk | not run |  | <= 1.30 | not run |"
        );
    }

    #[test]
    fn a_growth_shows_both_ends_and_the_exponent() {
        let figures = BTreeMap::from([(1_000, vec![1_000.0]), (1_000_000, vec![1_000_000.0])]);
        let growth = Row {
            ours: Vec::new(),
            beside: None,
            goal: Some(Goal::ExponentAtMost(0.1)),
            growth: Some(Growth {
                units: "readers".to_owned(),
                figures,
            }),
            ..row()
        };
        assert_eq!(
            line(&growth),
            "| a status query: ours | 1.00 µs | 1k to 1M readers | 1.00 ms | n^1.00 (1.00 to 1.00) | <= n^0.10 | no |"
        );
    }

    #[test]
    fn one_run_is_named_once() {
        let results = |stamp: &str, area| Results {
            area,
            stamp: stamp.to_owned(),
            rounds: 5,
            rows: vec![row()],
        };
        let one = page(&[results("today", Area::Client), results("today", Area::Load)]);
        assert_eq!(one.matches("Measured today").count(), 1, "{one}");
        let two = page(&[results("today", Area::Client), results("yesterday", Area::Load)]);
        for stamp in ["Measured today", "Measured yesterday"] {
            assert_eq!(two.matches(stamp).count(), 1, "{two}");
        }
    }
}
