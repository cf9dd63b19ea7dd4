//! `sinch-verify-load`: load on the whole verification flow, and a verdict.
#![forbid(unsafe_code)]

mod args;
mod progress;

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result};
use clap::Parser as _;
use sinch_verify_loadtest::runfile::RunFile;
use sinch_verify_loadtest::verdict::{Exit, Verdict};
use sinch_verify_loadtest::{Alarm, Run, RunError, report};

use args::{Args, Command, OutputArgs, RunArgs};

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
    let wait = options
        .start_at
        .and_then(|at| at.duration_since(SystemTime::now()).ok())
        .unwrap_or_default();
    let longest = wait + options.duration + options.grace;
    let run = Run::prepare(options)?;
    let setup = run.setup();
    say(&format!(
        "{}: {} for {:?} against {}",
        setup.scenario,
        setup.load,
        setup.duration(),
        setup.target
    ));
    let _watchdog = Alarm::after(longest.saturating_add(STUCK), || {
        say("sinch-verify-load: the run is stuck; its figures are worth nothing");
        std::process::exit(Exit::Invalid.code().into());
    })
    .context("start the thread that watches over the run")?;
    let progress = progress::show(run.board());
    let done = run.execute();
    drop(progress);
    let mut file = done?;
    let cut_short = Duration::try_from_secs_f64(file.seconds)
        .ok()
        .filter(|elapsed| *elapsed < file.setup.duration());
    let verdict = Verdict::on(&file.flows, cut_short);
    let exit = verdict.exit;
    file.verdict = Some(verdict);
    write(&args.output, &file)?;
    Ok(exit)
}

/// The table on stdout, the JSON where it was asked for. Only one of them can have stdout.
fn write(output: &OutputArgs, file: &RunFile) -> Result<()> {
    let json = file.to_json().context("write the run as JSON")?;
    if let Some(directory) = &output.out {
        fs::create_dir_all(directory).with_context(|| format!("create {}", directory.display()))?;
        save(&directory.join("run.json"), &json)?;
    }
    let table = report::table(file);
    match &output.json {
        Some(file) if file.as_os_str() == "-" => {
            say(table.trim_end());
            print(&json)
        }
        Some(file) => {
            print(&table)?;
            save(file, &json)
        }
        None => print(&table),
    }
}

fn save(file: &Path, text: &str) -> Result<()> {
    fs::write(file, text).with_context(|| format!("write {}", file.display()))
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
