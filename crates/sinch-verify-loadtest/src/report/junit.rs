//! The verdict as test cases, in the form that continuous integration reads.

use std::fmt::{Result, Write as _};

use super::escape::Html;
use super::figures;
use crate::runfile::RunFile;
use crate::verdict::Exit;

pub(super) fn suite(run: &RunFile) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = write(run, &mut out);
    out
}

fn write(run: &RunFile, out: &mut String) -> Result {
    let verdict = run.verdict.as_ref();
    let checks = verdict.map_or(&[][..], |verdict| &verdict.checks);
    let missed = checks.iter().filter(|check| !check.kept).count();
    let exit = verdict.map(|verdict| verdict.exit);
    let whole_failed = exit == Some(Exit::Failed);
    let error = !matches!(exit, Some(Exit::Pass | Exit::Failed));
    writeln!(out, r#"<?xml version="1.0" encoding="UTF-8"?>"#)?;
    writeln!(
        out,
        r#"<testsuite name="sinch-verify-load {}" timestamp="{}" time="{:.3}" tests="{}" failures="{}" errors="{}">"#,
        Html(run.setup.scenario),
        Html(&run.started_at),
        run.seconds,
        checks.len() + 1,
        missed + usize::from(whole_failed),
        usize::from(error)
    )?;
    let (word, meaning) = figures::verdict(run);
    let reasons = verdict.map_or_else(|| meaning.to_owned(), |verdict| verdict.reasons.join("; "));
    write!(
        out,
        r#"  <testcase classname="run" name="{}" time="{:.3}">"#,
        Html(figures::headline(run)),
        run.seconds
    )?;
    if error {
        write!(
            out,
            r#"<error type="{}" message="{}"/>"#,
            Html(word),
            Html(&reasons)
        )?;
    } else if whole_failed {
        write!(out, r#"<failure message="{}"/>"#, Html(&reasons))?;
    }
    out.push_str("</testcase>\n");
    for check in checks {
        write!(
            out,
            r#"  <testcase classname="threshold" name="{} {}" time="0">"#,
            Html(&check.metric),
            Html(&check.limit)
        )?;
        if !check.kept {
            let measured = check.measured.as_deref().unwrap_or("nothing");
            write!(out, r#"<failure message="measured {}"/>"#, Html(measured))?;
        }
        out.push_str("</testcase>\n");
    }
    out.push_str("</testsuite>\n");
    Ok(())
}
