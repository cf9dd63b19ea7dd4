use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use sinch_verify_emulator::Emulator;
use sinch_verify_protocol::PhoneNumber;
use tokio::time::Instant;

use super::{PATIENCE, Phone, Wanted, missing};
use crate::model::{Delivered, Failure};
use crate::wire::BoxFuture;

/// The handsets of an emulator in this process.
#[derive(Clone)]
pub(crate) struct InboxPhone {
    emulator: Arc<Emulator>,
    patience: Duration,
}

impl InboxPhone {
    /// The handsets of `emulator`, which are given 5 seconds for a message to arrive.
    #[must_use]
    pub(crate) fn new(emulator: Arc<Emulator>) -> Self {
        Self {
            emulator,
            patience: PATIENCE,
        }
    }

    /// Waits at most `patience` for a message, on the wall clock.
    #[cfg(test)]
    pub(crate) fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }
}

impl Phone for InboxPhone {
    fn delivered<'a>(
        &'a self,
        number: &'a PhoneNumber,
        wanted: Wanted<'a>,
    ) -> BoxFuture<'a, Result<Delivered, Failure>> {
        Box::pin(async move {
            let deadline = Instant::now() + self.patience;
            let mut after = wanted.after();
            loop {
                let left = deadline.saturating_duration_since(Instant::now());
                let Some(message) = self.emulator.wait_message(number, after, left).await else {
                    return Err(missing(self.patience));
                };
                if wanted.is(&message.verification_id) {
                    return Ok(Delivered {
                        code: message.code,
                        cli: message.cli,
                        seq: message.seq,
                    });
                }
                after = message.seq;
            }
        })
    }
}

impl fmt::Debug for InboxPhone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InboxPhone")
            .field("patience", &self.patience)
            .finish_non_exhaustive()
    }
}
