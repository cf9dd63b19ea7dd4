//! `cargo xtask ci`: the jobs of CI, runnable at home.

use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use clap::{Args, ValueEnum};

use crate::cargo::{cargo, run};
use crate::{docs, features, follow, guides, layers, targets, test, tidy};

/// Which jobs to run, and what to do when one fails.
#[derive(Debug, Args)]
pub(crate) struct Ci {
    /// The jobs to run; all of them when none is named
    #[arg(value_name = "JOB")]
    jobs: Vec<Job>,
    /// A job to leave out; may be given several times
    #[arg(long, value_name = "JOB")]
    except: Vec<Job>,
    /// Stop at the first job that fails
    #[arg(long)]
    fail_fast: bool,
}

/// The jobs, in the order they run.
///
/// Jobs that share build artefacts stand side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Job {
    /// The formatting of every file
    Fmt,
    /// Compiler and clippy warnings of every target
    Clippy,
    /// Unit and integration tests
    Test,
    /// The examples in the documentation
    Doctest,
    /// The documentation itself
    Docs,
    /// The programs and tests in the README and the guides
    Guides,
    /// The README, the first guide and the guide about tests, done as a newcomer does them
    FollowGuide,
    /// Every library with each of its features alone
    Features,
    /// The protocol crate on the platforms of apps, where their targets are installed
    Targets,
    /// The arrows between crates
    Layers,
    /// The text of the repository
    Tidy,
}

/// How a job ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Ok,
    Failed,
    NotRun,
}

/// One line of the table at the end.
#[derive(Debug)]
struct Row {
    job: Job,
    outcome: Outcome,
    took: Duration,
}

impl Ci {
    /// Runs the jobs, prints a table of them, and fails when one of them did.
    pub(crate) fn run(&self) -> Result<()> {
        let jobs = selected(&self.jobs, &self.except);
        ensure!(
            !jobs.is_empty(),
            "every job is left out: name fewer jobs in `--except`"
        );
        let rows = run_all(&jobs, self.fail_fast, |job| {
            println!("\n==> {}", job.name());
            job.run().unwrap_or_else(|error| {
                println!("\n{} FAILED: {error:#}", job.name());
                Outcome::Failed
            })
        });
        print!("\n{}", table(&rows));

        let failed: Vec<&str> = rows
            .iter()
            .filter(|row| row.outcome == Outcome::Failed)
            .map(|row| row.job.name())
            .collect();
        if !failed.is_empty() {
            let names = failed.join(" ");
            bail!("failed: {names} (run again with `cargo xtask ci {names}`)");
        }
        Ok(())
    }
}

/// The named jobs, or all, without the excluded ones; each once and in the order of CI.
fn selected(named: &[Job], except: &[Job]) -> Vec<Job> {
    Job::value_variants()
        .iter()
        .copied()
        .filter(|job| named.is_empty() || named.contains(job))
        .filter(|job| !except.contains(job))
        .collect()
}

/// Runs one job after the other and notes how each ended.
fn run_all(jobs: &[Job], fail_fast: bool, mut run: impl FnMut(Job) -> Outcome) -> Vec<Row> {
    let mut stopped = false;
    jobs.iter()
        .map(|&job| {
            if stopped {
                return Row {
                    job,
                    outcome: Outcome::NotRun,
                    took: Duration::ZERO,
                };
            }
            let start = Instant::now();
            let outcome = run(job);
            stopped = fail_fast && outcome == Outcome::Failed;
            Row {
                job,
                outcome,
                took: start.elapsed(),
            }
        })
        .collect()
}

/// The jobs with their seconds and their ends.
fn table(rows: &[Row]) -> String {
    let mut text = format!("{:<12} {:>8}  {}\n", "job", "seconds", "result");
    for row in rows {
        let result = match row.outcome {
            Outcome::Ok => "ok",
            Outcome::Failed => "FAILED",
            Outcome::NotRun => "not run",
        };
        let seconds = row.took.as_secs_f64();
        text += &format!("{:<12} {seconds:>8.1}  {result}\n", row.job.name());
    }
    text
}

