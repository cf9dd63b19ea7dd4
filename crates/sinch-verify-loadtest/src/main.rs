//! `sinch-verify-load`: load on the whole verification flow, and a verdict.
#![forbid(unsafe_code)]

mod args;
mod outcome;
mod progress;

use std::fs;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result};
use clap::Parser as _;
use sinch_verify_loadtest::runfile::RunFile;
use sinch_verify_loadtest::safety::Stop;
use sinch_verify_loadtest::verdict::Exit;
use sinch_verify_loadtest::{Against, Alarm, Run, RunError};

use args::{Args, Asked, Command, MergeArgs, RunArgs};
use outcome::{conclude, print, say};

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
    let (options, thresholds) = match args.asked() {
        Ok(Asked::Run(options, thresholds)) => (*options, thresholds),
        Ok(Asked::Plan(plan)) => return print(&plan).map(|()| Exit::Pass),
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
    let rails = match &options.against {
        Against::Live(live) => Some(Arc::clone(live.rails())),
        _ => None,
    };
    let run = Run::prepare(options)?;
    let board = run.board();
    // The first asks to end, so that what is under way is seen through; the second does not wait.
    ctrlc::set_handler(move || {
        if board.interrupt()
            && let Some(rails) = &rails
        {
            rails.stop(Stop::Interrupted);
        }
    })
    .context("listen for Ctrl-C")?;
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
    conclude(done?, &thresholds, &args.output)
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
    let whole = match RunFile::merge(files) {
        Ok(whole) => whole,
        Err(error) => {
            let path = args
                .files
                .get(error.at)
                .map_or_else(String::new, |path| path.display().to_string());
            return usage(&format_args!("merge {path}: {}", error.why));
        }
    };
    let thresholds = match args.thresholds.thresholds() {
        Ok(thresholds) => thresholds,
        Err(problem) => return usage(&problem),
    };
    conclude(whole, &thresholds, &args.output)
}
