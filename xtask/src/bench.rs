//! `cargo xtask bench AREA`: runs the benches of an area, and writes its
//! section of `docs/performance.md`.
//!
//! A bench says what its row is by its name: `floor: ` and `rival: ` stand
//! beside the others of their group, and `, goal N` ends a name that has one.

mod measured;
mod page;

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use clap::{Args, ValueEnum};

use crate::cargo::{cargo, run};
use measured::Medians;

/// The page with one section for each area.
const PAGE: &str = "docs/performance.md";
/// Where criterion leaves its figures.
const FIGURES: &str = "target/criterion";

/// Runs benches and writes what they showed.
#[derive(Debug, Args)]
pub(crate) struct Bench {
    /// What to measure
    area: Area,
    /// How often everything is measured; the page has the medians
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
}

/// An area with benches.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Area {
    /// Signing, verifying, decoding, matching
    Protocol,
}

impl Area {
    fn name(self) -> &'static str {
        match self {
            Self::Protocol => "protocol",
        }
    }
}

impl Bench {
    /// Measures everything once a round, so that a busy moment spoils one round only.
    pub(crate) fn run(&self) -> Result<()> {
        let area = self.area.name();
        let prefix = format!("{area}: ");
        let mut medians = Medians::default();
        for round in 1..=self.rounds {
            println!("round {round} of {}", self.rounds);
            let mut command = cargo(["bench", "--package", "sinch-verify-benches", "--"]);
            command.args([
                &prefix,
                "--warm-up-time",
                "0.5",
                "--measurement-time",
                "2",
                "--noplot",
            ]);
            run(&mut command, "the bench that failed is named above")?;
            medians.read(Path::new(FIGURES), &prefix)?;
        }
        let groups = medians.groups();
        ensure!(
            !groups.is_empty(),
            "no bench belongs to {area}: the name of its group must start with `{prefix}`"
        );
        let section = page::section(area, &groups, &page::Stamp::now(self.rounds));
        println!("\n{section}");
        let old = fs::read_to_string(PAGE).unwrap_or_else(|_| page::EMPTY.to_owned());
        fs::write(PAGE, page::replace(&old, area, &section))
            .with_context(|| format!("failed to write {PAGE}"))?;
        println!("written to {PAGE}");
        Ok(())
    }
}
