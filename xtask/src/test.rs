//! `cargo xtask test`: every test that is not a doctest, and what did not run.

mod not_run;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs;
use std::io::{BufRead as _, BufReader, IsTerminal as _};
use std::process::Stdio;

use anyhow::{Context as _, Result, bail};
use clap::Args;

use crate::cargo::{cargo, run, shown};
use crate::metadata::members;

/// The README's test command. It needs Rust and nothing else.
#[derive(Debug, Default, Args)]
pub(crate) struct Test {
    /// Passed on to the test binaries: a part of a test's name, `--nocapture`
    #[arg(last = true)]
    args: Vec<OsString>,
}

impl Test {
    /// Tests libraries, binaries and integration tests with all features.
    ///
    /// Doctests have a job of their own because they take long for what they find;
    /// benches are built by the `clippy` job and measured elsewhere.
    pub(crate) fn run(&self) -> Result<()> {
        let reports = members()?.target_directory.join("tests-not-run.txt");
        if reports.exists() {
            fs::remove_file(&reports).with_context(|| format!("failed to remove {reports}"))?;
        }
        // Some tests run the examples as programs.
        run(
            &mut cargo(["build", "--workspace", "--all-features", "--examples"]),
            "an example does not build",
        )?;
        let mut command = cargo([
            "test",
            "--workspace",
            "--all-features",
            "--lib",
            "--bins",
            "--tests",
            // One run names every failure, not only those of the first crate that has one.
            "--no-fail-fast",
            "--",
        ]);
        if std::io::stdout().is_terminal() {
            // The tests write to a pipe.
            command.arg("--color=always");
        }
        command.args(&self.args).env(not_run::FILE, &reports);
        println!("$ {}", shown(&command));
        let mut child = command
            .stdout(Stdio::piped())
            .spawn()
            .context("failed to start cargo")?;
        let mut totals = Totals::default();
        if let Some(output) = child.stdout.take() {
            for line in BufReader::new(output).lines() {
                let line = line.context("failed to read what the tests print")?;
                println!("{line}");
                totals.add(&line);
            }
        }
        let status = child.wait().context("failed to wait for cargo")?;
        print!("\n{}", totals.summary(&not_run::read(reports.as_std_path())));
        if !status.success() {
            bail!(
                "the failures are named above; \
                 `cargo xtask test -- PART_OF_A_NAME` runs one of them again"
            );
        }
        Ok(())
    }
}

/// The sums of what the test programs count.
#[derive(Debug, Default, PartialEq, Eq)]
struct Totals {
    passed: usize,
    failed: usize,
    /// Tests with `#[ignore]`.
    ignored: usize,
}

impl Totals {
    /// Adds a program's closing line, as in `test result: ok. 3 passed; 0 failed; 1 ignored; ...`.
    fn add(&mut self, line: &str) {
        if !line.starts_with("test result: ") {
            return;
        }
        let words: Vec<&str> = line.split([' ', ';']).filter(|word| !word.is_empty()).collect();
        for pair in words.windows(2) {
            let count = pair[0].parse().unwrap_or(0);
            match pair[1] {
                "passed" => self.passed += count,
                "failed" => self.failed += count,
                "ignored" => self.ignored += count,
                _ => {}
            }
        }
    }

    /// What did not run and why, and the totals on the last line.
    fn summary(&self, not_run: &BTreeMap<String, BTreeSet<String>>) -> String {
        let mut text = String::new();
        for (why, tests) in not_run {
            text += &format!("not run: {why}\n");
            for test in tests {
                text += &format!("  {test}\n");
            }
        }
        // Without its program a test ends at once, and the harness counts it as passed.
        let not_run: usize = not_run.values().map(BTreeSet::len).sum();
        let passed = self.passed.saturating_sub(not_run);
        let skipped = self.ignored + not_run;
        text += &format!("{passed} passed, {} failed, {skipped} skipped\n", self.failed);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_lines_are_added_up_and_other_lines_are_not() {
        let mut totals = Totals::default();
        for line in [
            "running 4 tests",
            "test a_test_with_7 passed; ... ok",
            "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 5 filtered out; finished in 0.01s",
            "test result: \u{1b}[31mFAILED\u{1b}[m. 20 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out",
        ] {
            totals.add(line);
        }
        let expected = Totals {
            passed: 23,
            failed: 2,
            ignored: 1,
        };
        assert_eq!(totals, expected);
    }

    #[test]
    fn what_did_not_run_is_listed_and_not_counted_as_passed() {
        let totals = Totals {
            passed: 23,
            failed: 1,
            ignored: 1,
        };
        let tests = |names: &[&str]| names.iter().map(ToString::to_string).collect();
        let not_run = BTreeMap::from([
            (
                "no browser".to_owned(),
                tests(&["a, page: closes", "a, page: opens"]),
            ),
            ("no redis-server".to_owned(), tests(&["b, redis: stores"])),
        ]);
        let expected = "\
not run: no browser
  a, page: closes
  a, page: opens
not run: no redis-server
  b, redis: stores
20 passed, 1 failed, 4 skipped
";
        assert_eq!(totals.summary(&not_run), expected);
        let all_ran = BTreeMap::new();
        assert_eq!(totals.summary(&all_ran), "23 passed, 1 failed, 1 skipped\n");
    }

    #[test]
    fn a_report_names_its_test_once() {
        let file = std::env::temp_dir().join(format!("not-run-{}.txt", std::process::id()));
        let program = std::env::current_exe().unwrap();
        for _ in 0..2 {
            let status = std::process::Command::new(&program)
                .args([
                    "--exact",
                    "test::tests::reports_where_it_is_asked_to",
                    "--test-threads=2",
                ])
                .env(not_run::FILE, &file)
                .env("REPORT", "1")
                .env_remove("CI")
                .output()
                .unwrap()
                .status;
            assert!(status.success());
        }
        let reports = not_run::read(&file);
        fs::remove_file(&file).unwrap();
        let test = "xtask, xtask: test::tests::reports_where_it_is_asked_to";
        let expected = (
            "a program is missing".to_owned(),
            BTreeSet::from([test.to_owned()]),
        );
        assert_eq!(reports, BTreeMap::from([expected]));
    }

    /// What the test above starts.
    #[test]
    fn reports_where_it_is_asked_to() {
        if std::env::var_os("REPORT").is_some() {
            not_run::report("a program is missing");
        }
    }
}
