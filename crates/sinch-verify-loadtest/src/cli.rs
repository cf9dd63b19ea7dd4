//! The command line of a load test: reads it, runs, writes the reports, and gives the exit code.

use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use crate::alarm::Alarm;
use crate::args::{Args, Asked, Command, CompareArgs, MergeArgs, RunArgs};
use crate::compare::Comparison;
use crate::engine::{Run, RunError};
use crate::live::Stop;
use crate::model::Exit;
use crate::outcome::{conclude, conclude_shard, give_up, print, say};
use crate::progress;
use crate::runfile::RunFile;
use crate::scenario::{Registry, Scenario};
use crate::sink::Outputs;
use anyhow::{Context as _, Result};

/// How much longer than planned a run may take before it counts as stuck.
const STUCK: Duration = Duration::from_secs(60);
/// How long the report on a stuck run may take, which may be stuck for the same reason.
const LAST_WORDS: Duration = Duration::from_secs(10);

/// The whole command line of a load test: `run`, `merge` and `compare`, reports, verdict and exit code.
/// It knows the program's own `scenarios` beside those that every load test has; the first of them is
/// the one that is run unless `--scenario` names another.
///
/// Call it from `main`, outside of any async runtime: it has runtimes of its own.
///
/// ```no_run
/// use std::process::ExitCode;
///
/// use sinch_verify_loadtest::{Failure, Flow, Scenario};
///
/// async fn signup(mut flow: Flow<'_>) -> Result<(), Failure> {
///     let form = format!("number={}", flow.number());
///     let request = http::Request::post("http://127.0.0.1:8080/signup").body(form.into())?;
///     let answer = flow.send("signup", request).await?;
///     match answer.status() {
///         http::StatusCode::CREATED => Ok(()),
///         status => Err(Failure::status(status)),
///     }
/// }
///
/// fn main() -> ExitCode {
///     sinch_verify_loadtest::main([Scenario::new("signup", signup).steps(["signup"])])
/// }
/// ```
pub fn main(scenarios: impl IntoIterator<Item = Scenario>) -> ExitCode {
    let registry = match Registry::new(scenarios) {
        Ok(registry) => registry,
        Err(problem) => {
            say(&format!("sinch-verify-load: {problem}"));
            return Exit::Usage.into();
        }
    };
    let done = match Args::read(&registry).command {
        Command::Run(args) => run(&args, &registry),
        Command::Merge(args) => merge(&args),
        Command::Compare(args) => compare(&args),
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

fn run(args: &RunArgs, registry: &Registry) -> Result<Exit> {
    let (options, thresholds) = match args.asked(registry) {
        Ok(Asked::Run(options, thresholds)) => (*options, thresholds),
        Ok(Asked::Plan(plan)) => return print(&plan).map(|()| Exit::Pass),
        Err(problem) => {
            say(&format!("sinch-verify-load: {problem}"));
            return Ok(Exit::Usage);
        }
    };
    let outputs = match Outputs::open(&args.output) {
        Ok(outputs) => outputs,
        Err(problem) => {
            say(&format!("sinch-verify-load: {problem}"));
            return Ok(Exit::Usage);
        }
    };
    let wait = options.wait(SystemTime::now()).unwrap_or_default();
    let longest = wait + options.duration + options.grace;
    let limits = options.against.limits().cloned();
    let run = Run::prepare(options)?;
    let recorder = run.recorder();
    let spending = limits.clone();
    // The first asks for the end, and flows under way go on; the second does not wait for them.
    ctrlc::set_handler(move || {
        if recorder.interrupt()
            && let Some(limits) = &limits
        {
            limits.stop(Stop::Interrupted);
        }
    })
    .context("listen for Ctrl-C")?;
    let setup = run.setup();
    say(&format!(
        "{}: {} for {:?} against {}",
        setup.what(),
        setup.load,
        setup.duration(),
        setup.target
    ));
    let draft = Arc::new(run.draft());
    // The end of the run takes them, or the watchdog.
    let outputs = Arc::new(Mutex::new(Some(outputs)));
    let _watchdog = {
        let (draft, outputs) = (Arc::clone(&draft), Arc::clone(&outputs));
        let thresholds = thresholds.clone();
        Alarm::after(longest.saturating_add(STUCK), move || {
            let exit = || std::process::exit(Exit::Invalid.code().into());
            let reason = "the run is stuck; its figures are worth nothing";
            say(&format!("sinch-verify-load: {reason}"));
            let _last = Alarm::after(LAST_WORDS, exit);
            if let (Some(outputs), Some(run)) = (take(&outputs), draft.now())
                && let Err(error) = give_up(run, reason, &thresholds, outputs)
            {
                say(&format!("sinch-verify-load: failed to {error:#}"));
            }
            exit();
        })
        .context("start the thread that watches over the run")?
    };
    let progress = progress::show(run.recorder(), spending);
    let done = run.execute();
    drop(progress);
    let Some(outputs) = take(&outputs) else {
        return Ok(Exit::Invalid);
    };
    match done {
        Ok(shard) if shard.shards.of > 1 => conclude_shard(&shard, &thresholds, outputs),
        Ok(run) => conclude(run, &thresholds, outputs),
        Err(error) => {
            if let Some(run) = draft.now() {
                give_up(run, &format!("failed to {error}"), &thresholds, outputs)?;
            }
            Err(error.into())
        }
    }
}

fn take(outputs: &Mutex<Option<Outputs>>) -> Option<Outputs> {
    // Taken in one step, so a panic elsewhere leaves nothing half done.
    outputs.lock().unwrap_or_else(PoisonError::into_inner).take()
}

/// Reads one run file, or says why it cannot be used.
fn read(path: &Path) -> Result<RunFile, String> {
    let text = fs::read_to_string(path).map_err(|error| format!("read {}: {error}", path.display()))?;
    let file = RunFile::from_json(&text).with_context(|| format!("use {}", path.display()));
    file.map_err(|error| format!("{error:#}"))
}

fn compare(args: &CompareArgs) -> Result<Exit> {
    let both = read(&args.before).and_then(|before| Ok((before, read(&args.after)?)));
    let compared = both.and_then(|(before, after)| {
        Comparison::of(&before, &after, args.worse).map_err(|why| format!("compare: {why}"))
    });
    let comparison = match compared {
        Ok(comparison) => comparison,
        Err(problem) => {
            say(&format!("sinch-verify-load: failed to {problem}"));
            return Ok(Exit::Usage);
        }
    };
    print(&comparison.table())?;
    Ok(if comparison.is_worse() {
        Exit::Failed
    } else {
        Exit::Pass
    })
}

fn merge(args: &MergeArgs) -> Result<Exit> {
    let usage = |problem: &dyn std::fmt::Display| {
        say(&format!("sinch-verify-load: failed to {problem}"));
        Ok(Exit::Usage)
    };
    let mut files = Vec::with_capacity(args.files.len());
    for path in &args.files {
        match read(path) {
            Ok(file) => files.push(file),
            Err(problem) => return usage(&problem),
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
    let total = whole.flows.total();
    let steps: Vec<_> = total.times.keys().copied().collect();
    if let Err(error) = thresholds.fit(&whole.setup.scenarios(), Some(&steps)) {
        return usage(&format_args!("use a threshold: {error}"));
    }
    match Outputs::open(&args.output) {
        Ok(outputs) => conclude(whole, &thresholds, outputs),
        Err(problem) => {
            say(&format!("sinch-verify-load: {problem}"));
            Ok(Exit::Usage)
        }
    }
}
