use std::fmt::Write as _;

use comfy_table::{CellAlignment, Table, presets};

use crate::measure::{Interval, Latency};
use crate::runfile::RunFile;

/// A run as plain text, ending in a line break.
#[must_use]
pub fn table(file: &RunFile) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write(file, &mut text);
    text
}

fn write(file: &RunFile, out: &mut String) -> std::fmt::Result {
    let (setup, counters) = (&file.setup, &file.counters);
    writeln!(
        out,
        "{}: {} for {:.1} s on {} against {}",
        setup.scenario, setup.load, setup.duration_seconds, setup.transport, setup.target
    )?;
    writeln!(out, "model {}", setup.load.label())?;
    writeln!(
        out,
        "flows    {} due, {} started, {} finished, {} failed, {} cut off at the end",
        counters.scheduled, counters.started, counters.finished, counters.failed, counters.aborted
    )?;
    writeln!(
        out,
        "         {} not started because every user was busy, {} started more than 5 ms late",
        counters.dropped, counters.late
    )?;
    writeln!(
        out,
        "callbacks {}, {} of them repeated, {} of other runs, {} refused",
        counters.callbacks, counters.duplicates, counters.orphans, counters.refused
    )?;
    if file.warm_up.scheduled > 0 {
        let (flows, seconds) = (file.warm_up.scheduled, setup.warm_up_seconds);
        writeln!(
            out,
            "warm-up  {flows} flows due in the first {seconds:.1} s are in no figure"
        )?;
    }
    if file.flows.flows().next().is_some() {
        writeln!(out, "\n{}", plain(latencies(file), 2))?;
    }
    if counters.failed > 0 {
        writeln!(out, "\n{}", plain(failures(file), 1))?;
    }
    if let Some(verdict) = &file.verdict {
        write!(out, "\nverdict: {}", verdict.exit)?;
        for (index, reason) in verdict.reasons.iter().enumerate() {
            write!(out, "{} {reason}", if index == 0 { ":" } else { "," })?;
        }
        writeln!(out)?;
    }
    Ok(())
}

fn latencies(file: &RunFile) -> Table {
    let mut table = Table::new();
    table.set_header(["flow", "ms", "count", "p50", "p95", "p99", "max"]);
    let mut row = |flow: &str, interval: Interval, latency: &Latency| {
        let ms = |time: std::time::Duration| format!("{:.2}", time.as_secs_f64() * 1000.0);
        table.add_row([
            flow.to_owned(),
            interval.to_string(),
            latency.count().to_string(),
            ms(latency.percentile(50.0)),
            ms(latency.percentile(95.0)),
            ms(latency.percentile(99.0)),
            ms(latency.max()),
        ]);
    };
    for (flow, tally) in file.flows.flows() {
        for (index, (interval, latency)) in tally.times.iter().enumerate() {
            let name = if index == 0 { flow.as_str() } else { "" };
            row(name, *interval, latency);
        }
    }
    table
}

fn failures(file: &RunFile) -> Table {
    let mut table = Table::new();
    table.set_header(["failures", "count", "flow", "the first of them"]);
    for (flow, tally) in file.flows.flows() {
        for (kind, failures) in &tally.failures {
            table.add_row([
                kind.to_string(),
                failures.count.to_string(),
                flow.to_string(),
                failures.example.clone(),
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
