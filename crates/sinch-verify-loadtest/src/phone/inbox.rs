use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use sinch_verify_emulator::{Emulator, Message};
use sinch_verify_protocol::{PhoneNumber, VerificationId};
use tokio::time::Instant;

use super::{Delivered, PATIENCE, Phone, missing};
use crate::failure::Failure;

/// The handsets of an emulator in this process.
#[derive(Clone)]
pub struct InboxPhone {
    emulator: Arc<Emulator>,
    patience: Duration,
}

impl InboxPhone {
    /// The handsets of `emulator`, which are given 5 seconds for a message to arrive.
    #[must_use]
    pub fn new(emulator: Arc<Emulator>) -> Self {
        Self {
            emulator,
            patience: PATIENCE,
        }
    }

    /// Waits at most `patience` for a message, on the wall clock.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }
}

impl Phone for InboxPhone {
    async fn delivered(&self, number: &PhoneNumber, id: &VerificationId) -> Result<Delivered, Failure> {
        let deadline = Instant::now() + self.patience;
        let mut seen = 0;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let Some(message) = self.emulator.wait_message(number, seen, left).await else {
                return Err(missing(self.patience));
            };
            // An older verification of the same number may have left its message there.
            if message.verification_id == *id {
                return Ok(message.into());
            }
            seen = message.seq;
        }
    }
}

impl fmt::Debug for InboxPhone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InboxPhone")
            .field("patience", &self.patience)
            .finish_non_exhaustive()
    }
}

impl From<Message> for Delivered {
    fn from(message: Message) -> Self {
        Self {
            code: message.code,
            cli: message.cli,
        }
    }
}
