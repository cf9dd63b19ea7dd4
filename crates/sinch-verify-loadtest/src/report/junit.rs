//! The verdict as test cases, in the form that continuous integration reads.

use std::fmt::{Result, Write as _};

use super::escape::Html;
use super::summary;
use crate::runfile::RunFile;
use crate::verdict::{Check, CheckResult, Exit};

pub(super) fn write(run: &RunFile, out: &mut String) -> Result {
    let verdict = run.verdict.as_ref();
    let checks: &[Check] = verdict.map_or(&[], |verdict| &verdict.checks);
    let judgement = summary::judgement(run);
    let reasons = match judgement.reasons.as_slice() {
        [] => judgement.sentence,
        reasons => reasons.join("; "),
    };
    // A failure is the target's; an error is the load tester's, or says that there is no verdict.
    let end = match verdict.map(|verdict| verdict.exit) {
        Some(Exit::Pass) => None,
        Some(Exit::Failed) => Some("failure"),
        _ => Some("error"),
    };
    let of = |wanted| {
        checks
            .iter()
            .filter(move |check| end_of(check) == Some(wanted))
            .count()
    };
    writeln!(out, r#"<?xml version="1.0" encoding="UTF-8"?>"#)?;
    writeln!(
        out,
        r#"<testsuite name="sinch-verify-load {}" timestamp="{}" time="{:.3}" tests="{}" failures="{}" errors="{}" skipped="{}">"#,
        Html(run.setup.scenario),
        Html(&run.started_at),
        run.seconds,
        checks.len() + 1,
        of("failure") + usize::from(end == Some("failure")),
        usize::from(end == Some("error")),
        of("skipped")
    )?;
    case(out, "run", &summary::headline(run), run.seconds, end, &reasons)?;
    for check in checks {
        let name = format!("{} {}", check.metric, check.limit);
        case(out, "threshold", &name, 0.0, end_of(check), &check.measured)?;
    }
    writeln!(out, "</testsuite>")
}

/// The element that says how a threshold ended; `None` where it passed.
fn end_of(check: &Check) -> Option<&'static str> {
    match check.result {
        CheckResult::Passed => None,
        CheckResult::Failed | CheckResult::NotMeasured => Some("failure"),
        CheckResult::NotJudged => Some("skipped"),
    }
}

fn case(out: &mut String, class: &str, name: &str, seconds: f64, end: Option<&str>, why: &str) -> Result {
    write!(
        out,
        r#"  <testcase classname="{class}" name="{}" time="{seconds:.3}">"#,
        Html(name)
    )?;
    if let Some(end) = end {
        write!(out, r#"<{end} message="{}"/>"#, Html(why))?;
    }
    writeln!(out, "</testcase>")
}
