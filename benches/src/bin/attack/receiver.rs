//! The attacked receiver, as a separate process.

use std::future::pending;
use std::net::Ipv4Addr;
use std::num::NonZeroUsize;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result};
use bytes::Bytes;
use http::{Request, Uri};
use serde::{Deserialize, Serialize};
use sinch_verify_benches::fixture;
use sinch_verify_benches::process::{self, Worker, ready, serve_lines};
use sinch_verify_callback::hyper::Server;
use sinch_verify_callback::protocol::Decision;
use sinch_verify_callback::protocol::callback::RequestEvent;
use sinch_verify_callback::replay::{MemoryStore, RedisStore};
use sinch_verify_callback::testing::CallbackSigner;
use sinch_verify_callback::{CallbackBuilder, InDoubt, KeyRing, ReplayGuard};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

/// Longer than a run, because a request on a connection that is being closed would count as lost.
const AGE: Duration = Duration::from_secs(24 * 3600);

/// Where a receiver remembers signatures.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Store {
    /// In its own memory.
    Memory,
    /// In a Redis that several receivers share.
    Redis {
        url: String,
        prefix: String,
        /// The decision when Redis does not answer.
        accepts: bool,
        /// The time limit for Redis in milliseconds; by default that of the guard.
        patience: Option<u64>,
    },
}

impl Store {
    fn guard(self) -> Result<ReplayGuard> {
        Ok(match self {
            Self::Memory => {
                let room = NonZeroUsize::MIN.saturating_add(1_000_000);
                ReplayGuard::new(MemoryStore::new(room), InDoubt::Refuse)
            }
            Self::Redis {
                url,
                prefix,
                accepts,
                patience,
            } => {
                let in_doubt = if accepts { InDoubt::Accept } else { InDoubt::Refuse };
                let guard = ReplayGuard::new(RedisStore::open(&url)?.with_prefix(&prefix), in_doubt);
                match patience {
                    Some(patience) => guard.with_timeout(Duration::from_millis(patience)),
                    None => guard,
                }
            }
        })
    }
}

/// The counts of a receiver.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Counts {
    /// The number of request events that the handler decided.
    pub(crate) decided: u64,
    /// How many times the guard was in doubt.
    pub(crate) doubts: u64,
}

/// Receives callbacks until standard input ends, and answers each line of it with the counts.
pub(crate) fn serve(store: &str) -> Result<()> {
    let guard = serde_json::from_str::<Store>(store)?.guard()?;
    let decided = Arc::new(AtomicU64::new(0));
    let deciding = Arc::clone(&decided);
    let decide = move |_: RequestEvent| {
        deciding.fetch_add(1, Ordering::Relaxed);
        async { Decision::Allow }
    };
    let service = CallbackBuilder::new(KeyRing::new(fixture::key()?, &fixture::secret()?))
        .guard(guard.clone())
        .handler(decide)
        .build()?;
    let runtime = Runtime::new()?;
    let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))?;
    ready(listener.local_addr()?.port());
    let server = Server::new(service).with_max_connection_age(AGE);
    runtime.spawn(server.serve(listener, pending()));
    serve_lines(|_| {
        let guarded = guard.counts();
        let counts = Counts {
            decided: decided.load(Ordering::Relaxed),
            doubts: guarded.full + guarded.unavailable,
        };
        Ok(serde_json::to_value(counts)?)
    })
}

/// A running receiver.
pub(crate) struct Receiver {
    worker: Worker,
    url: Uri,
}

impl Receiver {
    pub(crate) fn start(store: &Store) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("receive").arg(serde_json::to_string(store)?);
        let mut worker = Worker::start(command)?;
        let port = process::port(&worker.answer()?)?;
        let url = format!("http://127.0.0.1:{port}{}", fixture::CALLBACK_PATH);
        Ok(Self {
            worker,
            url: url.parse()?,
        })
    }

    /// The URL for callbacks.
    pub(crate) fn url(&self) -> &Uri {
        &self.url
    }

    pub(crate) fn counts(&mut self) -> Result<Counts> {
        let counts = self.worker.ask("counts")?;
        serde_json::from_value(counts).context("a receiver does not count")
    }

    /// The most bytes of memory that it used.
    pub(crate) fn peak(&self) -> Option<u64> {
        process::peak(self.worker.id())
    }
}

/// The `n`th authentic callback.
pub(crate) fn callback(signer: &CallbackSigner, url: &Uri, n: u64) -> Result<Request<Bytes>> {
    Ok(signer.post(url.clone(), fixture::event(n)?, SystemTime::now()))
}

/// The same callback for another address.
pub(crate) fn to(url: &Uri, callback: &Request<Bytes>) -> Request<Bytes> {
    let mut callback = callback.clone();
    *callback.uri_mut() = url.clone();
    callback
}
