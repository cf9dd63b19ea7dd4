//! The end of a run: the verdict, and the reports.

use anyhow::{Context as _, Result};

use crate::cli::print::{error, note, print};
use crate::cli::sink::Outputs;
use crate::report::Reports;
use crate::runfile::RunFile;
use crate::verdict::{Doubt, Exit, Thresholds, Verdict};

/// Judges the run and writes its reports.
pub(crate) fn conclude(mut run: RunFile, thresholds: &Thresholds, outputs: Outputs) -> Result<Exit> {
    let verdict = Verdict::judge(&run, thresholds);
    let exit = verdict.exit;
    run.verdict = Some(verdict);
    write(&run, outputs)?;
    Ok(exit)
}

/// Writes the reports of a shard. It is judged only when all shards are merged, but for two reasons that no
/// other shard mends: what ended it early, and that it began too late.
pub(crate) fn conclude_shard(run: &RunFile, thresholds: &Thresholds, outputs: Outputs) -> Result<Exit> {
    write(run, outputs)?;
    let doubts = Doubt::about(run);
    let late = doubts
        .iter()
        .find(|doubt| matches!(doubt, Doubt::Beginning { .. }));
    if let Some(late) = late {
        error(late);
    }
    Ok(match Verdict::judge(run, thresholds).exit {
        ended @ (Exit::Stopped | Exit::Unreachable) => ended,
        _ if late.is_some() => Exit::Invalid,
        _ => Exit::Pass,
    })
}

/// Writes the reports of a run that did not end, for this reason. Its figures do not describe the target, but
/// they say what was sent and spent.
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

/// Writes the text and the files. The text goes to standard output, or to standard error where that is for
/// the JSON. A file that cannot be written keeps no other from being written: the run cannot be repeated.
fn write(run: &RunFile, outputs: Outputs) -> Result<()> {
    let reports = Reports::on(run);
    let text = reports.text();
    let printed = if outputs.json_has_stdout() {
        note(text.trim_end());
        Ok(())
    } else {
        print(&text)
    };
    let saved = run.to_json().context("write the run as JSON").and_then(|json| {
        let page = outputs.save(&json, &reports)?;
        if let Some(page) = page {
            note(format_args!("report: {}", page.display()));
        }
        Ok(())
    });
    printed.and(saved)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant, SystemTime};

    use crate::engine::{Options, Run};
    use crate::model::TransportName;
    use crate::runfile::RunFile;
    use crate::scenario::{Registry, Workload};
    use crate::verdict::Exit;

    use super::*;
    use crate::cli::args::OutputArgs;

    fn sms() -> Workload {
        let registry = Registry::new([]).unwrap();
        let sms = registry.workload("sms", &"sms=1".parse().unwrap());
        sms.unwrap()
    }

    #[test]
    fn shard_that_begins_late_says_so_at_once() {
        let mut options = Options::new(sms(), Duration::from_millis(100));
        options.transport = TransportName::Direct;
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
            "everything else is judged when the shards are merged"
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
        let run = Run::prepare(Options::new(sms(), Duration::from_secs(1))).unwrap();
        let draft = run.draft();
        assert!(draft.now().is_none(), "it has not begun");
        let begun = Instant::now();
        run.recorder().open(begun);
        run.recorder().scheduled(Duration::ZERO);
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
