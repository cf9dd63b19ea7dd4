//! `sinch-verify-load`: load on the whole verification flow, and a verdict.
#![forbid(unsafe_code)]

mod args;
mod progress;

use std::fs;
use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::Parser as _;
use sinch_verify_loadtest::verdict::Exit;
use sinch_verify_loadtest::{Alarm, Report, Run, RunError};

use args::{Args, Command, RunArgs};

/// How much longer than planned a run may take before it counts as stuck.
const STUCK: Duration = Duration::from_secs(60);

fn main() -> ExitCode {
    let Command::Run(args) = Args::parse().command;
    match run(&args) {
        Ok(exit) => exit.into(),
        Err(error) => {
            say(&format!("sinch-verify-load: failed to {error:#}"));
            let exit = error.downcast_ref().map_or(Exit::Invalid, RunError::exit);
            exit.into()
        }
    }
}

fn run(args: &RunArgs) -> Result<Exit> {
    let options = match args.options() {
        Ok(options) => options,
        Err(problem) => {
            say(&format!("sinch-verify-load: {problem}"));
            return Ok(Exit::Usage);
        }
    };
    let run = Run::prepare(options)?;
    say(&format!(
        "{}: {} users for {:?} against {}",
        args.load.scenario,
        args.load.users,
        args.load.duration,
        run.target_name()
    ));
    let _watchdog = Alarm::after(args.load.duration.saturating_add(STUCK), || {
        say("sinch-verify-load: the run is stuck; its figures are worth nothing");
        std::process::exit(Exit::Invalid.code().into());
    })
    .context("start the thread that watches over the run")?;
    let progress = progress::show(run.board());
    let done = run.execute();
    drop(progress);
    let (report, verdict) = done?;
    write(args, &report)?;
    Ok(verdict.exit)
}

/// The table on stdout, the JSON where it was asked for. Only one of them can have stdout.
fn write(args: &RunArgs, report: &Report) -> Result<()> {
    let Some(file) = &args.output.json else {
        return print(&report.table());
    };
    let mut json = report.to_json().context("write the report as JSON")?;
    json.push('\n');
    if file.as_os_str() == "-" {
        say(report.table().trim_end());
        return print(&json);
    }
    print(&report.table())?;
    fs::write(file, json).with_context(|| format!("write {}", file.display()))
}

fn print(text: &str) -> Result<()> {
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
fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
