//! The page with the figures: one section for each area, each replaced by its
//! own run and by nothing else.

use std::fmt::Write as _;
use std::process::Command;

use super::lines::{Goal, Row, Unit, median};

/// A page without sections.
pub(crate) const EMPTY: &str = "# Performance\n\n\
`cargo xtask bench AREA` measures an area and writes its section here; nothing on this page is typed by hand.\n\
Figures move with the machine: the ratios are what counts, each measured in one run on one machine, round by round.\n\
A floor is the same work through the raw crates, so no ratio to it can be below 1 but for noise.\n";

/// Where and when the figures were measured.
#[derive(Debug)]
pub(crate) struct Stamp {
    day: String,
    commit: String,
    rust: String,
    machine: String,
    rounds: u32,
}

impl Stamp {
    /// Here and now; what cannot be found out is left unsaid.
    pub(crate) fn now(rounds: u32) -> Self {
        let said = |program: &str, args: &[&str]| {
            let output = Command::new(program)
                .args(args)
                .output()
                .ok()
                .filter(|output| output.status.success());
            output.map_or_else(
                || "unknown".to_owned(),
                |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
            )
        };
        let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = cpu
            .lines()
            .find_map(|line| line.strip_prefix("model name"))
            .unwrap_or("unknown processor");
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self {
            day: said("date", &["-u", "+%Y-%m-%d"]),
            commit: said("git", &["rev-parse", "--short", "HEAD"]),
            rust: said("rustc", &["--version"]),
            machine: format!("{}, {cores} cores", model.trim_start_matches([' ', '\t', ':'])),
            rounds,
        }
    }
}

/// The section of an area.
pub(crate) fn section(area: &str, rows: &[Row], stamp: &Stamp) -> String {
    let mut text = format!(
        "## {}{}\n\nMeasured {} at {} with {}, on {}; medians of {} rounds, and the lowest and the highest ratio.\n\n\
         | what | ours | beside | its figure | ratio | goal | met |\n|---|---|---|---|---|---|---|\n",
        area[..1].to_uppercase(),
        &area[1..],
        stamp.day,
        stamp.commit,
        stamp.rust,
        stamp.machine,
        stamp.rounds
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

/// A ratio, as exactly as it is worth.
fn digits(ratio: f64) -> String {
    match ratio {
        r if (0.99..0.9999).contains(&r) => format!("{r:.4}"),
        r if r < 10.0 => format!("{r:.2}"),
        r => format!("{r:.1}"),
    }
}

/// The page with the section of `area` in place of the one it had.
pub(crate) fn replace(page: &str, area: &str, section: &str) -> String {
    let title = section.lines().next().unwrap_or_default();
    let mut parts: Vec<String> = Vec::new();
    for line in page.lines() {
        if parts.is_empty() || line.starts_with("## ") {
            parts.push(String::new());
        }
        if let Some(part) = parts.last_mut() {
            part.push_str(line);
            part.push('\n');
        }
    }
    let section = format!("{}\n", section.trim_end());
    debug_assert!(
        title.to_lowercase().ends_with(area),
        "a section starts with its area"
    );
    match parts.iter_mut().find(|part| part.lines().next() == Some(title)) {
        Some(part) => *part = section,
        None => parts.push(section),
    }
    parts
        .iter()
        .map(|part| part.trim_end())
        .collect::<Vec<_>>()
        .join("\n\n")
        + "\n"
}

/// A figure in the unit that suits it.
fn shown(unit: Unit, figure: f64) -> String {
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
    fn a_run_replaces_its_own_section_only() {
        let page = replace(EMPTY, "client", "## Client\n\nold\n");
        let page = replace(&page, "protocol", "## Protocol\n\nfirst\n");
        let page = replace(&page, "client", "## Client\n\nnew\n");
        assert!(page.starts_with("# Performance\n"));
        assert!(
            page.ends_with("## Client\n\nnew\n\n## Protocol\n\nfirst\n"),
            "{page}"
        );
        assert!(!page.contains("old"));
    }

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
