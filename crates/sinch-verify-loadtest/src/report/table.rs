//! The run as plain text, for a terminal.

use std::fmt::{Result, Write as _};

use comfy_table::{CellAlignment, Table, presets};
use sinch_verify_protocol::untrusted::escape;

use super::{figures, text};
use crate::measure::{FlowTally, Interval};
use crate::runfile::RunFile;

pub(super) fn render(run: &RunFile) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = write(run, &mut out);
    out
}

fn write(run: &RunFile, out: &mut String) -> Result {
    let total = run.flows.total();
    let counters = &run.counters;
    writeln!(out, "{}", figures::headline(run))?;
    writeln!(out, "model    {}", run.setup.load.label())?;
    writeln!(
        out,
        "flows    {} started, {} succeeded, {} failed, {} aborted at the end, {}",
        total.started(),
        total.succeeded,
        total.failed,
        total.aborted,
        text::rate(figures::per_second(run, total.finished()))
    )?;
    if let Some(wanted) = figures::wanted(run) {
        writeln!(
            out,
            "schedule {} due, {}, {} dropped, {} late",
            counters.scheduled,
            text::rate(wanted),
            counters.dropped,
            counters.late
        )?;
    }
    if let Some(crowded) = figures::crowded(run) {
        writeln!(out, "users    {crowded}")?;
    }
    writeln!(
        out,
        "requests {} sent, {}",
        total.requests,
        text::rate(figures::per_second(run, total.requests))
    )?;
    if let Some(spending) = &run.spending {
        writeln!(
            out,
            "spent    {} of {} {} for {} verifications",
            spending.spent, spending.limit, spending.currency, spending.started
        )?;
    }
    if total.started() > 0 {
        writeln!(out, "\n{}", plain(latencies(run, &total), 2..8))?;
    }
    if total.failed > 0 {
        writeln!(out, "\n{}", plain(failures(run), 1..2))?;
    }
    let Some(verdict) = &run.verdict else {
        return writeln!(out, "\nnot judged: shard, to be merged with the others");
    };
    if !verdict.checks.is_empty() {
        writeln!(out, "\n{}", plain(checks(run), 2..3))?;
    }
    writeln!(out, "\nverdict: {}", verdict.exit)?;
    for reason in &verdict.reasons {
        writeln!(out, "         {reason}")?;
    }
    Ok(())
}

fn latencies(run: &RunFile, total: &FlowTally) -> Table {
    let mut table = Table::new();
    table.set_header(["flow", "ms", "count", "p50", "p95", "p99", "p99.9", "max"]);
    let blocks = figures::blocks(run, total);
    let first = blocks.first().map_or("", |block| block.name);
    for block in blocks {
        let mut name = block.name;
        // The steps of each flow would be a screenful; the page has them.
        let every = block.name == first;
        let shown = |interval| every || matches!(interval, Interval::EndToEnd | Interval::FailedEndToEnd);
        let times = block.tally.times.iter();
        for (interval, times) in times.filter(|(interval, times)| times.count() > 0 && shown(**interval)) {
            let ms = |percent| text::milliseconds(times.percentile(percent));
            table.add_row([
                name.to_owned(),
                interval.to_string(),
                times.count().to_string(),
                ms(50.0),
                ms(95.0),
                ms(99.0),
                ms(99.9),
                text::milliseconds(times.max()),
            ]);
            name = "";
        }
    }
    table
}

fn failures(run: &RunFile) -> Table {
    let mut table = Table::new();
    table.set_header(["failures", "count", "flow", "the first of them"]);
    for (flow, tally) in run.flows.flows() {
        for (kind, failures) in &tally.failures {
            table.add_row([
                kind.to_string(),
                failures.count.to_string(),
                flow.to_string(),
                escape(&failures.example).into_owned(),
            ]);
        }
    }
    table
}

fn checks(run: &RunFile) -> Table {
    let mut table = Table::new();
    table.set_header(["threshold", "limit", "measured", ""]);
    for check in run.verdict.iter().flat_map(|verdict| &verdict.checks) {
        table.add_row([
            check.metric.as_str(),
            check.limit.as_str(),
            check.measured.as_deref().unwrap_or("nothing"),
            if check.kept { "kept" } else { "MISSED" },
        ]);
    }
    table
}

/// The table without lines; the columns of `numbers` to the right.
fn plain(mut table: Table, numbers: std::ops::Range<usize>) -> String {
    table.load_style(presets::NOTHING);
    for index in numbers {
        if let Some(column) = table.column_mut(index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.trim_fmt()
}
