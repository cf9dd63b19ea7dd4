//! A server on hyper, for programs without a router.

use std::convert::Infallible;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tower_service::Service;

/// Answers callbacks at any path of a listener, over HTTP/1.1.
///
/// Time and number are limited, so that a slow or silent peer cannot hold it:
///
/// | limit | default |
/// |---|---|
/// | for a request's head to come, and for a connection to be idle | 5 s |
/// | for its body to come: [`CallbackService::with_body_deadline`](crate::CallbackService::with_body_deadline) | 5 s |
/// | connections at once; more wait to be accepted | 1024 |
/// | age of a connection, after which it is closed in order | 5 min |
/// | for what goes on when the server is told to stop | 10 s |
///
/// ```no_run
/// use sinch_verify_callback::hyper::Server;
/// use sinch_verify_callback::{CallbackService, Handler};
///
/// # async fn serve<H: Handler>(service: CallbackService<H>) -> std::io::Result<()> {
/// let listener = tokio::net::TcpListener::bind("127.0.0.1:8000").await?;
/// let stop = async { /* a signal, say */ };
/// Server::new(service).serve(listener, stop).await;
/// # Ok(()) }
/// ```
///
/// The service may be one of your own around a [`CallbackService`](crate::CallbackService), such as
/// one that counts.
#[derive(Debug)]
pub struct Server<S> {
    service: S,
    limits: Limits,
    connections: u32,
}

#[derive(Clone, Copy, Debug)]
struct Limits {
    head: Duration,
    age: Duration,
    grace: Duration,
}

impl<S> Server<S>
where
    S: Service<Request<Incoming>, Response = Response<Full<Bytes>>, Error = Infallible>,
    S: Clone + Send + 'static,
    S::Future: Send,
{
    /// A server that answers with `service`, which must always be ready.
    #[must_use]
    pub fn new(service: S) -> Self {
        Self {
            service,
            limits: Limits {
                head: Duration::from_secs(5),
                age: Duration::from_secs(300),
                grace: Duration::from_secs(10),
            },
            connections: 1024,
        }
    }

    /// How long the head of a request may take to come, and how long a
    /// connection may be idle.
    #[must_use]
    pub fn with_head_deadline(mut self, deadline: Duration) -> Self {
        self.limits.head = deadline;
        self
    }

    /// How many connections there may be at once, at least one.
    #[must_use]
    pub fn with_max_connections(mut self, connections: u32) -> Self {
        // As many as fit into a semaphore on any platform.
        self.connections = connections.clamp(1, 1 << 24);
        self
    }

    /// How old a connection may become before it is closed in order.
    #[must_use]
    pub fn with_max_connection_age(mut self, age: Duration) -> Self {
        self.limits.age = age;
        self
    }

    /// How long a connection that is to close may go on with the request that
    /// it is at.
    #[must_use]
    pub fn with_grace(mut self, grace: Duration) -> Self {
        self.limits.grace = grace;
        self
    }

    /// Serves until `stop` is done, then accepts no more, answers what was
    /// asked, and returns once all connections are closed.
    ///
    /// When this future is dropped, it is as if `stop` were done, and nobody
    /// waits.
    pub async fn serve(self, listener: TcpListener, stop: impl Future<Output = ()>) {
        let slots = Arc::new(Semaphore::new(self.connections as usize));
        // Told by being dropped, whatever ends this function.
        let (running, stopped) = watch::channel(());
        let mut stop = pin!(stop);
        loop {
            let accepted = async {
                // A slot first: what cannot be served stays with the system.
                let slot = Arc::clone(&slots).acquire_owned().await;
                (listener.accept().await, slot)
            };
            let (accepted, slot) = tokio::select! {
                accepted = accepted => accepted,
                () = &mut stop => break,
            };
            match accepted {
                Ok((stream, _)) => {
                    let (service, limits, stopped) = (self.service.clone(), self.limits, stopped.clone());
                    tokio::spawn(async move {
                        connection(stream, service, limits, stopped).await;
                        drop(slot);
                    });
                }
                Err(error) => {
                    // The peer is gone already, or there are no file handles: others may go on.
                    tracing::warn!(reason = %error, "connection not accepted");
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            }
        }
        drop((listener, running));
        // All slots are free when all connections are closed. The semaphore is never closed.
        let _ = slots.acquire_many(self.connections).await;
    }
}

async fn connection<S>(stream: TcpStream, service: S, limits: Limits, mut stopped: watch::Receiver<()>)
where
    S: Service<Request<Incoming>, Response = Response<Full<Bytes>>, Error = Infallible>,
    S: Clone + Send + 'static,
    S::Future: Send,
{
    // An answer is one small packet: it should not wait for another.
    let _ = stream.set_nodelay(true);
    let answer = service_fn(move |request: Request<Incoming>| service.clone().call(request));
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        // A callback's head has a few hundred bytes.
        .max_buf_size(16 * 1024)
        .serve_connection(TokioIo::new(stream), answer);
    let mut serving = pin!(serving);
    tokio::select! {
        // Peers that break off, or send what is no HTTP, are everyday things.
        _ = serving.as_mut() => return,
        // Nothing is ever sent, so this is the sender's end.
        _ = stopped.changed() => {}
        () = tokio::time::sleep(limits.age) => {}
    }
    serving.as_mut().graceful_shutdown();
    let _ = tokio::time::timeout(limits.grace, serving).await;
}
