//! One line per second on a terminal.

use std::io::{IsTerminal as _, Write as _, stderr};
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use sinch_verify_loadtest::{Board, Snapshot};

/// Shows how the run stands until it is dropped. `None` where stderr is no terminal.
pub(crate) fn show(board: Arc<Board>) -> Option<Sender<()>> {
    if !stderr().is_terminal() {
        return None;
    }
    let (over, is_over) = channel();
    // Without a thread there is just nothing to be seen.
    thread::Builder::new()
        .name("progress".to_owned())
        .spawn(move || {
            while is_over.recv_timeout(Duration::from_secs(1)) == Err(RecvTimeoutError::Timeout) {
                let _ = writeln!(stderr(), "{}", line(&board.snapshot()));
            }
        })
        .ok()?;
    Some(over)
}

fn line(now: &Snapshot) -> String {
    let ms = |time: Duration| time.as_secs_f64() * 1000.0;
    format!(
        "{:>5.0} s  {:>6.0} wanted/s  {:>6} done/s  {:>5} in flight  p50 {:.2} ms  p99 {:.2} ms  {} failed",
        now.elapsed.as_secs_f64(),
        now.wanted,
        now.last.finished,
        now.in_flight,
        ms(now.p50),
        ms(now.p99),
        now.total.failed
    )
}
