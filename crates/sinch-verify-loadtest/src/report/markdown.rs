//! A short text for a comment in a code review.

use std::fmt::{Result, Write as _};

use super::escape::Cell;
use super::{figures, text};
use crate::measure::Interval;
use crate::runfile::RunFile;
use crate::verdict::Exit;

/// How many kinds of failures are listed.
const FAILURES: usize = 5;

pub(super) fn comment(run: &RunFile) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = write(run, &mut out);
    out
}

fn write(run: &RunFile, out: &mut String) -> Result {
    let (word, meaning) = figures::verdict(run);
    let mark = match run.verdict.as_ref().map(|verdict| verdict.exit) {
        Some(Exit::Pass) => "✅",
        Some(Exit::Invalid | Exit::Stopped) | None => "⚠️",
        Some(_) => "❌",
    };
    writeln!(out, "### {mark} Load test: {}\n", word.to_lowercase())?;
    writeln!(out, "{}\n", Cell(figures::headline(run)))?;
    let reasons = run.verdict.as_ref().map_or(&[][..], |verdict| &verdict.reasons);
    if reasons.is_empty() {
        writeln!(out, "{meaning}\n")?;
    } else {
        for reason in reasons {
            writeln!(out, "- {}", Cell(reason))?;
        }
        out.push('\n');
    }
    checks(run, out)?;
    times(run, out)?;
    failures(run, out)
}

fn checks(run: &RunFile, out: &mut String) -> Result {
    let checks = run.verdict.as_ref().map_or(&[][..], |verdict| &verdict.checks);
    if checks.is_empty() {
        return Ok(());
    }
    out.push_str("| | threshold | limit | measured |\n|---|---|---|---:|\n");
    for check in checks {
        writeln!(
            out,
            "| {} | {} | {} | {} |",
            if check.kept { "✅" } else { "❌" },
            Cell(&check.metric),
            Cell(&check.limit),
            Cell(check.measured.as_deref().unwrap_or("nothing"))
        )?;
    }
    out.push('\n');
    Ok(())
}

fn times(run: &RunFile, out: &mut String) -> Result {
    let total = run.flows.total();
    let wanted =
        figures::wanted(run).map_or_else(String::new, |wanted| format!(" of {} wanted", text::rate(wanted)));
    writeln!(
        out,
        "{} flows finished, {} failed, {} dropped; {}{wanted}.\n",
        text::grouped(total.finished()),
        text::grouped(total.failed),
        text::grouped(run.counters.dropped),
        text::rate(figures::per_second(run, total.finished()))
    )?;
    let blocks = figures::blocks(run, &total);
    if blocks.is_empty() {
        return Ok(());
    }
    out.push_str(
        "| end to end, ms | count | p50 | p95 | p99 | p99.9 | max |\n|---|---:|---:|---:|---:|---:|---:|\n",
    );
    for block in blocks {
        let Some(times) = block.tally.time(Interval::EndToEnd) else {
            continue;
        };
        write!(out, "| {} | {} |", block.name, text::grouped(times.count()))?;
        for percent in [50.0, 95.0, 99.0, 99.9] {
            write!(out, " {} |", text::milliseconds(times.percentile(percent)))?;
        }
        writeln!(out, " {} |", text::milliseconds(times.max()))?;
    }
    Ok(())
}

fn failures(run: &RunFile, out: &mut String) -> Result {
    let mut failures: Vec<_> = run.flows.total().failures.into_iter().collect();
    if failures.is_empty() {
        return Ok(());
    }
    failures.sort_by_key(|(_, tally)| std::cmp::Reverse(tally.count));
    out.push_str("\n| failures | count | the first of them |\n|---|---:|---|\n");
    for (kind, tally) in failures.iter().take(FAILURES) {
        writeln!(
            out,
            "| {} | {} | {} |",
            Cell(kind),
            text::grouped(tally.count),
            Cell(&tally.example)
        )?;
    }
    if failures.len() > FAILURES {
        writeln!(out, "\nand {} other kinds.", failures.len() - FAILURES)?;
    }
    Ok(())
}
