//! The clients: ours and the hand-written ones, with either transport.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::Deserialize;
use serde_json::json;
use sinch_verify_client::Client;
use sinch_verify_client::protocol::{Code, Reference, Start, VerificationId};
use sinch_verify_client::transport::HyperTransport;

use crate::fixture;
use crate::hand_written::{self, HandWritten};
use crate::process::{number, serve_lines};
use crate::serve::one_core;

/// The number of concurrent requests.
const AT_ONCE: u64 = 32;

/// Runs the commands on standard input.
pub(crate) fn run(how: &str, url: &str) -> Result<()> {
    let runtime = one_core()?;
    // Within the runtime, because a transport may start tasks.
    let within = runtime.enter();
    let requester = Arc::new(Requester::new(how, url)?);
    drop(within);
    serve_lines(|words| {
        let (count, begun) = (number(words, 1)?, Instant::now());
        let requester = Arc::clone(&requester);
        match words {
            ["status", _, id] => {
                let id = VerificationId::new(id)?;
                runtime.block_on(repeat(0, count, move |_| {
                    Arc::clone(&requester).status(id.clone())
                }))?;
            }
            ["start", _, series, first] => {
                let (series, first) = (series.parse()?, first.parse()?);
                runtime.block_on(repeat(first, count, move |n| {
                    Arc::clone(&requester).start(fixture::number(series, n), format!("{series}-{n}"))
                }))?;
            }
            ["flows", _, series, first] => {
                let (series, first) = (series.parse()?, first.parse()?);
                runtime.block_on(repeat(first, count, move |n| {
                    Arc::clone(&requester).flow(fixture::number(series, n))
                }))?;
            }
            _ => bail!("the client does not understand {words:?}"),
        }
        Ok(json!({ "seconds": begun.elapsed().as_secs_f64() }))
    })
}

/// Calls `once` for `count` numbers from `first` on, concurrently.
async fn repeat<F, Done>(first: u64, count: u64, once: F) -> Result<()>
where
    F: Fn(u64) -> Done + Clone + Send + 'static,
    Done: Future<Output = Result<()>> + Send,
{
    let next = Arc::new(AtomicU64::new(first));
    let mut tasks = Vec::new();
    for _ in 0..AT_ONCE.min(count) {
        let (next, once) = (Arc::clone(&next), once.clone());
        tasks.push(tokio::spawn(async move {
            loop {
                let n = next.fetch_add(1, Ordering::Relaxed);
                if n >= first + count {
                    return Ok(());
                }
                once(n).await?;
            }
        }));
    }
    for task in tasks {
        let done: Result<()> = task.await?;
        done?;
    }
    Ok(())
}

/// A client.
enum Requester {
    /// Our client, and the HTTP client that reads inboxes.
    Ours {
        client: Client,
        inbox: reqwest::Client,
        url: String,
    },
    BareReqwest {
        hand: Box<HandWritten>,
        client: reqwest::Client,
        url: String,
    },
    BareHyper {
        hand: Box<HandWritten>,
        client: Box<HyperClient>,
        url: String,
    },
}

type HyperClient = hyper_util::client::legacy::Client<HttpConnector, Full<Bytes>>;

impl Requester {
    fn new(how: &str, url: &str) -> Result<Self> {
        // Required before a reqwest client without its own TLS provider is created.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let hand = Box::new(HandWritten::new()?);
        let owned = url.to_owned();
        let ours = Client::builder()
            .application_signed(fixture::KEY, fixture::SECRET)
            .base_url(url);
        Ok(match how {
            "ours-reqwest" => Self::Ours {
                client: ours.build()?,
                inbox: reqwest::Client::new(),
                url: owned,
            },
            "ours-hyper" => Self::Ours {
                client: ours
                    .transport(HyperTransport::new(Duration::from_secs(5)))
                    .build()?,
                inbox: reqwest::Client::new(),
                url: owned,
            },
            "bare-reqwest" => Self::BareReqwest {
                hand,
                client: reqwest::Client::new(),
                url: owned,
            },
            "bare-hyper" => {
                let mut connector = HttpConnector::new();
                connector.set_nodelay(true);
                Self::BareHyper {
                    hand,
                    client: Box::new(
                        hyper_util::client::legacy::Client::builder(TokioExecutor::new()).build(connector),
                    ),
                    url: owned,
                }
            }
            _ => bail!("no client is named {how:?}"),
        })
    }

    async fn status(self: Arc<Self>, id: VerificationId) -> Result<()> {
        let found = match &*self {
            Self::Ours { client, .. } => {
                let verification = client.status_by_id(id.clone()).await?;
                verification.id
            }
            Self::BareReqwest { hand, client, url } => {
                let answer = reqwest_answer(client, hand.status(url, id.as_str())?).await?;
                let status: hand_written::Status = serde_json::from_slice(&answer)?;
                VerificationId::new(&status.id)?
            }
            Self::BareHyper { hand, client, url } => {
                let answer = hyper_answer(client, hand.status(url, id.as_str())?).await?;
                let status: hand_written::Status = serde_json::from_slice(&answer)?;
                VerificationId::new(&status.id)?
            }
        };
        ensure!(found == id, "the answer is about another verification");
        Ok(())
    }

    async fn start(self: Arc<Self>, number: String, reference: String) -> Result<()> {
        let method = match &*self {
            Self::Ours { client, .. } => {
                let start = Start::sms(number.parse()?).reference(Reference::new(&reference)?);
                let handle = client.start(start).await?;
                ensure!(!handle.id.as_str().is_empty());
                return Ok(());
            }
            Self::BareReqwest { hand, client, url } => {
                let answer = reqwest_answer(client, hand.start(url, &number, &reference)?).await?;
                serde_json::from_slice::<hand_written::Started>(&answer)?
            }
            Self::BareHyper { hand, client, url } => {
                let answer = hyper_answer(client, hand.start(url, &number, &reference)?).await?;
                serde_json::from_slice::<hand_written::Started>(&answer)?
            }
        };
        ensure!(method.method == "sms" && !method.id.is_empty());
        Ok(())
    }

    /// Runs a whole verification: start, read the code on the handset, report it.
    async fn flow(self: Arc<Self>, number: String) -> Result<()> {
        let Self::Ours { client, inbox, url } = &*self else {
            bail!("whole flows are for our client, and for the official one");
        };
        let handle = client.start(Start::sms(number.parse()?)).await?;
        let messages = inbox.get(format!("{url}/_emu/numbers/{number}/messages"));
        let messages = messages.send().await?.error_for_status()?.bytes().await?;
        let inbox: Inbox = serde_json::from_slice(&messages)?;
        let message = inbox.messages.first().context("the handset got no message")?;
        let outcome = handle.report(Code::new(&message.code)?).await?;
        ensure!(outcome.is_verified(), "the code did not verify the number");
        Ok(())
    }
}

#[derive(Deserialize)]
struct Inbox {
    messages: Vec<Message>,
}

#[derive(Deserialize)]
struct Message {
    code: String,
}

async fn reqwest_answer(client: &reqwest::Client, request: http::Request<Bytes>) -> Result<Bytes> {
    let answer = client.execute(request.try_into()?).await?;
    Ok(answer.error_for_status()?.bytes().await?)
}

async fn hyper_answer(client: &HyperClient, request: http::Request<Full<Bytes>>) -> Result<Bytes> {
    let answer = client.request(request).await?;
    ensure!(
        answer.status().is_success(),
        "the answer is a {}",
        answer.status()
    );
    Ok(answer.into_body().collect().await?.to_bytes())
}
