//! The page with the figures: one section for each area, each replaced by its
//! own run and by nothing else.

use std::fmt::Write as _;
use std::process::Command;

use super::measured::Group;

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
pub(crate) fn section(area: &str, groups: &[Group], stamp: &Stamp) -> String {
    let mut text = format!(
        "## {}{}\n\nMeasured {} at {} with {}, on {}; medians of {} rounds.\n\n\
         | what | median | beside | its median | ratio | goal |\n|---|---|---|---|---|---|\n",
        area[..1].to_uppercase(),
        &area[1..],
        stamp.day,
        stamp.commit,
        stamp.rust,
        stamp.machine,
        stamp.rounds
    );
    for group in groups {
        for ours in &group.ours {
            let (what, median) = (format!("{}: {}", group.name, ours.name), time(ours.median()));
            if let Some(floor) = &group.floor {
                let goal = ours.goal.map_or_else(String::new, |goal| format!("<= {goal}"));
                let ratio = ours.ratio_to(floor);
                let beside = (&floor.name, time(floor.median()));
                let _ = writeln!(
                    text,
                    "| {what} | {median} | floor: {} | {} | {ratio:.2} | {goal} |",
                    beside.0, beside.1
                );
            }
            for rival in &group.rivals {
                let goal = rival.goal.map_or_else(String::new, |goal| format!(">= {goal}"));
                let times = rival.ratio_to(ours);
                let beside = (&rival.name, time(rival.median()));
                let _ = writeln!(
                    text,
                    "| {what} | {median} | {} | {} | {times:.1} times faster | {goal} |",
                    beside.0, beside.1
                );
            }
        }
    }
    text.replace("(.*)", "(.\\*)")
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

/// A time in the unit that suits it.
fn time(nanoseconds: f64) -> String {
    match nanoseconds {
        n if n < 1e3 => format!("{n:.0} ns"),
        n if n < 1e6 => format!("{:.2} µs", n / 1e3),
        n => format!("{:.2} ms", n / 1e6),
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
    fn times_have_the_unit_that_suits_them() {
        assert_eq!(
            [time(12.3), time(1234.0), time(2_500_000.0)],
            ["12 ns", "1.23 µs", "2.50 ms"]
        );
    }
}
