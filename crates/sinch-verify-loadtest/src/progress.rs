//! How the run stands, once a second.

use std::io::{IsTerminal as _, Write as _, stderr};
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use sinch_verify_loadtest::{Board, Phase, Snapshot};

/// Where nobody watches, one line in so many seconds is enough for a log.
const SELDOM: u64 = 10;
const BAD: Style = AnsiColor::Red.on_default().bold();
const FAINT: Style = Style::new().dimmed();

/// Shows how the run stands until what is returned is dropped: a line a second on a terminal, fewer
/// and plain ones elsewhere.
pub(crate) fn show(board: Arc<Board>) -> Option<Sender<()>> {
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
                    let _ = writeln!(stderr(), "{}", line(&board.snapshot(), colour));
                }
            }
        })
        .ok()?;
    Some(over)
}

fn line(now: &Snapshot, colour: bool) -> String {
    let rate = if now.wanted > 0.0 {
        format!("{}/{:.0} flows/s", now.last.finished, now.wanted)
    } else {
        format!("{} flows/s", now.last.finished)
    };
    let state = match now.phase {
        Phase::Running => "",
        Phase::Draining => "  finishing",
        Phase::Stopped => "  ending",
    };
    let mut line = format!(
        "{:>3.0}/{:.0} s  {rate:<17}  {:>4} in flight  p50 {}  p99 {}",
        now.elapsed.as_secs_f64(),
        now.duration.as_secs_f64(),
        now.in_flight,
        time(now.p50),
        time(now.p99),
    );
    for (count, name) in [(now.total.failed, "failed"), (now.total.dropped, "dropped")] {
        let style = match (colour, count) {
            (false, _) => Style::new(),
            (true, 0) => FAINT,
            (true, _) => BAD,
        };
        line.push_str(&format!("  {style}{count} {name}{style:#}"));
    }
    if let Some((kind, count)) = now.errors.iter().max_by_key(|(_, count)| **count) {
        line.push_str(&format!("  ({kind} {count})"));
    }
    line.push_str(state);
    line
}

fn time(time: Duration) -> String {
    let ms = time.as_secs_f64() * 1000.0;
    if ms < 100.0 {
        format!("{ms:>5.1} ms")
    } else {
        format!("{ms:>5.0} ms")
    }
}

#[cfg(test)]
mod tests {
    use sinch_verify_loadtest::arrivals::Rate;
    use sinch_verify_loadtest::runfile::{Load, Setting, Setup, TransportName};
    use sinch_verify_loadtest::{Board, Scenario};

    use super::*;

    #[test]
    fn line_has_colours_only_where_they_are_seen() {
        let board = Board::new(&Setup {
            scenario: Scenario::Sms,
            setting: Setting::Backend,
            load: Load::Open {
                rate: Rate::DEFAULT,
                users: 8,
            },
            duration_seconds: 20.0,
            warm_up_seconds: 0.0,
            transport: TransportName::Lean,
            target: "an emulator of its own".to_owned(),
            seed: 7,
        });
        let due = std::time::Instant::now();
        board.open(due);
        board.scheduled(due);
        board.dropped(due);
        let plain = line(&board.snapshot(), false);
        assert!(plain.contains("/20 s  0/50 flows/s"), "{plain}");
        assert!(plain.ends_with("0 failed  1 dropped"), "{plain}");
        assert!(!plain.contains('\u{1b}'));
        assert!(line(&board.snapshot(), true).contains('\u{1b}'));
    }
}
