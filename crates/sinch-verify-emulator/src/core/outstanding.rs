//! How many events are not settled yet.

use tokio::sync::watch;

/// Counts events from the moment the engine gives them out to the moment they are heard, given up
/// or dropped.
pub(crate) struct Outstanding(watch::Sender<usize>);

impl Default for Outstanding {
    fn default() -> Self {
        Self(watch::Sender::new(0))
    }
}

impl Outstanding {
    pub(crate) fn add(&self) {
        self.0.send_modify(|count| *count += 1);
    }

    pub(crate) fn remove(&self, settled: usize) {
        self.0.send_modify(|count| *count = count.saturating_sub(settled));
    }

    /// Resolves once there are none.
    pub(crate) async fn none(&self) {
        // The sender lives as long as this future, so waiting cannot fail.
        let _ = self.0.subscribe().wait_for(|count| *count == 0).await;
    }
}
