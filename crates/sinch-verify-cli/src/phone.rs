//! The emulator's phones, and what reached them.

use std::time::Duration;

use anyhow::Context as _;
use serde::Deserialize;
use serde_json::value::RawValue;
use sinch_verify_protocol::{Cli, Code, PhoneNumber, VerificationId};

use crate::control::{Control, path};

/// A message or a call.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Message {
    pub(crate) seq: u64,
    pub(crate) kind: String,
    pub(crate) verification_id: VerificationId,
    /// In service time.
    pub(crate) at: String,
    #[serde(default)]
    pub(crate) text: String,
    pub(crate) code: Option<Code>,
    pub(crate) cli: Option<Cli>,
    target_uri: Option<String>,
}

impl Message {
    /// What is to be reported or fetched: the code, the caller id or the address.
    pub(crate) fn proof(&self) -> Option<&str> {
        let code = self.code.as_ref().map(Code::expose);
        code.or_else(|| self.cli.as_ref().map(Cli::expose))
            .or(self.target_uri.as_deref())
    }
}

/// A message, and how the emulator wrote it.
pub(crate) struct Received {
    pub(crate) message: Message,
    pub(crate) json: Box<RawValue>,
}

impl Received {
    pub(crate) fn read(json: Box<RawValue>) -> anyhow::Result<Self> {
        let message = serde_json::from_str(json.get());
        Ok(Self {
            message: message.context("the emulator's message is not as expected")?,
            json,
        })
    }
}

/// The newest `limit` messages of a phone, newest first.
pub(crate) async fn newest(
    control: &Control,
    number: &PhoneNumber,
    limit: u16,
) -> anyhow::Result<Vec<Received>> {
    #[derive(Deserialize)]
    struct Page {
        messages: Vec<Box<RawValue>>,
    }
    let path = format!("{}/messages?limit={limit}", phone_path(*number));
    let page: Page = control.get(&path).await?;
    page.messages.into_iter().map(Received::read).collect()
}

/// The oldest message after `seen`, of verification `of` only if that is given; `None` when none comes
/// within `patience`.
pub(crate) async fn next_message(
    control: &Control,
    number: PhoneNumber,
    seen: u64,
    of: Option<&VerificationId>,
    patience: Duration,
) -> anyhow::Result<Option<Received>> {
    // Rounded up, so that the last question is not the last but one.
    let timeout = patience.as_micros().div_ceil(1000);
    let path = path(
        "/_emu/messages/wait",
        &[
            ("to", Some(number.digits().to_owned())),
            ("after", Some(seen.to_string())),
            ("verification", of.map(|id| id.as_str().to_owned())),
            ("timeout", Some(format!("{timeout}ms"))),
        ],
    );
    let json: Option<Box<RawValue>> = control.wait(&path, patience).await?;
    json.map(Received::read).transpose()
}

/// Where a phone is in the control interface.
pub(crate) fn phone_path(number: PhoneNumber) -> String {
    format!("/_emu/numbers/{}", number.digits())
}
