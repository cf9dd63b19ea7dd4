//! The feed of an emulator: what happens there, as server-sent events.

use anyhow::Context as _;
use serde_json::Value;
use sinch_verify_protocol::BaseUrl;

use crate::control::refused;
use crate::exit::{UNREACHABLE, ended_early, root_cause};

/// A feed that is followed.
pub(crate) struct Feed {
    answer: reqwest::Response,
    /// The bytes received of the next event.
    buffer: Vec<u8>,
}

/// One event.
pub(crate) struct FeedEvent {
    pub(crate) id: String,
    pub(crate) kind: String,
    pub(crate) data: Value,
}

impl Feed {
    /// Follows the feed at `path` of the emulator at `base`.
    pub(crate) async fn follow(base: &BaseUrl, path: &str) -> anyhow::Result<Self> {
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .context("failed to set the sender up")?;
        let answer = client.get(base.join(path)).send().await;
        let answer = answer.with_context(|| format!("no answer from the emulator at {base}"))?;
        if !answer.status().is_success() {
            let (status, body) = (answer.status(), answer.bytes().await.unwrap_or_default());
            return Err(refused(status, &body));
        }
        let buffer = Vec::new();
        Ok(Self { answer, buffer })
    }

    /// The next event. Dropping the future loses nothing.
    ///
    /// # Errors
    ///
    /// When the emulator has ended.
    pub(crate) async fn next(&mut self) -> anyhow::Result<FeedEvent> {
        loop {
            while let Some(end) = self.buffer.windows(2).position(|two| two == b"\n\n") {
                let block: Vec<u8> = self.buffer.drain(..end + 2).collect();
                if let Some(event) = FeedEvent::read(&String::from_utf8_lossy(&block))? {
                    return Ok(event);
                }
            }
            match self.answer.chunk().await {
                Ok(Some(chunk)) => self.buffer.extend_from_slice(&chunk),
                Ok(None) => return Err(ended_early(UNREACHABLE, "the emulator has ended")),
                Err(error) => {
                    let why = format!("the emulator has ended: {}", root_cause(&error));
                    return Err(ended_early(UNREACHABLE, why));
                }
            }
        }
    }
}

impl FeedEvent {
    /// Reads the lines of one event; `None` for a comment.
    fn read(block: &str) -> anyhow::Result<Option<Self>> {
        let field = |name: &str| {
            let line = block
                .lines()
                .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
            line.map(str::to_owned)
        };
        let Some(data) = field("data") else {
            return Ok(None);
        };
        Ok(Some(Self {
            // A gap has no id.
            id: field("id").unwrap_or_default(),
            kind: field("event").context("an event of the feed has no kind")?,
            data: serde_json::from_str(&data).context("an event of the feed is no JSON")?,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::FeedEvent;

    #[test]
    fn an_event_is_read_and_a_comment_is_passed_over() {
        let event = FeedEvent::read("id: a-1\nevent: started\ndata: {\"method\":\"sms\"}\n\n");
        let event = event.unwrap().unwrap();
        assert_eq!((&*event.id, &*event.kind), ("a-1", "started"));
        assert_eq!(event.data["method"], "sms");
        assert!(FeedEvent::read(": alive\n\n").unwrap().is_none());
        assert!(FeedEvent::read("event: x\ndata: {\n\n").is_err());
    }
}
