//! How a command that runs on is told to end.

use anyhow::Context as _;

/// Ends at Ctrl-C, at the signal by which others end a process, and when its terminal is closed.
pub(crate) async fn stopped() -> anyhow::Result<()> {
    Stop::listen()?.stopped().await
}

/// Listens for the end from the moment on that it is made: who was told that a command is ready may
/// end it at once.
pub(crate) struct Stop {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    hangup: tokio::signal::unix::Signal,
}

impl Stop {
    pub(crate) fn listen() -> anyhow::Result<Self> {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            Ok(Self {
                interrupt: signal(SignalKind::interrupt()).context("failed to wait for Ctrl-C")?,
                terminate: signal(SignalKind::terminate()).context("failed to wait for SIGTERM")?,
                hangup: signal(SignalKind::hangup()).context("failed to wait for SIGHUP")?,
            })
        }
        #[cfg(not(unix))]
        Ok(Self {})
    }

    /// Ends when told to.
    #[cfg(unix)]
    pub(crate) async fn stopped(mut self) -> anyhow::Result<()> {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.hangup.recv() => {}
        }
        Ok(())
    }

    /// Ends when told to.
    #[cfg(not(unix))]
    pub(crate) async fn stopped(self) -> anyhow::Result<()> {
        tokio::signal::ctrl_c().await.context("failed to wait for Ctrl-C")
    }
}
