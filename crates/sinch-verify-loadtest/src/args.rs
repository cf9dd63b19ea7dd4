//! The command line.

use std::env;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, Subcommand};
use jiff::SignedDuration;
use sinch_verify_loadtest::{Options, Scenario, TargetUrl};
use sinch_verify_protocol::{ApplicationKey, ApplicationSecret, Credentials};

const KEY: &str = "SINCH_APPLICATION_KEY";
const SECRET: &str = "SINCH_APPLICATION_SECRET";

/// Load on the whole Sinch Verification flow, and a verdict.
#[derive(Debug, Parser)]
#[command(name = "sinch-verify-load", version)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run complete verifications and report their latency.
    ///
    /// Exits with 0 when every flow that finished ended as expected, 1 when flows failed or none
    /// finished, 2 on wrong usage, 3 when the load tester itself went wrong, and 5 when the target
    /// cannot be reached.
    Run(RunArgs),
}

#[derive(Debug, clap::Args)]
pub(crate) struct RunArgs {
    /// What every user does over and over: sms, flashcall or callout.
    #[arg(long, value_name = "NAME", default_value = "sms")]
    pub(crate) scenario: Scenario,

    /// How many users there are at once, each waiting for its answers (closed model).
    #[arg(long, value_name = "N", value_parser = users)]
    pub(crate) users: NonZeroUsize,

    /// For how long, such as 10s or 2m30s.
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = duration)]
    pub(crate) duration: Duration,

    /// Another emulator on this machine, such as http://127.0.0.1:9901. Its application comes from
    /// SINCH_APPLICATION_KEY and SINCH_APPLICATION_SECRET. Without it a run starts an emulator of
    /// its own.
    #[arg(long, value_name = "URL")]
    pub(crate) target: Option<TargetUrl>,

    /// Write the report as JSON; `-` is standard output, and sends the table to standard error.
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
}

impl RunArgs {
    /// What to run, or what keeps it from being run.
    pub(crate) fn options(&self) -> Result<Options, String> {
        let options = Options::new(self.scenario, self.users, self.duration);
        let Some(url) = &self.target else {
            return Ok(options);
        };
        let given = |name| env::var(name).map_err(|_| format!("--target needs {name} in the environment"));
        let key = ApplicationKey::new(&given(KEY)?).map_err(|error| format!("{KEY}: {error}"))?;
        let secret = ApplicationSecret::new(&given(SECRET)?).map_err(|error| format!("{SECRET}: {error}"))?;
        Ok(options.target(url.clone(), Credentials::signed(key, secret)))
    }
}

/// More users than this have more sockets than a process usually may.
const MOST_USERS: usize = 10_000;

fn users(text: &str) -> Result<NonZeroUsize, String> {
    text.parse()
        .ok()
        .filter(|users: &NonZeroUsize| users.get() <= MOST_USERS)
        .ok_or_else(|| format!("must be a whole number from 1 to {MOST_USERS}"))
}

/// The shortest and the longest run.
const SHORTEST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

fn duration(text: &str) -> Result<Duration, String> {
    let parsed: SignedDuration = text
        .parse()
        .map_err(|_| "must be a time with its unit, such as 10s or 2m30s".to_owned())?;
    Duration::try_from(parsed)
        .ok()
        .filter(|duration| (SHORTEST..=LONGEST).contains(duration))
        .ok_or_else(|| "must be from 100ms to 24h".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn command_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn durations_have_units_and_bounds() {
        assert_eq!(duration("10s"), Ok(Duration::from_secs(10)));
        assert_eq!(duration("2m30s"), Ok(Duration::from_secs(150)));
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        for wrong in ["", "10", "0s", "-10s", "25h", "ten"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn users_have_bounds() {
        assert!(users("1").is_ok());
        for wrong in ["0", "-1", "10001", "20.5", ""] {
            assert!(users(wrong).is_err(), "{wrong}");
        }
    }
}
