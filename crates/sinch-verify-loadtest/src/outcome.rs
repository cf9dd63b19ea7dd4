//! What a run comes to: judged, written down, told.

use std::io::Write as _;

use anyhow::{Context as _, Result};
use sinch_verify_loadtest::report::Reports;
use sinch_verify_loadtest::runfile::RunFile;
use sinch_verify_loadtest::verdict::{Doubt, Exit, Thresholds, Verdict};

use crate::sink::Outputs;

/// Judges the run and writes its reports.
pub(crate) fn conclude(mut run: RunFile, thresholds: &Thresholds, outputs: Outputs) -> Result<Exit> {
    let verdict = Verdict::judge(&run, thresholds);
    let exit = verdict.exit;
    run.verdict = Some(verdict);
    write(&run, outputs)?;
    Ok(exit)
}

/// Writes the reports of one shard of a run, which is not judged before it is merged with the others:
/// only what ended it says how it exits, or that it began too late, which no other shard makes good.
pub(crate) fn conclude_shard(run: &RunFile, thresholds: &Thresholds, outputs: Outputs) -> Result<Exit> {
    write(run, outputs)?;
    let doubts = Doubt::about(run);
    let late = doubts
        .iter()
        .find(|doubt| matches!(doubt, Doubt::Beginning { .. }));
    if let Some(late) = late {
        say(&format!("sinch-verify-load: {late}"));
    }
    Ok(match Verdict::judge(run, thresholds).exit {
        ended @ (Exit::Stopped | Exit::Unreachable) => ended,
        _ if late.is_some() => Exit::Invalid,
        _ => Exit::Pass,
    })
}

/// Writes the reports of a run that did not come to its end, for this reason: its figures are worth
/// nothing, but what it sent and spent until then is to be known.
pub(crate) fn give_up(
    mut run: RunFile,
    reason: &str,
    thresholds: &Thresholds,
    outputs: Outputs,
) -> Result<()> {
    let mut verdict = Verdict::judge(&run, thresholds);
    verdict.exit = Exit::Invalid;
    verdict.reasons.insert(0, reason.to_owned());
    run.verdict = Some(verdict);
    write(&run, outputs)
}

/// The table on stdout, the JSON where it was asked for. Only one of them can have stdout.
///
/// Whatever cannot be written keeps nothing else from being: what a run measured, and spent, is there
/// once.
fn write(run: &RunFile, outputs: Outputs) -> Result<()> {
    let reports = Reports::on(run);
    let table = reports.table();
    let told = if outputs.json_has_stdout() {
        say(table.trim_end());
        Ok(())
    } else {
        print(&table)
    };
    let saved = run.to_json().context("write the run as JSON").and_then(|json| {
        let page = outputs.save(&json, &reports)?;
        if let Some(page) = page {
            say(&format!("report: {}", page.display()));
        }
        Ok(())
    });
    told.and(saved)
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

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant, SystemTime};

    use sinch_verify_loadtest::flows::Flow;
    use sinch_verify_loadtest::runfile::{RunFile, TransportName};
    use sinch_verify_loadtest::verdict::Exit;
    use sinch_verify_loadtest::{Options, Run, Scenario};

    use super::*;
    use crate::args::OutputArgs;

    #[test]
    fn shard_that_begins_late_says_so_at_once() {
        let mut options = Options::new(Scenario::Only(Flow::SMS), Duration::from_millis(100));
        options.transport = TransportName::Lean;
        options.seed = Some(1);
        options.shard = "0/2".parse().unwrap();
        options.start_at = Some(SystemTime::now() - Duration::from_secs(60));
        let mut run = Run::prepare(options).unwrap().execute().unwrap();
        let conclude = |run: &RunFile| {
            let nothing = OutputArgs {
                out: None,
                json: None,
            };
            conclude_shard(run, &Thresholds::default(), Outputs::open(&nothing).unwrap()).unwrap()
        };
        assert_eq!(conclude(&run), Exit::Invalid);
        run.late_seconds = None;
        assert_eq!(
            conclude(&run),
            Exit::Pass,
            "whatever else there is is judged when merged"
        );
    }

    #[test]
    fn run_that_does_not_end_leaves_what_it_counted() {
        let directory = std::env::temp_dir().join(format!("sinch-verify-load-{}", std::process::id()));
        let wanted = OutputArgs {
            out: Some(directory.clone()),
            json: None,
        };
        let outputs = Outputs::open(&wanted).unwrap();
        let run = Run::prepare(Options::new(Scenario::Only(Flow::SMS), Duration::from_secs(1))).unwrap();
        let draft = run.draft();
        assert!(draft.now().is_none(), "it has not begun");
        let begun = Instant::now();
        run.board().open(begun);
        run.board().scheduled(begun);
        let file = draft.now().unwrap();
        give_up(file, "it is stuck", &Thresholds::default(), outputs).unwrap();
        let json = std::fs::read_to_string(directory.join("run.json")).unwrap();
        let page = std::fs::read_to_string(directory.join("report.html")).unwrap();
        std::fs::remove_dir_all(&directory).unwrap();
        let left = RunFile::from_json(&json).unwrap();
        assert_eq!(left.counters.scheduled, 1);
        let verdict = left.verdict.unwrap();
        assert_eq!(
            (verdict.exit, &*verdict.reasons[0]),
            (Exit::Invalid, "it is stuck")
        );
        assert!(page.contains("it is stuck"));
    }
}
