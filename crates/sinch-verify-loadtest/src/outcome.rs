//! What a run comes to: judged, written down, told.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use sinch_verify_loadtest::output::Reports;
use sinch_verify_loadtest::runfile::RunFile;
use sinch_verify_loadtest::verdict::{Exit, Thresholds, Verdict};

use crate::args::OutputArgs;

/// Judges the run and writes its reports. A shard is not judged before it is merged with the others.
pub(crate) fn conclude(mut run: RunFile, thresholds: &Thresholds, output: &OutputArgs) -> Result<Exit> {
    let verdict = Verdict::judge(&run, thresholds);
    let exit = match verdict.exit {
        Exit::Stopped | Exit::Unreachable => verdict.exit,
        _ if is_one_shard(&run) => Exit::Pass,
        exit => exit,
    };
    run.verdict = (!is_one_shard(&run)).then_some(verdict);
    write(&run, output)?;
    Ok(exit)
}

fn is_one_shard(run: &RunFile) -> bool {
    run.shards.of > 1 && run.shards.present.len() == 1
}

/// The table on stdout, the JSON where it was asked for. Only one of them can have stdout.
fn write(run: &RunFile, output: &OutputArgs) -> Result<()> {
    let json = run.to_json().context("write the run as JSON")?;
    let reports = Reports::on(run);
    if let Some(directory) = &output.out {
        fs::create_dir_all(directory).with_context(|| format!("create {}", directory.display()))?;
        save(&directory.join("run.json"), &json)?;
        for (name, text) in reports.files() {
            save(&directory.join(name), &text)?;
        }
    }
    let table = reports.table();
    match &output.json {
        Some(file) if file.as_os_str() == "-" => {
            say(table.trim_end());
            print(&json)?;
        }
        Some(file) => {
            print(&table)?;
            save(file, &json)?;
        }
        None => print(&table)?,
    }
    if let Some(directory) = &output.out {
        say(&format!("report: {}", directory.join("report.html").display()));
    }
    Ok(())
}

fn save(file: &Path, text: &str) -> Result<()> {
    fs::write(file, text).with_context(|| format!("write {}", file.display()))
}

/// To standard output.
pub(crate) fn print(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        // Whoever closed the pipe has read enough; the exit code still tells the verdict.
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(error).context("write to standard output")
        }
        _ => Ok(()),
    }
}

/// For people, on stderr.
pub(crate) fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
