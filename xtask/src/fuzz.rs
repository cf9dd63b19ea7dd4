//! `cargo xtask fuzz`: every fuzz target of the protocol crate for a while.

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use clap::Args;

use crate::cargo::run;
use crate::outcome::Outcome;
use crate::tools::FUZZ;

/// Where cargo-fuzz keeps the targets.
const FOLDER: &str = "crates/sinch-verify-protocol";

/// Runs the fuzz targets with cargo-fuzz, one after the other.
#[derive(Debug, Args)]
pub(crate) struct Fuzz {
    /// How long each target runs
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..))]
    seconds: u32,
    /// The targets to run; all of them when left out
    targets: Vec<String>,
}

impl Fuzz {
    /// Fuzzes without a sanitizer: the crate forbids `unsafe`, and a stable toolchain has none.
    pub(crate) fn run(&self) -> Result<()> {
        if FUZZ.needed_by(|| self.run_all())? == Outcome::NotRun {
            bail!("nothing was fuzzed");
        }
        Ok(())
    }

    fn run_all(&self) -> Result<()> {
        let known = targets()?;
        for name in &self.targets {
            if !known.contains(name) {
                bail!("no fuzz target is called {name}; there are {}", known.join(", "));
            }
        }
        let chosen = if self.targets.is_empty() {
            &known
        } else {
            &self.targets
        };
        for name in chosen {
            println!("fuzz {name} for {} s", self.seconds);
            let mut command = FUZZ.command(&["run", "--sanitizer", "none", name]);
            command.current_dir(FOLDER);
            command.args(["--", "-max_len=4096", "-print_final_stats=1", "-verbosity=0"]);
            command.arg(format!("-max_total_time={}", self.seconds));
            run(
                &mut command,
                "the input that failed is in the fuzz folder's `artifacts`; \
                 mend the code and add the input to the tests",
            )?;
        }
        println!("{} targets found nothing", chosen.len());
        Ok(())
    }
}

/// The job `fuzz`: each target for 20 seconds.
pub(crate) fn smoke() -> Result<()> {
    let fuzz = Fuzz {
        seconds: 20,
        targets: Vec::new(),
    };
    fuzz.run_all()
}

/// The targets are the files of `fuzz_targets`.
fn targets() -> Result<Vec<String>> {
    let folder = Path::new(FOLDER).join("fuzz/fuzz_targets");
    let mut names = Vec::new();
    for entry in folder
        .read_dir()
        .with_context(|| format!("failed to read {}", folder.display()))?
    {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            names.extend(path.file_stem().map(|stem| stem.to_string_lossy().into_owned()));
        }
    }
    names.sort();
    Ok(names)
}
