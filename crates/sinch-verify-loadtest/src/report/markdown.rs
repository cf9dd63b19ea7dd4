//! A short text for a comment in a code review.

use std::fmt::{Result, Write as _};

use super::escape::Markdown;
use super::summary;
use super::table::Tone;
use crate::runfile::RunFile;

pub(super) fn write(run: &RunFile, out: &mut String) -> Result {
    let judgement = summary::judgement(run);
    let mark = match judgement.tone {
        Tone::Good => "✅",
        Tone::Doubt | Tone::Plain => "⚠️",
        Tone::Bad => "❌",
    };
    writeln!(out, "### {mark} Load test: {}\n", judgement.word.to_lowercase())?;
    writeln!(out, "{}\n", Markdown(summary::headline(run)))?;
    writeln!(out, "{}\n", Markdown(&judgement.sentence))?;
    for reason in &judgement.reasons {
        writeln!(out, "- {}", Markdown(reason))?;
    }
    if !judgement.reasons.is_empty() {
        out.push('\n');
    }
    let shown = ["flows", "ends", "schedule", "own delay", "spent"];
    for (name, value) in summary::counted(run) {
        if shown.contains(&name) {
            writeln!(out, "- {name}: {}", Markdown(value))?;
        }
    }
    let tables = [
        summary::thresholds(run),
        summary::overview(run),
        summary::failures(run),
    ];
    for table in tables.into_iter().flatten() {
        write!(out, "\n{}", table.markdown())?;
    }
    Ok(())
}
