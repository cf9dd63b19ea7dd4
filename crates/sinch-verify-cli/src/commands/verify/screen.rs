//! What a person sees of a verification, and types.
//!
//! On a terminal the line above the input counts down to the expiry; elsewhere each question is one line.

use std::io::BufRead as _;
use std::time::Duration;

use serde_json::Value;
use sinch_verify_protocol::method::ProofKind;
use sinch_verify_protocol::session::Progress;
use sinch_verify_protocol::{Method, PhoneNumber, VerificationId, timestamp};
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::control::{Control, escaped};
use crate::print::{self, note};
use crate::table::terminal_width;

/// The lines of standard input, read by a thread of its own: the command can end while a read waits.
pub(super) fn lines() -> mpsc::UnboundedReceiver<String> {
    let (tell, lines) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines() {
            let Ok(line) = line else { return };
            if tell.send(line).is_err() {
                return;
            }
        }
    });
    lines
}

/// When the emulator lets a verification expire, by the wall clock; `None` if its clock stands, or if it is
/// no emulator.
pub(super) async fn expiry(emulator: &Control, id: &VerificationId) -> Option<Instant> {
    let path = format!("/_emu/verifications/{}", escaped(id.as_str()));
    let verification: Value = emulator.get(&path).await.ok()?;
    let clock: Value = emulator.get("/_emu/clock").await.ok()?;
    if clock["manual"] == true {
        return None;
    }
    let time = |value: &Value| timestamp::parse(value.as_str()?).ok();
    let left = time(&verification["expiresAt"])?.duration_since(time(&clock["service"])?);
    Some(Instant::now() + left.unwrap_or_default())
}

pub(super) struct Screen {
    /// Whether a person is asked.
    asks: bool,
    counts_down: bool,
    expires: Instant,
    /// The line above the input, while something is asked.
    choices: Option<String>,
}

impl Screen {
    /// With `auto` nothing is asked.
    pub(super) fn new(auto: bool) -> Self {
        Self {
            asks: !auto,
            counts_down: !auto && print::can_rewrite(),
            expires: Instant::now(),
            choices: None,
        }
    }

    /// When what is asked for expires.
    pub(super) fn expires(&mut self, at: Instant) {
        self.expires = at;
    }

    /// Asks for the proof of `method`.
    pub(super) fn ask(&mut self, number: PhoneNumber, method: &Method, next: Option<&Method>) {
        self.leave();
        if !self.asks {
            return;
        }
        let what = match method.proof() {
            Some(ProofKind::Cli) => format!("Type the number that called {number}"),
            Some(_) => format!("Type the code that {number} got by {method}"),
            None => format!("Waiting for {number} to be verified by {method}"),
        };
        let next = next.map_or_else(String::new, |next| format!(", n goes on with {next}"));
        let choices = format!("r sends again{next}, q gives up");
        note!("{what}");
        note!("{}", self.with_time(&choices));
        if self.counts_down {
            print::prompt("> ");
        }
        self.choices = Some(choices);
    }

    /// Counts down.
    pub(super) fn tick(&self) {
        if let Some(choices) = self.choices.as_ref().filter(|_| self.counts_down) {
            print::rewrite_line_above(&self.with_time(choices));
        }
    }

    /// The person has answered, so the cursor is on a new line.
    pub(super) fn answered(&mut self) {
        self.choices = None;
    }

    /// Begins a new line, if the cursor is behind a question.
    pub(super) fn leave(&mut self) {
        if self.choices.take().is_some() && self.counts_down {
            note!("");
        }
    }

    /// Shows what happened; says whether it is to be asked again.
    pub(super) fn shows(&mut self, progress: &Progress) -> bool {
        let text = match progress {
            Progress::Starting { method } => format!("Starting a verification by {method}"),
            Progress::Refused { attempts_left } => format!("Wrong; {attempts_left} attempts are left"),
            Progress::ReportLost => "The answer to the report was lost; asking for the status".to_owned(),
            Progress::ReportUnsettled => "Whether the report arrived is unknown".to_owned(),
            Progress::FallingBack { from, to, why } => format!("{from} failed: {why}; trying {to}"),
            Progress::PollingEnded => "The call is over, and its outcome unknown".to_owned(),
            _ => return false,
        };
        self.leave();
        note!("{text}");
        self.asks && matches!(progress, Progress::Refused { .. } | Progress::ReportUnsettled)
    }

    /// `choices`, with the time left on a terminal, in one line of it.
    fn with_time(&self, choices: &str) -> String {
        if !self.counts_down {
            return choices.to_owned();
        }
        let left = self.expires.saturating_duration_since(Instant::now());
        let line = format!("[{}] {choices}", minutes(left));
        line.chars().take(terminal_width().into()).collect()
    }
}

/// Minutes and seconds, rounded up.
fn minutes(left: Duration) -> String {
    let seconds = left.as_secs() + u64::from(left.subsec_nanos() > 0);
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::minutes;

    #[test]
    fn the_time_left_ends_with_zero() {
        for (millis, shown) in [(0, "0:00"), (1, "0:01"), (59_001, "1:00"), (600_000, "10:00")] {
            assert_eq!(minutes(Duration::from_millis(millis)), shown);
        }
    }
}
