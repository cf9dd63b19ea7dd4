//! A server on hyper, with limits of time and connections.

mod waiting;

use std::convert::Infallible;
use std::future::{Future, pending};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::{Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tower_service::Service;

use self::waiting::{Place, Waiting};
use crate::handler::BoxError;

/// Serves a [`CallbackService`](crate::CallbackService), or an app that has one, over HTTP/1.1.
///
/// Time and number are limited, so that a slow or silent peer cannot hold it:
///
/// | limit | default |
/// |---|---|
/// | for a request's head to come, and for a connection to be idle | 5 s |
/// | for its body to come: [`CallbackBuilder::body_deadline`](crate::CallbackBuilder::body_deadline) | 5 s |
/// | connections at once: when there are more, the one that has waited longest for the complete head of a request is closed | 1024 |
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
/// A [`CallbackService`](crate::CallbackService) answers at any path. An axum `Router` is a service
/// too: `axum::serve` has no time limit for heads and no limit of connections, so serve it here.
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

impl<S, B> Server<S>
where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible>,
    S: Clone + Send + 'static,
    S::Future: Send,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
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
    /// it is at, or with an answer that the peer reads slowly.
    #[must_use]
    pub fn with_grace(mut self, grace: Duration) -> Self {
        self.limits.grace = grace;
        self
    }

    /// Serves until `stop` is done, then accepts no more, answers what was
    /// asked, and returns once all connections are closed.
    ///
    /// When this future is dropped, the server stops as if `stop` were done, without waiting.
    pub async fn serve(self, listener: TcpListener, stop: impl Future<Output = ()>) {
        let slots = Arc::new(Semaphore::new(self.connections as usize));
        let waiting = Arc::new(Waiting::default());
        // Told by being dropped, whatever ends this function.
        let (running, stopped) = watch::channel(());
        let mut stop = pin!(stop);
        loop {
            let accepted = async {
                let (stream, _) = listener.accept().await?;
                // One more at a time: what cannot be served stays with the system.
                Ok::<_, std::io::Error>((stream, make_room(&slots, &waiting).await))
            };
            let accepted = tokio::select! {
                accepted = accepted => accepted,
                () = &mut stop => break,
            };
            match accepted {
                Ok((stream, slot)) => {
                    let (service, limits, stopped) = (self.service.clone(), self.limits, stopped.clone());
                    let place = Place::new(Arc::clone(&waiting));
                    tokio::spawn(async move {
                        connection(stream, service, limits, place, stopped).await;
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

/// A slot for one more connection. When all are taken, the connection that waits longest for a
/// request closes, or the first that begins to wait.
async fn make_room(slots: &Arc<Semaphore>, waiting: &Waiting) -> Option<OwnedSemaphorePermit> {
    let close_one = async {
        waiting.close_oldest().await;
        pending().await
    };
    tokio::select! {
        biased;
        // The semaphore is never closed.
        slot = Arc::clone(slots).acquire_owned() => slot.ok(),
        never = close_one => never,
    }
}

async fn connection<S, B>(
    stream: TcpStream,
    service: S,
    limits: Limits,
    place: Place,
    mut stopped: watch::Receiver<()>,
) where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible>,
    S: Clone + Send + 'static,
    S::Future: Send,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    // An answer is one small packet: it should not wait for another.
    let _ = stream.set_nodelay(true);
    let (place, asked) = (&place, &AtomicBool::new(false));
    let answer = service_fn(move |request: Request<Incoming>| {
        place.leave();
        asked.store(true, Ordering::Relaxed);
        let answer = service.clone().call(request);
        async move {
            let answer = answer.await;
            place.join();
            answer
        }
    });
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        // A callback's head has a few hundred bytes.
        .max_buf_size(16 * 1024)
        .serve_connection(TokioIo::new(stream), answer);
    let mut serving = pin!(serving);
    tokio::select! {
        // First: a head that is there already is read before the connection is said to wait.
        biased;
        // Peers that break off, or send what is no HTTP, are everyday things.
        _ = serving.as_mut() => return,
        () = place.told_to_close() => {
            // An answer may not be written yet, so only what was never asked is dropped at once.
            if !asked.load(Ordering::Relaxed) {
                return;
            }
        }
        // Nothing is ever sent, so this is the sender's end.
        _ = stopped.changed() => {}
        () = tokio::time::sleep(limits.age) => {}
    }
    serving.as_mut().graceful_shutdown();
    let _ = tokio::time::timeout(limits.grace, serving).await;
}
