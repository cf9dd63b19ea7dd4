//! What reached a phone.

use anyhow::Context as _;
use serde::Deserialize;
use serde_json::value::RawValue;
use sinch_verify_protocol::{Cli, Code, PhoneNumber, VerificationId};

use super::phone;
use crate::control::Control;

/// A message or a call.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Message {
    pub(super) seq: u64,
    pub(super) kind: String,
    pub(super) verification_id: VerificationId,
    /// In service time.
    pub(super) at: String,
    #[serde(default)]
    pub(super) text: String,
    code: Option<Code>,
    cli: Option<Cli>,
    target_uri: Option<String>,
}

impl Message {
    /// What is to be reported or fetched: the code, the caller id or the address.
    pub(super) fn proof(&self) -> Option<&str> {
        let code = self.code.as_ref().map(Code::expose);
        code.or_else(|| self.cli.as_ref().map(Cli::expose))
            .or(self.target_uri.as_deref())
    }
}

/// A message, and how the emulator wrote it.
pub(super) struct Received {
    pub(super) message: Message,
    pub(super) json: Box<RawValue>,
}

impl Received {
    pub(super) fn read(json: Box<RawValue>) -> anyhow::Result<Self> {
        let message = serde_json::from_str(json.get());
        Ok(Self {
            message: message.context("the emulator's message is not as expected")?,
            json,
        })
    }
}

/// The newest `limit` messages of a phone, newest first.
pub(super) async fn newest(
    control: &Control,
    number: &PhoneNumber,
    limit: u16,
) -> anyhow::Result<Vec<Received>> {
    #[derive(Deserialize)]
    struct Page {
        messages: Vec<Box<RawValue>>,
    }
    let path = format!("{}/messages?limit={limit}", phone(number));
    let page: Page = control.get(&path).await?;
    page.messages.into_iter().map(Received::read).collect()
}
