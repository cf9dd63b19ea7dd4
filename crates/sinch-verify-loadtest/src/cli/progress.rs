//! The state of the run while it goes on, on standard error: a block that redraws every second on a terminal,
//! a few plain lines elsewhere.

use std::fmt::Write as _;
use std::io::stderr;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::print::note;
use crate::live::{Limits, Spending};
use crate::recorder::{Phase, Recorder, Snapshot};

/// Without a terminal, at most this many lines are written in a run, however long it is,
const LINES: u32 = 20;
/// and one in this time at most.
const SELDOM: Duration = Duration::from_secs(10);

const BAD: Style = AnsiColor::Red.on_default().bold();
const FAINT: Style = Style::new().dimmed();
/// The bar with its time, and below it the figures, cut where the terminal ends.
const BLOCK: &str = "{wide_bar:.cyan/dim} {prefix}\n{wide_msg}";

/// Shows the state of a run until it is dropped.
pub(crate) struct Progress {
    over: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Progress {
    /// Starts to show the run. Where the system gives no thread, nothing is shown.
    pub(crate) fn start(recorder: Arc<Recorder>, limits: Option<Arc<Limits>>) -> Self {
        let (over, is_over) = channel();
        let thread = thread::Builder::new().name("progress".to_owned()).spawn(move || {
            let mut view = View::new();
            while is_over.recv_timeout(Duration::from_secs(1)) == Err(RecvTimeoutError::Timeout) {
                let spending = limits.as_ref().map(|limits| limits.spending());
                view.show(&recorder.snapshot(), spending.as_ref());
            }
            view.bar.finish_and_clear();
        });
        Self {
            over: Some(over),
            thread: thread.ok(),
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.over = None;
        if let Some(thread) = self.thread.take() {
            // The block is gone before the report is written.
            let _ = thread.join();
        }
    }
}

struct View {
    /// Hidden where standard error is not a terminal.
    bar: ProgressBar,
    colour: bool,
    /// When the last plain line was written.
    last: Duration,
}

impl View {
    fn new() -> Self {
        let bar = ProgressBar::new(0);
        if let Ok(style) = ProgressStyle::with_template(BLOCK) {
            bar.set_style(style.progress_chars("━╸─"));
        }
        Self {
            bar,
            colour: AutoStream::choice(&stderr()) != ColorChoice::Never,
            last: Duration::ZERO,
        }
    }

    fn show(&mut self, now: &Snapshot, spending: Option<&Spending>) {
        let time = time(now);
        if self.bar.is_hidden() {
            if is_due(self.last, now.elapsed, now.duration) {
                self.last = now.elapsed;
                note(format_args!("{time}  {}", figures(now, spending, false)));
            }
            return;
        }
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        self.bar.set_length(millis(now.duration));
        self.bar.set_prefix(time);
        self.bar.set_message(figures(now, spending, self.colour));
        self.bar.set_position(millis(now.elapsed.min(now.duration)));
    }
}

/// Whether it is time for another plain line.
fn is_due(last: Duration, elapsed: Duration, duration: Duration) -> bool {
    elapsed.saturating_sub(last) >= SELDOM.max(duration / LINES)
}

fn time(now: &Snapshot) -> String {
    let phase = match now.phase {
        Phase::Running => "",
        Phase::Draining => ", finishing",
        Phase::Stopped => ", ending",
    };
    format!(
        "{:.0}/{:.0} s{phase}",
        now.elapsed.as_secs_f64(),
        now.duration.as_secs_f64()
    )
}

/// The figures of the run, the most important first: a narrow terminal cuts the others off.
fn figures(now: &Snapshot, spending: Option<&Spending>, colour: bool) -> String {
    let mut line = format!("{}/s", now.last.finished);
    // Writing to a string cannot fail.
    if now.wanted > 0.0 {
        let _ = write!(line, " of {:.0}/s", now.wanted);
    }
    let _ = write!(
        line,
        "  {} in flight  p50 {} p99 {} ms",
        now.in_flight,
        milliseconds(now.p50),
        milliseconds(now.p99)
    );
    let mut count = |name: &str, count: u64| {
        let style = match (colour, count) {
            (false, _) => Style::new(),
            (true, 0) => FAINT,
            (true, _) => BAD,
        };
        let _ = write!(line, "  {style}{count} {name}{style:#}");
    };
    count("failed", now.total.failed);
    if now.total.dropped > 0 {
        count("dropped", now.total.dropped);
    }
    if let Some(spending) = spending {
        let Spending {
            spent,
            limit,
            currency,
            ..
        } = spending;
        let _ = write!(line, "  {spent} of {limit} {currency} spent");
    }
    if let Some((kind, count)) = now.errors.iter().max_by_key(|(_, count)| **count) {
        let _ = write!(line, "  {kind}: {count}");
    }
    line
}

fn milliseconds(time: Duration) -> String {
    let ms = time.as_secs_f64() * 1000.0;
    if ms < 100.0 {
        format!("{ms:.1}")
    } else {
        format!("{ms:.0}")
    }
}

#[cfg(test)]
mod tests {
    use crate::model::{FailureKind, Shard, sample_setup};

    use super::*;

    fn recorder() -> Recorder {
        let mut setup = sample_setup();
        setup.duration_seconds = 20.0;
        Recorder::new(&setup, Shard::WHOLE)
    }

    #[test]
    fn figures_have_colours_only_where_they_are_seen() {
        let recorder = recorder();
        recorder.open(std::time::Instant::now());
        recorder.scheduled(Duration::ZERO);
        recorder.dropped(Duration::ZERO);
        let mut now = recorder.snapshot();
        assert_eq!(time(&now), "0/20 s");
        let plain = figures(&now, None, false);
        assert_eq!(
            plain,
            "0/s of 50/s  0 in flight  p50 0.0 p99 0.0 ms  0 failed  1 dropped"
        );
        assert!(figures(&now, None, true).contains('\u{1b}'));
        now.errors.insert(FailureKind::OutcomeMismatch, 3);
        assert_eq!(figures(&now, None, false), plain + "  outcome.mismatch: 3");
        now.phase = Phase::Draining;
        assert_eq!(time(&now), "0/20 s, finishing");
    }

    #[test]
    fn live_run_shows_what_is_spent_of_its_budget() {
        let spending = r#"{"started":9,"spent":"0.45","reserved":"0.20","limit":"2.00","currency":"EUR"}"#;
        let spending = serde_json::from_str(spending).unwrap();
        let line = figures(&recorder().snapshot(), Some(&spending), false);
        assert!(line.ends_with("0 failed  0.45 of 2.00 EUR spent"), "{line}");
    }

    #[test]
    fn log_of_an_hour_has_twenty_lines() {
        let lines = |seconds| {
            let duration = Duration::from_secs(seconds);
            let mut last = Duration::ZERO;
            let due = (1..=seconds).map(Duration::from_secs).filter(|now| {
                let due = is_due(last, *now, duration);
                last = if due { *now } else { last };
                due
            });
            due.count()
        };
        assert_eq!((lines(9), lines(60), lines(200), lines(3600)), (0, 6, 20, 20));
    }
}
