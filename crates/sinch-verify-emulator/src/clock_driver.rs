//! Wakes the engine when something falls due.

use std::sync::Arc;
use std::time::Duration;

use crate::core::Core;

/// The longest sleep: the wall clock may be set while it lasts.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

pub(crate) async fn run(core: Arc<Core>) {
    loop {
        let wait = match core.next_deadline() {
            // A manual clock moves by hand, and the call that moves it does what is due.
            Some(deadline) if core.clock().is_running() => deadline
                .duration_since(core.clock().service())
                .unwrap_or_default(),
            _ => LONGEST_SLEEP,
        };
        if wait.is_zero() {
            core.run_due_batch();
            // There may be more, and requests wait meanwhile.
            tokio::task::yield_now().await;
            continue;
        }
        tokio::select! {
            () = tokio::time::sleep(wait.min(LONGEST_SLEEP)) => {}
            () = core.deadline_moved() => {}
        }
    }
}
