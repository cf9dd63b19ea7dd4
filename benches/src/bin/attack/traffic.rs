//! Sends many requests concurrently.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Result;
use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::task::JoinSet;

/// The time after which a request counts as not answered.
const PATIENCE: Duration = Duration::from_secs(30);

/// Runs `work` for each of the first `count` numbers, `at_once` at a time, with a shared value.
pub(crate) async fn in_parallel<T, F, Fut>(count: u64, at_once: u64, shared: &Arc<T>, work: F) -> Result<()>
where
    T: Send + Sync + 'static,
    F: Fn(Arc<T>, u64) -> Fut + Copy + Send + 'static,
    Fut: Future<Output = Result<()>> + Send,
{
    let next = Arc::new(AtomicU64::new(0));
    let mut tasks = JoinSet::new();
    for _ in 0..at_once.min(count) {
        let (next, shared) = (Arc::clone(&next), Arc::clone(shared));
        tasks.spawn(async move {
            loop {
                let n = next.fetch_add(1, Ordering::Relaxed);
                if n >= count {
                    return anyhow::Ok(());
                }
                work(Arc::clone(&shared), n).await?;
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    Ok(())
}

/// Sends requests over persistent connections.
#[derive(Clone)]
pub(crate) struct Sender(Client<HttpConnector, Full<Bytes>>);

impl Sender {
    pub(crate) fn new() -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            // Closed before the receiver closes it, because a request could be lost in between.
            .pool_idle_timeout(Duration::from_secs(2))
            .build(connector);
        Self(client)
    }

    /// The status of the answer; `None` if there is none.
    pub(crate) async fn send(&self, request: Request<Bytes>) -> Option<u16> {
        let exchange = async {
            let answer = self.0.request(request.map(Full::new)).await.ok()?;
            let status = answer.status().as_u16();
            answer.into_body().collect().await.ok()?;
            Some(status)
        };
        tokio::time::timeout(PATIENCE, exchange).await.ok().flatten()
    }

    /// Whether a callback is accepted.
    pub(crate) async fn is_taken(&self, callback: Request<Bytes>) -> bool {
        self.send(callback).await == Some(200)
    }
}
