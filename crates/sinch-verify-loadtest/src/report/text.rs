//! The report for a terminal.

use std::fmt::{Result, Write as _};

use super::summary;
use crate::runfile::RunFile;

pub(super) fn write(run: &RunFile, out: &mut String) -> Result {
    writeln!(out, "{}", summary::headline(run))?;
    let seed = ("seed", run.setup.seed.to_string());
    for (name, value) in std::iter::once(seed).chain(summary::counted(run)) {
        writeln!(out, "{name:<10} {value}")?;
    }
    let several = run.flows.flows().count() > 1;
    let overview = several.then(|| summary::overview(run)).flatten();
    let tables = [
        overview,
        summary::times(&run.flows.total()),
        summary::failures(run),
        summary::thresholds(run),
    ];
    for table in tables.into_iter().flatten() {
        write!(out, "\n{}", table.text())?;
    }
    let judgement = summary::judgement(run);
    writeln!(
        out,
        "\nverdict: {}. {}",
        judgement.word.to_lowercase(),
        judgement.sentence
    )?;
    for reason in &judgement.reasons {
        writeln!(out, "  - {reason}")?;
    }
    Ok(())
}
