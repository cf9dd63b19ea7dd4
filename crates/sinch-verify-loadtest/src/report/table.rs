use std::fmt::Write as _;

use comfy_table::{CellAlignment, Table, presets};

use super::{Report, Times};

/// The report as plain text.
pub(super) fn render(report: &Report) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write(report, &mut text);
    text
}

fn write(report: &Report, out: &mut String) -> std::fmt::Result {
    writeln!(
        out,
        "{}: {} users for {:.1} s on {} against {}",
        report.scenario, report.users, report.seconds, report.transport, report.target
    )?;
    writeln!(out, "model {}", report.model)?;
    let totals = &report.totals;
    writeln!(
        out,
        "flows    {} started, {} succeeded, {} failed, {} aborted at the end, {:.1}/s",
        totals.started, totals.succeeded, totals.failed, totals.aborted, totals.flows_per_second
    )?;
    writeln!(
        out,
        "requests {} sent, {:.1}/s",
        totals.requests, totals.requests_per_second
    )?;
    if !report.flows.is_empty() {
        writeln!(out, "\n{}", plain(latencies(report), 2))?;
    }
    if totals.failed > 0 {
        writeln!(out, "\n{}", plain(failures(report), 1))?;
    }
    write!(out, "\nverdict: {}", report.verdict.result)?;
    for (index, reason) in report.verdict.reasons.iter().enumerate() {
        write!(out, "{} {reason}", if index == 0 { ":" } else { "," })?;
    }
    writeln!(out)
}

fn latencies(report: &Report) -> Table {
    let mut table = Table::new();
    table.set_header(["flow", "ms", "count", "p50", "p95", "p99", "max"]);
    let mut row = |flow: &str, name: &str, times: &Times| {
        let ms = |micros: u64| format!("{:.2}", micros as f64 / 1000.0);
        table.add_row([
            flow.to_owned(),
            name.to_owned(),
            times.count.to_string(),
            ms(times.p50),
            ms(times.p95),
            ms(times.p99),
            ms(times.max),
        ]);
    };
    for part in &report.flows {
        for (index, step) in part.steps.iter().enumerate() {
            let flow = if index == 0 { part.flow.as_str() } else { "" };
            row(flow, step.step.as_str(), &step.times);
        }
    }
    table
}

fn failures(report: &Report) -> Table {
    let mut table = Table::new();
    table.set_header(["failures", "count", "flow", "the first of them"]);
    for part in &report.flows {
        for failure in &part.failures {
            table.add_row([
                failure.kind.to_string(),
                failure.count.to_string(),
                part.flow.to_string(),
                failure.example.clone(),
            ]);
        }
    }
    table
}

/// The table without lines; numbers, from column `first` on, to the right.
fn plain(mut table: Table, first: usize) -> String {
    table.load_style(presets::NOTHING);
    let numbers = if first == 1 { first..first + 1 } else { first..7 };
    for index in numbers {
        if let Some(column) = table.column_mut(index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.trim_fmt()
}
