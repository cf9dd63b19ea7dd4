//! `cargo xtask ci`: the jobs of CI, runnable at home.

use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use clap::{Args, ValueEnum};

use crate::cargo::{cargo, run};
use crate::outcome::Outcome;
use crate::tools::{DENY, FUZZ, HTTP_REGISTRY, MACHETE, TYPOS};
use crate::{
    api, bench, docs, features, follow, fuzz, guides, layers, links, minimal_versions, msrv, outdated,
    package, release, targets, test, tidy, workflows,
};

/// Which jobs to run, and what to do when one fails.
#[derive(Debug, Args)]
pub(crate) struct Ci {
    /// The jobs to run, described by what they find; all that check a change when none is named
    #[arg(value_name = "JOB")]
    jobs: Vec<Job>,
    /// Run the jobs that take too long for each change, instead of the others
    #[arg(long, conflicts_with = "jobs")]
    nightly: bool,
    /// A job to leave out; may be given several times
    #[arg(long, value_name = "JOB")]
    except: Vec<Job>,
    /// Stop at the first job that fails
    #[arg(long)]
    fail_fast: bool,
}

/// The jobs, in the order they run. Each says what it finds, and those from `Outdated` on run at night.
///
/// Jobs that share build artefacts stand side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, ValueEnum)]
enum Job {
    /// A file that rustfmt would change
    Fmt,
    /// A warning of the compiler or of clippy, in any target
    Clippy,
    /// Code that the declared `rust-version` does not build, where that toolchain is installed
    Msrv,
    /// A failing unit or integration test
    Test,
    /// An example in the documentation that does not build or run
    Doctest,
    /// A broken link or a bad code block in the documentation of a crate
    Docs,
    /// A change of a public API that `docs/api` does not show
    Api,
    /// A program or test of the README or a guide that does not build
    Guides,
    /// A step of the README, the first guide or the guide about tests that leads elsewhere than it says
    FollowGuide,
    /// A library that does not build without its features, or with one of them alone
    Features,
    /// A protocol crate that does not build for the platforms of apps, where their targets are installed
    Targets,
    /// Code that needs more instructions than its baseline, where there is one for this toolchain
    BenchGate,
    /// A licence that is not allowed, a second major where one is needed, a known vulnerability
    Deny,
    /// A dependency that no code uses
    Unused,
    /// A link or an anchor in a document that leads nowhere
    Links,
    /// A misspelt word
    Typos,
    /// An arrow between crates that the design does not have
    Layers,
    /// A file that is too long, a tab, a path of one person's machine
    Tidy,
    /// A mistake in what GitHub, Docker and Kubernetes read
    Workflows,
    /// A direct dependency behind its latest major without a reason
    Outdated,
    /// A change that breaks users and is not called so in the changelog
    Semver,
    /// A crate that does not build from its own package, a stray or a large file in one
    Package,
    /// A manifest that allows a version of a dependency which is too old for the code
    MinimalVersions,
    /// An input that a parser panics on; 20 seconds for each target
    Fuzz,
    /// A bench that does not run
    BenchSmoke,
    /// A release that stops half-way, or crates that do not build once published
    Rehearse,
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
        let jobs = selected(&self.jobs, self.nightly, &self.except);
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

        let failed: Vec<String> = rows
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

/// The named jobs, or those of the day or the night, without the excluded ones; each once and in order.
fn selected(named: &[Job], nightly: bool, except: &[Job]) -> Vec<Job> {
    Job::value_variants()
        .iter()
        .copied()
        .filter(|job| {
            if named.is_empty() {
                job.is_nightly() == nightly
            } else {
                named.contains(job)
            }
        })
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
    let mut text = format!("{:<16} {:>8}  {}\n", "job", "seconds", "result");
    for row in rows {
        let result = match row.outcome {
            Outcome::Ok => "ok",
            Outcome::Failed => "FAILED",
            Outcome::NotRun => "not run",
        };
        let seconds = row.took.as_secs_f64();
        text += &format!("{:<16} {seconds:>8.1}  {result}\n", row.job.name());
    }
    text
}

impl Job {
    /// The job's name on the command line.
    fn name(self) -> String {
        self.to_possible_value()
            .map_or_else(String::new, |value| value.get_name().to_owned())
    }

    /// Whether it takes too long for each change, with the building of its tool, or fails by itself in time.
    fn is_nightly(self) -> bool {
        self >= Self::Outdated
    }

