//! What the last run of each area printed, kept as lines of JSON beside the page, so that the page can be
//! written anew after a run of one area.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::Area;
use super::rows::{self, Row};

/// The folder of the results and of the plots.
pub(super) const FOLDER: &str = "docs/performance";

/// The results of a run of an area.
pub(super) struct Results {
    pub(super) area: Area,
    /// Where and when they were measured.
    pub(super) stamp: String,
    pub(super) rounds: u64,
    pub(super) rows: Vec<Row>,
}

/// Keeps the lines that were printed for an area.
pub(super) fn write(area: Area, stamp: &str, rounds: u32, lines: &[String]) -> Result<()> {
    let head = json!({ "stamp": stamp, "rounds": rounds }).to_string();
    fs::create_dir_all(FOLDER)?;
    let file = file(area);
    fs::write(&file, format!("{head}\n{}\n", lines.join("\n")))
        .with_context(|| format!("failed to write {}", file.display()))
}

/// The kept results, in the order of the areas.
pub(super) fn read() -> Result<Vec<Results>> {
    let kept = Area::EACH.into_iter().filter(|area| file(*area).exists());
    kept.map(|area| {
        let file = file(area);
        let wrong = || {
            format!(
                "{} is no result; run `cargo xtask bench {}`",
                file.display(),
                area.name()
            )
        };
        let text = fs::read_to_string(&file).with_context(wrong)?;
        let mut lines = text.lines();
        let head: Value = serde_json::from_str(lines.next().unwrap_or_default()).with_context(wrong)?;
        let lines: Vec<String> = lines.map(str::to_owned).collect();
        Ok(Results {
            area,
            stamp: head["stamp"].as_str().with_context(wrong)?.to_owned(),
            rounds: head["rounds"].as_u64().with_context(wrong)?,
            rows: rows::read(&lines).with_context(wrong)?,
        })
    })
    .collect()
}

fn file(area: Area) -> PathBuf {
    PathBuf::from(FOLDER).join(format!("{}.jsonl", area.name()))
}