impl Job {
    /// The job's name on the command line.
    fn name(self) -> &'static str {
        match self {
            Self::Fmt => "fmt",
            Self::Clippy => "clippy",
            Self::Test => "test",
            Self::Doctest => "doctest",
            Self::Docs => "docs",
            Self::Guides => "guides",
            Self::FollowGuide => "follow-guide",
            Self::Features => "features",
            Self::Targets => "targets",
            Self::Layers => "layers",
            Self::Tidy => "tidy",
        }
    }

    /// Does the work; the error says how to fix what was found.
    fn run(self) -> Result<Outcome> {
        match self {
            Self::Fmt => run(&mut cargo(["fmt", "--all", "--check"]), "run `cargo fmt --all`"),
            Self::Clippy => run(
                &mut cargo([
                    "clippy",
                    "--workspace",
                    "--all-targets",
                    "--all-features",
                    "--",
                    "-D",
                    "warnings",
                ]),
                "fix the warnings above, or say why one is wrong \
                 with `#[expect(LINT, reason = \"...\")]`",
            ),
            Self::Test => test::Test::default().run(),
            Self::Doctest => run(
                &mut cargo(["test", "--workspace", "--doc", "--all-features"]),
                "fix the examples named above; one crate alone: `cargo test --doc -p CRATE`",
            ),
            Self::Docs => docs::build(),
            Self::Guides => guides::run(),
            Self::FollowGuide => follow::run(),
            Self::Features => features::run(),
            Self::Targets if !targets::run()? => return Ok(Outcome::NotRun),
            Self::Targets => Ok(()),
            Self::Layers => layers::run(),
            Self::Tidy => tidy::run(),
        }?;
        Ok(Outcome::Ok)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_run_once_and_in_the_order_of_ci() {
        use Job::*;
        let all = [
            Fmt,
            Clippy,
            Test,
            Doctest,
            Docs,
            Guides,
            FollowGuide,
            Features,
            Targets,
            Layers,
            Tidy,
        ];
        let cases: [(&[Job], &[Job], &[Job]); 5] = [
            (&[], &[], &all),
            (&[Tidy, Fmt, Tidy], &[], &[Fmt, Tidy]),
            (
                &[],
                &[Test, Docs],
                &[
                    Fmt,
                    Clippy,
                    Doctest,
                    Guides,
                    FollowGuide,
                    Features,
                    Targets,
                    Layers,
                    Tidy,
                ],
            ),
            (&[Test, Fmt], &[Test], &[Fmt]),
            (&[Test], &[Test], &[]),
        ];
        for (named, except, expected) in cases {
            assert_eq!(selected(named, except), expected, "{named:?} without {except:?}");
        }
    }

    #[test]
    fn the_names_are_those_of_the_command_line() {
        for job in Job::value_variants() {
            let value = job.to_possible_value().unwrap();
            assert_eq!(value.get_name(), job.name());
        }
    }

    #[test]
    fn an_unknown_job_is_answered_with_the_valid_names() {
        #[derive(Debug, clap::Parser)]
        struct Line {
            #[command(flatten)]
            ci: Ci,
        }
        let error = <Line as clap::Parser>::try_parse_from(["ci", "lint"])
            .unwrap_err()
            .to_string();
        assert!(error.contains("lint"), "{error}");
        assert!(
            error.contains(
                "fmt, clippy, test, doctest, docs, guides, follow-guide, features, targets, layers, tidy"
            ),
            "{error}"
        );
    }

    #[test]
    fn a_failure_stops_the_rest_only_when_asked() {
        let jobs = [Job::Fmt, Job::Test, Job::Tidy];
        let outcomes = |fail_fast| {
            run_all(&jobs, fail_fast, |job| match job {
                Job::Test => Outcome::Failed,
                _ => Outcome::Ok,
            })
            .iter()
            .map(|row| row.outcome)
            .collect::<Vec<_>>()
        };
        assert_eq!(outcomes(false), [Outcome::Ok, Outcome::Failed, Outcome::Ok]);
        assert_eq!(outcomes(true), [Outcome::Ok, Outcome::Failed, Outcome::NotRun]);
    }

    #[test]
    fn the_table_has_seconds_and_results() {
        let rows = [
            Row {
                job: Job::Fmt,
                outcome: Outcome::Ok,
                took: Duration::from_millis(1234),
            },
            Row {
                job: Job::Doctest,
                outcome: Outcome::Failed,
                took: Duration::from_secs(90),
            },
            Row {
                job: Job::Docs,
                outcome: Outcome::NotRun,
                took: Duration::ZERO,
            },
        ];
        let expected = "\
job           seconds  result
fmt               1.2  ok
doctest          90.0  FAILED
docs              0.0  not run
";
        assert_eq!(table(&rows), expected);
    }
}
