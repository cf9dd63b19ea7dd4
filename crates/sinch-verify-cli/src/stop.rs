//! How a command that runs on is told to end.

use anyhow::Context as _;

/// Ends at Ctrl-C, and at the signal by which others end a process.
pub(crate) async fn stopped() -> anyhow::Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate()).context("failed to wait for SIGTERM")?;
        tokio::select! {
            ended = tokio::signal::ctrl_c() => ended.context("failed to wait for Ctrl-C"),
            _ = terminate.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await.context("failed to wait for Ctrl-C")
}
