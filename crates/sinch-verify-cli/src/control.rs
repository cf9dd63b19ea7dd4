//! The emulator's control interface, seen from here.

use std::fmt;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use sinch_verify_client::transport::ReqwestTransport;
use sinch_verify_client::{Transport as _, TransportError};
use sinch_verify_protocol::BaseUrl;
use sinch_verify_protocol::untrusted::escape;

use crate::exit::{failed, root_cause};

/// How long an answer may take that the emulator gives at once.
const PATIENCE: Duration = Duration::from_secs(10);

/// The control interface at an address.
#[derive(Clone)]
pub(crate) struct Control {
    base: BaseUrl,
    transport: ReqwestTransport,
}

/// What an emulator tells of itself.
#[derive(Deserialize)]
pub(crate) struct Info {
    pub(crate) version: String,
    pub(crate) applications: Vec<Application>,
}

/// One of its applications.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Application {
    pub(crate) key: String,
    /// Where its events are posted.
    pub(crate) callback_url: Option<String>,
}

impl Control {
    /// The control interface at `base`. Nothing is sent yet.
    pub(crate) fn at(base: &BaseUrl) -> anyhow::Result<Self> {
        Ok(Self {
            base: base.clone(),
            transport: ReqwestTransport::plain(PATIENCE).context("failed to set the sender up")?,
        })
    }

    /// Where it is.
    pub(crate) fn base(&self) -> &BaseUrl {
        &self.base
    }

    /// What is there; `None` when it is no emulator.
    pub(crate) async fn info(&self) -> anyhow::Result<Option<Info>> {
        let answer = self
            .send(Method::GET, "/_emu/info", Bytes::new(), PATIENCE)
            .await?;
        let info = serde_json::from_slice(answer.body()).ok();
        Ok(info.filter(|_| answer.status().is_success()))
    }

    /// Asks for `path`.
    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<T> {
        let answer = self.send(Method::GET, path, Bytes::new(), PATIENCE).await?;
        read(&taken(&answer)?)
    }

    /// Asks for `path`, which may be answered as late as `patience` from now; `None` when there is
    /// nothing.
    pub(crate) async fn wait<T: DeserializeOwned>(
        &self,
        path: &str,
        patience: Duration,
    ) -> anyhow::Result<Option<T>> {
        let answer = self
            .send(Method::GET, path, Bytes::new(), patience.saturating_add(PATIENCE))
            .await?;
        if answer.status() == StatusCode::NO_CONTENT {
            return Ok(None);
        }
        read(&taken(&answer)?).map(Some)
    }

    /// Posts `body` to `path`.
    pub(crate) async fn post(&self, path: &str, body: &serde_json::Value) -> anyhow::Result<Bytes> {
        let answer = self.send(Method::POST, path, body.to_string().into(), PATIENCE);
        taken(&answer.await?)
    }

    /// Posts `body` to `path`, and reads what is answered.
    pub(crate) async fn post_for<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &serde_json::Value,
    ) -> anyhow::Result<T> {
        read(&self.post(path, body).await?)
    }

    /// Deletes what is at `path`.
    pub(crate) async fn delete(&self, path: &str) -> anyhow::Result<()> {
        let answer = self.send(Method::DELETE, path, Bytes::new(), PATIENCE);
        taken(&answer.await?).map(drop)
    }

    /// Puts `body` to `path`.
    pub(crate) async fn put(&self, path: &str, body: &serde_json::Value) -> anyhow::Result<()> {
        let answer = self.send(Method::PUT, path, body.to_string().into(), PATIENCE);
        taken(&answer.await?).map(drop)
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
        patience: Duration,
    ) -> anyhow::Result<Response<Bytes>> {
        let request = Request::builder()
            .method(method)
            .uri(self.base.join(path))
            .body(body)
            .context("failed to make a request for the emulator")?;
        let unreachable = |why: Option<TransportError>| EmulatorUnreachable {
            url: self.base.join(""),
            why,
        };
        match tokio::time::timeout(patience, self.transport.send(request)).await {
            Ok(answer) => Ok(answer.map_err(|error| unreachable(Some(error)))?),
            Err(_) => Err(unreachable(None).into()),
        }
    }
}

/// The body of an answer that says yes; what went wrong otherwise.
fn taken(answer: &Response<Bytes>) -> anyhow::Result<Bytes> {
    if answer.status().is_success() {
        return Ok(answer.body().clone());
    }
    Err(refused(answer.status(), answer.body()))
}

/// What went wrong, in the emulator's own words.
pub(crate) fn refused(status: StatusCode, body: &[u8]) -> anyhow::Error {
    #[derive(Deserialize)]
    struct Refused {
        error: String,
    }
    match serde_json::from_slice::<Refused>(body) {
        Ok(refused) => failed(escape(&refused.error)),
        Err(_) => anyhow!("the emulator answered {status}"),
    }
}

fn read<T: DeserializeOwned>(body: &[u8]) -> anyhow::Result<T> {
    serde_json::from_slice(body).context("the emulator's answer is not as expected")
}

/// `path` with a query of the options that are given.
pub(crate) fn path(path: &str, options: &[(&str, Option<String>)]) -> String {
    let given = options.iter().filter_map(|(name, value)| {
        let value = value.as_ref()?;
        Some(format!("{name}={}", escaped(value)))
    });
    let query: Vec<String> = given.collect();
    format!("{path}?{}", query.join("&"))
}

/// A text as a part of a path or a query: all but letters, digits and `-._~` is escaped.
pub(crate) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}

/// No answer came from where an emulator should be.
#[derive(Debug)]
pub(crate) struct EmulatorUnreachable {
    url: String,
    why: Option<TransportError>,
}

impl fmt::Display for EmulatorUnreachable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no answer from the emulator at {}", self.url)?;
        match &self.why {
            Some(why) => write!(f, ": {}", root_cause(why)),
            None => Ok(()),
        }
    }
}

/// The message holds its cause.
impl std::error::Error for EmulatorUnreachable {}
