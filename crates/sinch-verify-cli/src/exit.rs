//! Exit codes, and how an error is told.

use crate::control::NobodyThere;
use crate::print::{self, note};
use std::process::ExitCode;

/// How a command ended when nothing went wrong with the command itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Yes: verified, matched, as expected.
    Yes,
    /// No: not verified, no match, not as expected.
    No,
}

impl From<bool> for Outcome {
    fn from(yes: bool) -> Self {
        if yes { Self::Yes } else { Self::No }
    }
}

/// The call itself was wrong: exit code 2, as clap has it.
#[derive(Debug)]
pub(crate) struct Usage(pub String);

impl std::fmt::Display for Usage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Usage {}

/// An error that exits with 2.
pub(crate) fn usage(message: impl std::fmt::Display) -> anyhow::Error {
    anyhow::Error::new(Usage(message.to_string()))
}

/// Tells an error on stderr and chooses the exit code.
pub(crate) fn code(result: anyhow::Result<Outcome>) -> ExitCode {
    let error = match result {
        Ok(_) if print::failed() => {
            note!("error: failed to write to standard output");
            return ExitCode::from(1);
        }
        Ok(Outcome::Yes) => return ExitCode::SUCCESS,
        Ok(Outcome::No) => return ExitCode::from(1),
        Err(error) => error,
    };
    let bold_red = anstyle::Style::new()
        .bold()
        .fg_color(Some(anstyle::AnsiColor::Red.into()));
    note!("{bold_red}error{bold_red:#}: {error:#}");
    if error.is::<Usage>() {
        return ExitCode::from(2);
    }
    if error.is::<NobodyThere>() {
        note!("is it running? `sinch-verify serve` starts one on this machine, and --url names another");
        return ExitCode::from(5);
    }
    let Some(client) = error
        .chain()
        .find_map(|cause| cause.downcast_ref::<sinch_verify_client::Error>())
    else {
        return ExitCode::from(1);
    };
    if client.is_connect() {
        note!(
            "is the service running? `sinch-verify serve` starts one on this machine, and --url names another"
        );
    }
    ExitCode::from(match client.status().map(|status| status.as_u16()) {
        Some(401) => 4,
        Some(403) if !client.is_denied() => 4,
        Some(429) => 6,
        _ if client.is_timeout() || client.is_connect() => 5,
        _ => 1,
    })
}