    /// Does the work; the error says how to fix what was found.
    fn run(self) -> Result<Outcome> {
        match self {
            Self::Fmt => run(&mut cargo(["fmt", "--all", "--check"]), "run `cargo fmt --all`"),
            Self::Clippy => {
                let mut command = cargo(["clippy", "--workspace", "--all-targets", "--all-features"]);
                run(
                    command.args(["--", "-D", "warnings"]),
                    "fix the warnings above, or say why one is wrong \
                     with `#[expect(LINT, reason = \"...\")]`",
                )
            }
            Self::Msrv => return msrv::run(),
            Self::Test => test::Test::default().run(),
            Self::Doctest => run(
                &mut cargo(["test", "--workspace", "--doc", "--all-features"]),
                "fix the examples named above; one crate alone: `cargo test --doc -p CRATE`",
            ),
            Self::Docs => docs::build(),
            Self::Api => return api::run(),
            Self::Guides => guides::run(),
            Self::FollowGuide => follow::run(),
            Self::Features => features::run(),
            Self::Targets => return targets::run(),
            Self::BenchGate => return bench::Gate::default().run(),
            Self::Deny => return deny(),
            // Otherwise it takes the name of a package for that of its library.
            Self::Unused => return MACHETE.run(&["--with-metadata"], "remove the dependency"),
            Self::Links => links::run(),
            Self::Typos => {
                return TYPOS.run(&[], "correct the word, or say in `_typos.toml` that it is right");
            }
            Self::Layers => layers::run(),
            Self::Tidy => tidy::run(),
            Self::Workflows => return workflows::run(),
            Self::Outdated => return outdated::run(),
            Self::Semver => return release::semver(),
            Self::Package => package::run(),
            Self::MinimalVersions => minimal_versions::run(),
            Self::Fuzz => return FUZZ.needed_by(fuzz::smoke),
            Self::BenchSmoke => bench::smoke(),
            Self::Rehearse => return HTTP_REGISTRY.needed_by(release::rehearse),
        }?;
        Ok(Outcome::Ok)
    }
}

/// What `deny.toml` says of every dependency.
fn deny() -> Result<Outcome> {
    let fix = "follow the message; an exception goes into deny.toml with its reason";
    let rules = ["check", "bans", "licenses", "sources"];
    if DENY.run(&rules, fix)? == Outcome::NotRun {
        return Ok(Outcome::NotRun);
    }
    if !DENY.command(&["fetch", "db"]).status()?.success() {
        println!("\nnot checked: advisories, as their database is not within reach");
        return Ok(Outcome::Ok);
    }
    DENY.run(&["check", "--disable-fetch", "advisories"], fix)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_run_once_and_in_their_order() {
        use Job::*;
        let cases: [(&[Job], &[Job], &[Job]); 3] = [
            (&[Tidy, Fmt, Tidy, Fuzz], &[], &[Fmt, Tidy, Fuzz]),
            (&[Test, Fmt], &[Test], &[Fmt]),
            (&[Test], &[Test], &[]),
        ];
        for (named, except, expected) in cases {
            assert_eq!(
                selected(named, false, except),
                expected,
                "{named:?} without {except:?}"
            );
        }
    }

    #[test]
    fn each_job_runs_by_day_or_by_night() {
        let day = selected(&[], false, &[Job::Test]);
        let night = selected(&[], true, &[]);
        assert!(day.contains(&Job::Fmt) && !day.contains(&Job::Test) && !day.contains(&Job::Fuzz));
        assert!(night.contains(&Job::Fuzz) && !night.contains(&Job::Fmt));
        assert_eq!(day.len() + night.len() + 1, Job::value_variants().len());
    }

    #[test]
    fn the_page_about_tests_has_a_row_for_each_job() {
        let page = include_str!("../../docs/testing.md");
        for job in Job::value_variants() {
            let when = if job.is_nightly() { "night" } else { "change" };
            let row = format!("\n| `{}` | {when} | ", job.name());
            assert!(
                page.contains(&row),
                "docs/testing.md lacks a row that begins with{row}"
            );
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
        assert!(
            error.contains("lint") && error.contains("follow-guide, features"),
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
job               seconds  result
fmt                   1.2  ok
doctest              90.0  FAILED
docs                  0.0  not run
";
        assert_eq!(table(&rows), expected);
    }
}
