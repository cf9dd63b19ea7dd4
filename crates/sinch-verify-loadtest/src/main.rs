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
use sinch_verify_loadtest::verdict::{Exit, Thresholds, Verdict};
use sinch_verify_loadtest::{Alarm, Run, RunError, report};

use args::{Args, Command, MergeArgs, OutputArgs, RunArgs};

/// How much longer than planned a run may take before it counts as stuck.
const STUCK: Duration = Duration::from_secs(60);

fn main() -> ExitCode {
    let done = match Args::parse().command {
        Command::Run(args) => run(&args),
        Command::Merge(args) => merge(&args),
    };
    match done {
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
    // A shard is judged when it is merged with the others.
    let exit = if file.shards.is_whole() {
        judge(&mut file)
    } else {
        Exit::Pass
    };
    write(&args.output, &file)?;
    Ok(exit)
}

fn merge(args: &MergeArgs) -> Result<Exit> {
    let usage = |problem: &dyn std::fmt::Display| {
        say(&format!("sinch-verify-load: failed to {problem}"));
        Ok(Exit::Usage)
    };
    let mut files = Vec::with_capacity(args.files.len());
    for path in &args.files {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) => return usage(&format_args!("read {}: {error}", path.display())),
        };
        match RunFile::from_json(&text).with_context(|| format!("use {}", path.display())) {
            Ok(file) => files.push(file),
            Err(error) => return usage(&format_args!("{error:#}")),
        }
    }
    let mut whole = match RunFile::merge(files) {
        Ok(whole) => whole,
        Err(error) => {
            let path = args
                .files
                .get(error.at)
                .map_or_else(String::new, |path| path.display().to_string());
            return usage(&format_args!("merge {path}: {}", error.why));
        }
    };
    let exit = judge(&mut whole);
    write(&args.output, &whole)?;
    Ok(exit)
}

fn judge(file: &mut RunFile) -> Exit {
    let verdict = Verdict::judge(file, &Thresholds::default());
    let exit = verdict.exit;
    file.verdict = Some(verdict);
    exit
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
