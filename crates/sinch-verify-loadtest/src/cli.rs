//! The command line of a load test: reads it, runs, writes the reports, and gives the exit code.

mod alarm;
mod args;
mod outcome;
mod print;
mod progress;
mod sink;

use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result};

use crate::compare::Comparison;
use crate::engine::Run;
use crate::live::Stop;
use crate::model::Exit;
use crate::runfile::RunFile;
use crate::scenario::{Registry, Scenario};

use alarm::Alarm;
use args::{Args, Asked, Command, CompareArgs, MergeArgs, RunArgs};
use outcome::{conclude, conclude_shard, give_up};
use print::{Usage, choose_color, error, fail, note, print};
use progress::Progress;
use sink::Outputs;

/// How much longer than planned a run may take before it counts as stuck.
const STUCK: Duration = Duration::from_secs(60);
/// How long the report on a stuck run may take, which may be stuck for the same reason.
const LAST_REPORT: Duration = Duration::from_secs(10);

/// The whole command line of a load test: `run`, `merge`, `compare`, `completions` and `man`, reports, verdict and exit code.
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
    let done = Registry::new(scenarios)
        .map_err(|problem| Usage::new(problem).into())
        .and_then(|registry| {
            let Args { color, command } = Args::read(&registry);
            choose_color(color);
            match command {
                Command::Run(args) => run(&args, &registry),
                Command::Merge(args) => merge(&args),
                Command::Compare(args) => compare(&args),
                Command::Completions(args) => print(&args.script()).map(|()| Exit::Pass),
                Command::Man(args) => args.write().map(|()| Exit::Pass),
            }
        });
    done.unwrap_or_else(|error| fail(&error)).into()
}

fn run(args: &RunArgs, registry: &Registry) -> Result<Exit> {
    let (options, thresholds) = match args.asked(registry).map_err(Usage::new)? {
        Asked::Run(options, thresholds) => (*options, thresholds),
        Asked::Plan(plan) => return print(&plan).map(|()| Exit::Pass),
    };
    let outputs = Outputs::open(&args.output).map_err(Usage::new)?;
    let wait = options.wait(SystemTime::now()).unwrap_or_default();
    let longest = wait + options.duration + options.grace;
    let limits = options.against.limits().cloned();
    let run = Run::prepare(options)?;
    let recorder = run.recorder();
    let spending = limits.clone();
    // The first signal lets flows in flight end; the second cuts them off.
    ctrlc::set_handler(move || {
        if recorder.interrupt()
            && let Some(limits) = &limits
        {
            limits.stop(Stop::Interrupted);
        }
    })
    .context("listen for Ctrl-C")?;
    let setup = run.setup();
    note(format_args!(
        "{}: {} for {:?} against {}",
        setup.what(),
        setup.load,
        setup.duration(),
        setup.target
    ));
    let draft = Arc::new(run.draft());
    // The run takes them when it ends, or the watchdog when it does not.
    let outputs = Arc::new(Mutex::new(Some(outputs)));
    let _watchdog = {
        let (draft, outputs) = (Arc::clone(&draft), Arc::clone(&outputs));
        let thresholds = thresholds.clone();
        Alarm::after(longest.saturating_add(STUCK), move || {
            let exit = || std::process::exit(Exit::Invalid.code().into());
            let reason = "the run is stuck, and its figures do not describe the target";
            error(reason);
            let _last = Alarm::after(LAST_REPORT, exit);
            if let (Some(outputs), Some(run)) = (take(&outputs), draft.now())
                && let Err(problem) = give_up(run, reason, &thresholds, outputs)
            {
                error(format_args!("failed to {problem:#}"));
            }
            exit();
        })
        .context("start the thread that watches over the run")?
    };
    let progress = Progress::start(run.recorder(), spending);
    let done = run.execute();
    drop(progress);
    let Some(outputs) = take(&outputs) else {
        return Ok(Exit::Invalid);
    };
    match done {
        Ok(shard) if shard.shards.of > 1 => conclude_shard(&shard, &thresholds, outputs),
        Ok(run) => conclude(run, &thresholds, outputs),
        Err(problem) => {
            if let Some(run) = draft.now() {
                give_up(run, &format!("failed to {problem}"), &thresholds, outputs)?;
            }
            Err(problem.into())
        }
    }
}

fn take(outputs: &Mutex<Option<Outputs>>) -> Option<Outputs> {
    // Taken in one step, so a panic elsewhere leaves nothing half done.
    outputs.lock().unwrap_or_else(PoisonError::into_inner).take()
}

fn read(path: &Path) -> Result<RunFile> {
    let unusable = |error: anyhow::Error| Usage::new(format_args!("failed to {error:#}"));
    let text = fs::read_to_string(path).with_context(|| format!("read {}", path.display()));
    let text = text.map_err(unusable)?;
    let file = RunFile::from_json(&text).with_context(|| format!("use {}", path.display()));
    Ok(file.map_err(unusable)?)
}

fn compare(args: &CompareArgs) -> Result<Exit> {
    let (before, after) = (read(&args.before)?, read(&args.after)?);
    let comparison = Comparison::of(&before, &after, args.tolerance()).map_err(Usage::from)?;
    print(&comparison.text())?;
    Ok(if comparison.is_worse() {
        Exit::Failed
    } else {
        Exit::Pass
    })
}

fn merge(args: &MergeArgs) -> Result<Exit> {
    let files = args.files.iter().map(|path| read(path)).collect::<Result<_>>()?;
    let whole = RunFile::merge(files).map_err(|error| {
        let path = args.files.get(error.at).map(|path| path.display().to_string());
        Usage::new(format_args!(
            "failed to merge {}: {}",
            path.unwrap_or_default(),
            error.why
        ))
    })?;
    let thresholds = args.thresholds.thresholds().map_err(Usage::new)?;
    let steps: Vec<_> = whole.flows.total().times.into_keys().collect();
    thresholds
        .fit(&whole.setup.scenarios(), Some(&steps))
        .map_err(|error| Usage::new(format_args!("a threshold: {error}")))?;
    let outputs = Outputs::open(&args.output).map_err(Usage::new)?;
    conclude(whole, &thresholds, outputs)
}
