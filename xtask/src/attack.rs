//! `cargo xtask attack`: the large runs against receivers, clients and the command, on loopback.
//!
//! The program `attack` of the benches runs the attacks and prints each row as a line of JSON. This command
//! shows the rows, fails if a goal is not met, and writes the section of `docs/testing.md`.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};
use clap::Args;
use serde_json::Value;

use crate::bench::{Unit, shown};
use crate::cargo::{cargo, run};
use crate::metadata;
use crate::page::{self, Stamp};

const PAGE: &str = "docs/testing.md";

/// The text of the section before its table.
const INTRODUCTION: &str = "## Attacks\n\n\
`cargo xtask attack` repeats the large attacks on this machine alone, in minutes, and replaces this section.\n\
Each row counts what must not happen, and a goal is the most that is allowed; a row without a goal shows what a fault costs.\n\
The command fails where a goal is not met.\n\
`--only NAME` runs one of `forged`, `replayed`, `outages`, `starts`, `text` and `pages`, and `--scale 0.01` runs all of them with a hundredth of the requests; neither writes here.\n\
Memory is the most that the attacked processes held together.\n\
CI runs `forged`, `replayed`, `starts` and `pages` at a small scale, in `benches/tests/attack.rs`.\n";

/// The attacks to run, and their size.
#[derive(Debug, Args)]
pub(crate) struct Attack {
    /// Run this attack alone: forged, replayed, outages, starts, text or pages
    #[arg(long, value_name = "NAME")]
    only: Option<String>,
    /// How many of the usual requests are sent: 0.01 is a hundredth
    #[arg(long, default_value_t = 1.0, value_parser = scale)]
    scale: f64,
}

fn scale(text: &str) -> Result<f64, String> {
    let scale: f64 = text.parse().map_err(|_| "must be a number".to_owned())?;
    if scale > 0.0 && scale <= 1.0 {
        Ok(scale)
    } else {
        Err("must be above 0 and at most 1".to_owned())
    }
}

impl Attack {
    /// Builds and runs the attacks, and writes the section after a whole run.
    pub(crate) fn run(&self) -> Result<()> {
        let mut build = cargo(["build", "--release", "--package", "sinch-verify-benches"]);
        build.args([
            "--bin",
            "attack",
            "--package",
            "sinch-verify-cli",
            "--bin",
            "sinch-verify",
        ]);
        run(&mut build, "the attacks do not build")?;
        let release = metadata::members()?
            .target_directory
            .into_std_path_buf()
            .join("release");
        let mut attack = Command::new(release.join("attack"));
        attack.args([self.only.as_deref().unwrap_or("all"), &self.scale.to_string()]);
        attack.env("SINCH_VERIFY", release.join("sinch-verify"));
        let rows = follow(attack)?;
        if self.only.is_none() && self.scale == 1.0 {
            page::write(PAGE, "# Testing\n", &section(&rows, &Stamp::now()))?;
        }
        let missed = rows.iter().filter(|row| row.verdict() == "no").count();
        ensure!(
            missed == 0,
            "{missed} goals are not met; the table above has `no` in their rows"
        );
        Ok(())
    }
}

/// Runs the attacks and prints each row as it arrives.
fn follow(mut attack: Command) -> Result<Vec<Row>> {
    let mut child = attack
        .stdout(Stdio::piped())
        .spawn()
        .context("failed to start the attacks")?;
    let output = child.stdout.take().context("the attacks have no output")?;
    let mut rows = Vec::new();
    for line in BufReader::new(output).lines() {
        let line = line?;
        let row = Row::read(&line).with_context(|| format!("the attacks printed `{line}`"))?;
        println!("{}", row.line());
        rows.push(row);
    }
    let status = child.wait()?;
    if !status.success() {
        bail!("the attacks ended with {status}");
    }
    Ok(rows)
}

