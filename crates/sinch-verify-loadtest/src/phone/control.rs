use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use serde::Deserialize;
use sinch_verify_client::Transport;
use sinch_verify_protocol::{BaseUrl, Cli, Code, PhoneNumber, VerificationId};
use tokio::time::{Instant, sleep};

use super::{Delivered, PATIENCE, Phone, missing};
use crate::failure::{Failure, FailureKind};

/// The time between two looks at an inbox.
const LOOK: Duration = Duration::from_millis(5);

/// The handsets of an emulator elsewhere on this machine, seen through its control interface.
#[derive(Clone)]
pub struct ControlPhone<T> {
    base: BaseUrl,
    transport: T,
}

impl<T: Transport> ControlPhone<T> {
    /// The handsets of the emulator at `base`, which are given 5 seconds for a message to arrive.
    #[must_use]
    pub fn new(base: BaseUrl, transport: T) -> Self {
        Self { base, transport }
    }

    async fn look(&self, number: &PhoneNumber) -> Result<Inbox, Failure> {
        let mut request = Request::new(Bytes::new());
        let url = self.base.join(&format!("/_emu/numbers/{number}/messages"));
        *request.uri_mut() = url
            .parse()
            .map_err(|_| Failure::new(FailureKind::Request, "the inbox of a number has no valid URL"))?;
        let answer = self.transport.send(request).await;
        let answer = answer.map_err(|error| Failure::from(&error))?;
        if !answer.status().is_success() {
            let what = "the target does not show its handsets; is it an emulator?";
            return Err(Failure::new(FailureKind::Http(answer.status().as_u16()), what));
        }
        serde_json::from_slice(answer.body())
            .map_err(|_| Failure::new(FailureKind::Decode, "the inbox of a number is not as expected"))
    }
}

impl<T: Transport> Phone for ControlPhone<T> {
    async fn delivered(&self, number: &PhoneNumber, id: &VerificationId) -> Result<Delivered, Failure> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let inbox = self.look(number).await?;
            if let Some(message) = inbox.messages.into_iter().find(|m| m.verification_id == *id) {
                return Ok(Delivered {
                    code: message.code,
                    cli: message.cli,
                });
            }
            if Instant::now() >= deadline {
                return Err(missing(PATIENCE));
            }
            sleep(LOOK).await;
        }
    }
}

impl<T> fmt::Debug for ControlPhone<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ControlPhone")
            .field("base", &self.base)
            .finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
struct Inbox {
    messages: Vec<Shown>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    verification_id: VerificationId,
    code: Option<Code>,
    cli: Option<Cli>,
}
