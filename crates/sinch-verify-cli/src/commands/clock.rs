//! `clock`: the emulator's time, by which verifications live.

use std::time::Duration;

use serde_json::{Value, json as value};
use sinch_verify_protocol::duration;

use crate::exit::Outcome;
use crate::listing::print_object;
use crate::target::EmulatorArgs;

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Show the service time, the wall clock, and what is due next.
    Show(EmulatorArgs),
    /// Stop the service time. It then moves only by `advance` and `to`.
    Pause(EmulatorArgs),
    /// Let the service time run with the wall clock again.
    Resume(EmulatorArgs),
    /// Move the service time ahead. What falls due happens at once.
    Advance {
        /// How far, such as `5m`.
        #[arg(value_name = "DURATION", value_parser = duration::parse)]
        by: Duration,
        #[command(flatten)]
        emulator: EmulatorArgs,
    },
    /// Move the service time to what is due next.
    To {
        /// The next thing that is due, or the next expiry of a verification.
        #[arg(value_enum)]
        goal: Goal,
        #[command(flatten)]
        emulator: EmulatorArgs,
    },
}

#[derive(Clone, Copy, clap::ValueEnum)]
pub(crate) enum Goal {
    Next,
    NextExpiry,
}

impl Command {
    /// Whether the output is for scripts.
    pub(crate) fn json(&self) -> bool {
        self.emulator().json
    }

    fn emulator(&self) -> &EmulatorArgs {
        match self {
            Self::Show(emulator) | Self::Pause(emulator) | Self::Resume(emulator) => emulator,
            Self::Advance { emulator, .. } | Self::To { emulator, .. } => emulator,
        }
    }

    /// What is asked of the emulator; `None` to look only.
    fn change(&self) -> Option<Value> {
        Some(match self {
            Self::Show(_) => return None,
            Self::Pause(_) => value!({ "pause": true }),
            Self::Resume(_) => value!({ "pause": false }),
            Self::Advance { by, .. } => value!({ "advance": duration::to_text(by) }),
            Self::To { goal: Goal::Next, .. } => value!({ "to": "next" }),
            Self::To {
                goal: Goal::NextExpiry,
                ..
            } => value!({ "to": "next-expiry" }),
        })
    }
}

/// Runs the command.
pub(crate) async fn run(command: Command) -> anyhow::Result<Outcome> {
    let control = command.emulator().connect().await?;
    let times = match command.change() {
        None => control.get("/_emu/clock").await?,
        Some(change) => control.post_for("/_emu/clock", &change).await?,
    };
    print_object(&times, command.json())?;
    Ok(Outcome::Yes)
}
