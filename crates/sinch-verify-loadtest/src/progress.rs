//! How the run stands, once a second.

use std::io::{IsTerminal as _, Write as _, stderr};
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use crate::live::{Limits, Spending};
use crate::recorder::{Phase, Recorder, Snapshot};
use anstyle::{AnsiColor, Style};

/// Where nobody watches, one line in so many seconds is enough for a log.
const SELDOM: u64 = 10;
const BAD: Style = AnsiColor::Red.on_default().bold();
const FAINT: Style = Style::new().dimmed();

/// As wide as a terminal is at least: a line that is longer would be two.
const WIDTH: usize = 79;

/// Shows how the run stands until what is returned is dropped: a line a second on a terminal, fewer
/// and plain ones elsewhere.
pub(crate) fn show(board: Arc<Recorder>, limits: Option<Arc<Limits>>) -> Option<Sender<()>> {
    let terminal = stderr().is_terminal();
    let colour = terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let every = if terminal { 1 } else { SELDOM };
    let (over, is_over) = channel();
    // Without a thread there is just nothing to be seen.
    thread::Builder::new()
        .name("progress".to_owned())
        .spawn(move || {
            let mut second = 0_u64;
            while is_over.recv_timeout(Duration::from_secs(1)) == Err(RecvTimeoutError::Timeout) {
                second += 1;
                if second.is_multiple_of(every) {
                    let spending = limits.as_ref().map(|limits| limits.spending());
                    let line = line(&board.snapshot(), spending.as_ref(), colour);
                    let _ = writeln!(stderr(), "{line}");
                }
            }
        })
        .ok()?;
    Some(over)
}

/// What matters most stands first; what does not fit into the line any more is left out.
fn line(now: &Snapshot, spending: Option<&Spending>, colour: bool) -> String {
    let rate = if now.wanted > 0.0 {
        format!("{} of {:.0}/s", now.last.finished, now.wanted)
    } else {
        format!("{}/s", now.last.finished)
    };
    let mut line = format!(
        "{:>3.0}/{:.0} s  {rate:<10}  {:>2} in flight  p50 {} p99 {} ms",
        now.elapsed.as_secs_f64(),
        now.duration.as_secs_f64(),
        now.in_flight,
        milliseconds(now.p50),
        milliseconds(now.p99),
    );
    let mut shown = line.chars().count();
    let mut add = |text: String, bad: bool, faint: bool| {
        let style = match colour {
            true if bad => BAD,
            true if faint => FAINT,
            _ => Style::new(),
        };
        let width = 2 + text.chars().count();
        if shown + width <= WIDTH {
            shown += width;
            line.push_str(&format!("  {style}{text}{style:#}"));
        }
    };
    let failed = now.total.failed;
    add(format!("{failed} failed"), failed > 0, failed == 0);
    if let Some(spending) = spending {
        let Spending { spent, currency, .. } = spending;
        add(format!("{spent} {currency}"), false, false);
    }
    match now.phase {
        Phase::Running => {}
        Phase::Draining => add("finishing".to_owned(), false, false),
        Phase::Stopped => add("ending".to_owned(), false, false),
    }
    if now.total.dropped > 0 {
        add(format!("{} dropped", now.total.dropped), true, false);
    }
    if let Some((kind, _)) = now.errors.iter().max_by_key(|(_, count)| **count) {
        add(format!("({kind})"), false, false);
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

    fn board() -> Recorder {
        let mut setup = sample_setup();
        setup.duration_seconds = 20.0;
        Recorder::new(&setup, Shard::WHOLE)
    }

    #[test]
    fn line_has_colours_only_where_they_are_seen() {
        let board = board();
        board.open(std::time::Instant::now());
        board.scheduled(Duration::ZERO);
        board.dropped(Duration::ZERO);
        let plain = line(&board.snapshot(), None, false);
        assert!(plain.contains("/20 s  0 of 50/s"), "{plain}");
        assert!(plain.ends_with("0 failed  1 dropped"), "{plain}");
        assert!(!plain.contains('\u{1b}'));
        assert!(line(&board.snapshot(), None, true).contains('\u{1b}'));
    }

    #[test]
    fn live_run_shows_what_it_spent() {
        let spending = r#"{"started":9,"spent":"0.45","reserved":"0.20","limit":"2.00","currency":"EUR"}"#;
        let spending = serde_json::from_str(spending).unwrap();
        let line = line(&board().snapshot(), Some(&spending), false);
        assert!(line.ends_with("0 failed  0.45 EUR"), "{line}");
    }

    /// Whatever is in it, a line is one line on a terminal of 80 columns.
    #[test]
    fn line_is_never_two() {
        let mut now = board().snapshot();
        let spending = r#"{"started":9,"spent":"1234.5678","reserved":"0","limit":"2","currency":"EUR"}"#;
        let spending = serde_json::from_str(spending).unwrap();
        for power in 0..6 {
            let many = 10_u64.pow(power);
            now.elapsed = Duration::from_secs(many.min(86_400));
            now.duration = now.elapsed;
            (now.in_flight, now.last.finished) = (many.min(10_000), many);
            (now.p50, now.p99) = (Duration::from_millis(many), Duration::from_millis(many));
            now.wanted = many as f64;
            (now.total.failed, now.total.dropped) = (many, many);
            now.errors.insert(FailureKind::OutcomeMismatch, many);
            for spending in [None, Some(&spending)] {
                for phase in [Phase::Running, Phase::Draining] {
                    now.phase = phase;
                    let line = line(&now, spending, false);
                    assert!(line.len() < 80, "{} columns: {line}", line.len());
                    assert!(power > 3 || line.contains(" failed"), "{line}");
                }
            }
        }
    }
}
