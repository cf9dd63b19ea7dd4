//! What is run, and how much of it.

use std::num::NonZeroUsize;
use std::time::Duration;

use jiff::SignedDuration;
use sinch_verify_loadtest::Scenario;

#[derive(Debug, clap::Args)]
pub(crate) struct LoadArgs {
    /// What every user does over and over: sms, flashcall or callout.
    #[arg(long, value_name = "NAME", default_value = "sms")]
    pub(crate) scenario: Scenario,

    /// How many users there are at once, each waiting for its answers (closed model).
    #[arg(long, value_name = "N", value_parser = users)]
    pub(crate) users: NonZeroUsize,

    /// For how long, such as 10s or 2m30s.
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = duration)]
    pub(crate) duration: Duration,
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
    use super::*;

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
