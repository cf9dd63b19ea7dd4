//! The task that runs what falls due while service time runs.

use std::sync::Arc;
use std::time::Duration;

use crate::core::Core;

/// The longest sleep. The wall clock may be set meanwhile, so the deadline is checked at intervals.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

pub(crate) async fn run(core: Arc<Core>) {
    loop {
        let wait = match core.next_deadline() {
            // While the clock is paused, the call that moves it runs what is due.
            Some(deadline) if core.clock().is_running() => deadline
                .duration_since(core.clock().service())
                .unwrap_or_default(),
            _ => LONGEST_SLEEP,
        };
        if wait.is_zero() {
            core.run_due_batch();
            // More may be due; requests are answered in between.
            tokio::task::yield_now().await;
            continue;
        }
        tokio::select! {
            () = tokio::time::sleep(wait.min(LONGEST_SLEEP)) => {}
            () = core.deadline_moved() => {}
        }
    }
}