fn section(rows: &[Row], stamp: &Stamp) -> String {
    let mut text = format!(
        "{INTRODUCTION}\nMeasured {stamp}.\n\n\
         | attack | sent | counted | how many | goal | met | time | memory |\n|---|---|---|---|---|---|---|---|\n"
    );
    for row in rows {
        let _ = writeln!(text, "{}", row.line());
    }
    text
}

/// A row of the table.
#[derive(Debug, PartialEq)]
struct Row {
    attack: String,
    outcome: Outcome,
}

#[derive(Debug, PartialEq)]
enum Outcome {
    /// The attack does not run, for example because a program is missing.
    NotRun(String),
    Counted {
        sent: u64,
        what: String,
        count: u64,
        /// The largest allowed count.
        goal: Option<u64>,
        seconds: f64,
        bytes: Option<f64>,
    },
}

impl Row {
    fn read(line: &str) -> Result<Self> {
        let line: Value = serde_json::from_str(line)?;
        let text = |name: &str| line[name].as_str().map(str::to_owned);
        let count = |name: &str| line[name].as_u64();
        let outcome = match text("notRun") {
            Some(why) => Outcome::NotRun(why),
            None => Outcome::Counted {
                sent: count("sent").context("no `sent`")?,
                what: text("counted").context("no `counted`")?,
                count: count("count").context("no `count`")?,
                goal: count("goal"),
                seconds: line["seconds"].as_f64().context("no `seconds`")?,
                bytes: line["memory"].as_f64(),
            },
        };
        Ok(Self {
            attack: text("attack").context("no `attack`")?,
            outcome,
        })
    }

    fn verdict(&self) -> &'static str {
        match self.outcome {
            Outcome::NotRun(_) => "not run",
            Outcome::Counted { goal: None, .. } => "",
            Outcome::Counted {
                goal: Some(goal),
                count,
                ..
            } => {
                if count <= goal {
                    "yes"
                } else {
                    "no"
                }
            }
        }
    }

    /// The row as a line of the table.
    fn line(&self) -> String {
        let verdict = self.verdict();
        match &self.outcome {
            Outcome::NotRun(why) => format!("| {} | | {why} | | | {verdict} | | |", self.attack),
            Outcome::Counted {
                sent,
                what,
                count,
                goal,
                seconds,
                bytes,
            } => format!(
                "| {} | {sent} | {what} | {count} | {} | {verdict} | {} | {} |",
                self.attack,
                goal.map(|goal| goal.to_string()).unwrap_or_default(),
                shown(Unit::Nanoseconds, seconds * 1e9),
                bytes.map(|bytes| shown(Unit::Bytes, bytes)).unwrap_or_default(),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_says_whether_its_goal_is_met() {
        let line = |count: u64, goal: &str| {
            format!(
                r#"{{"attack":"forged: a random signature","sent":1000,"counted":"taken","count":{count},{goal}"seconds":1.5,"memory":12000000}}"#
            )
        };
        for (count, goal, verdict) in [(0, r#""goal":0,"#, "yes"), (1, r#""goal":0,"#, "no"), (1, "", "")] {
            assert_eq!(Row::read(&line(count, goal)).unwrap().verdict(), verdict);
        }
        assert_eq!(
            Row::read(&line(1, r#""goal":0,"#)).unwrap().line(),
            "| forged: a random signature | 1000 | taken | 1 | 0 | no | 1.50 s | 12.00 MB |"
        );
    }

    #[test]
    fn a_row_that_was_not_run_says_why() {
        let row = Row::read(r#"{"attack":"outages","notRun":"redis-server is missing"}"#).unwrap();
        assert_eq!(row.verdict(), "not run");
        assert_eq!(
            row.line(),
            "| outages | | redis-server is missing | | | not run | | |"
        );
    }

    #[test]
    fn what_is_no_row_is_refused() {
        assert!(Row::read("warming up").is_err());
        assert!(Row::read(r#"{"attack":"forged","sent":1}"#).is_err());
    }
}
