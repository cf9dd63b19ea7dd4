//! The emulator's phone, which answers by itself.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json as value;
use sinch_verify_client::flow::Seen;
use sinch_verify_protocol::{PhoneNumber, VerificationId};
use tokio::sync::mpsc;

use crate::control::Control;
use crate::phone::{Message, next_message, phone_path};
use crate::print::note;

/// How long one question to the emulator waits.
const POLL: Duration = Duration::from_secs(60);

/// The key that confirms a callout without a code.
const CONFIRM: &str = "1";

/// A phone of the emulator.
pub(super) struct Phone {
    control: Arc<Control>,
    number: PhoneNumber,
}

impl Phone {
    pub(super) fn new(control: Control, number: PhoneNumber) -> Self {
        let control = Arc::new(control);
        Self { control, number }
    }

    /// Waits for the message or call of a verification, and passes on what proves the number.
    pub(super) fn read(&self, id: VerificationId, tell: mpsc::Sender<Seen>) {
        let (control, number) = (Arc::clone(&self.control), self.number);
        tokio::spawn(async move {
            let answered = async {
                let message = loop {
                    if let Some(message) = next_message(&control, number, 0, Some(&id), POLL).await? {
                        break message.message;
                    }
                    if tell.is_closed() {
                        return Ok(());
                    }
                };
                if let Some(seen) = proof(&message) {
                    // A flow that has ended takes nothing.
                    let _ = tell.send(seen).await;
                } else if message.kind == "callout" {
                    let path = format!("{}/keypad", phone_path(number));
                    control.post(&path, &value!({ "digits": CONFIRM })).await?;
                }
                anyhow::Ok(())
            };
            if let Err(error) = answered.await {
                note!("failed to read the phone: {error:#}");
            }
        });
    }
}

/// What proves the number; nothing for an address, which the flow opens by itself.
fn proof(message: &Message) -> Option<Seen> {
    let code = message.code.clone().map(Seen::Code);
    code.or_else(|| message.cli.clone().map(Seen::Cli))
}
