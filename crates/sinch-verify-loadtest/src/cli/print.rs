//! Output of the command: results on standard output, everything else on standard error.

use std::fmt::Display;
use std::io::{ErrorKind, Write as _};

use anstyle::{AnsiColor, Style};
use anyhow::{Context as _, Result};

use crate::compare::NotComparable;
use crate::engine::RunError;
use crate::verdict::Exit;

const ERROR: Style = AnsiColor::Red.on_default().bold();
const HINT: Style = AnsiColor::Cyan.on_default().bold();

/// Uses colours always, never, or where they belong.
pub(crate) fn choose_color(choice: clap::ColorChoice) {
    let choice = match choice {
        clap::ColorChoice::Auto => anstream::ColorChoice::Auto,
        clap::ColorChoice::Always => anstream::ColorChoice::Always,
        clap::ColorChoice::Never => anstream::ColorChoice::Never,
    };
    choice.write_global();
}

/// Writes to standard output. A reader that closed the pipe is no error: the exit code is the verdict.
pub(crate) fn print(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error).context("write to standard output"),
        _ => Ok(()),
    }
}

/// Writes a line to standard error.
pub(crate) fn note(text: impl Display) {
    let _ = writeln!(anstream::stderr(), "{text}");
}

/// Writes an error to standard error.
pub(crate) fn error(text: impl Display) {
    note(format_args!("{ERROR}error{ERROR:#}: {text}"));
}

/// The command was used wrongly. Nothing was sent.
#[derive(Debug)]
pub(crate) struct Usage {
    message: String,
    hint: Option<&'static str>,
}

impl Usage {
    pub(crate) fn new(message: impl Display) -> Self {
        Self {
            message: message.to_string(),
            hint: None,
        }
    }
}

impl From<NotComparable> for Usage {
    fn from(error: NotComparable) -> Self {
        Self {
            message: error.to_string(),
            hint: Some(error.hint()),
        }
    }
}

impl Display for Usage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Usage {}

/// Writes the error that ended the command, and what to do about it. Gives the exit code.
pub(crate) fn fail(failure: &anyhow::Error) -> Exit {
    let (exit, hint) = match (
        failure.downcast_ref::<Usage>(),
        failure.downcast_ref::<RunError>(),
    ) {
        (Some(usage), _) => (Exit::Usage, usage.hint),
        (None, Some(run)) => (run.exit(), run.hint()),
        (None, None) => (Exit::Invalid, None),
    };
    if failure.is::<Usage>() {
        error(failure);
    } else {
        error(format_args!("failed to {failure:#}"));
    }
    if let Some(hint) = hint {
        note(format_args!("{HINT}hint{HINT:#}: {hint}"));
    }
    exit
}
