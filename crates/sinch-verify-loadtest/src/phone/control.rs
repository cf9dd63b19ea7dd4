use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode};
use serde::Deserialize;
use sinch_verify_client::Transport;
use sinch_verify_protocol::{BaseUrl, Cli, Code, PhoneNumber, VerificationId};
use tokio::time::Instant;

use super::{PATIENCE, Phone, Wanted, missing};
use crate::model::{Delivered, Failure, FailureKind};
use crate::wire::BoxFuture;

/// How long one question to the emulator waits for a message.
const POLL: Duration = Duration::from_secs(2);

/// The handsets of an emulator elsewhere, seen through its control interface, which answers as soon
/// as something arrives.
#[derive(Clone)]
pub(crate) struct ControlPhone<T> {
    base: BaseUrl,
    transport: T,
}

impl<T: Transport> ControlPhone<T> {
    /// The handsets of the emulator at `base`, which are given 5 seconds for a message to arrive.
    #[must_use]
    pub(crate) fn new(base: BaseUrl, transport: T) -> Self {
        Self { base, transport }
    }

    /// The next message after `seq`; `None` when none comes soon.
    async fn next(&self, number: &PhoneNumber, after: u64) -> Result<Option<Message>, Failure> {
        let digits = number.as_str().trim_start_matches('+');
        let path = format!(
            "/_emu/messages/wait?to={digits}&after={after}&timeout={}ms",
            POLL.as_millis()
        );
        let mut request = Request::new(Bytes::new());
        *request.uri_mut() = self
            .base
            .join(&path)
            .parse()
            .map_err(|_| Failure::new(FailureKind::Request, "the inbox of a number has no valid URL"))?;
        let answer = tokio::time::timeout(POLL + PATIENCE, self.transport.send(request)).await;
        let Ok(answer) = answer else {
            return Err(Failure::new(
                FailureKind::ReadTimeout,
                "the target's handsets do not answer",
            ));
        };
        let answer = answer.map_err(|error| Failure::from(&error))?;
        match answer.status() {
            StatusCode::NO_CONTENT => Ok(None),
            status if status.is_success() => serde_json::from_slice(answer.body())
                .map(Some)
                .map_err(|_| Failure::new(FailureKind::Decode, "the inbox of a number is not as expected")),
            status => {
                let what = "the target does not show its handsets; is it an emulator?";
                Err(Failure::new(FailureKind::Http(status.as_u16()), what))
            }
        }
    }
}

impl<T: Transport> Phone for ControlPhone<T> {
    fn delivered<'a>(
        &'a self,
        number: &'a PhoneNumber,
        wanted: Wanted<'a>,
    ) -> BoxFuture<'a, Result<Delivered, Failure>> {
        Box::pin(async move {
            let deadline = Instant::now() + PATIENCE;
            let mut after = wanted.after();
            while Instant::now() < deadline {
                let Some(message) = self.next(number, after).await? else {
                    continue;
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
            Err(missing(PATIENCE))
        })
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
#[serde(rename_all = "camelCase")]
struct Message {
    seq: u64,
    verification_id: VerificationId,
    code: Option<Code>,
    cli: Option<Cli>,
}
