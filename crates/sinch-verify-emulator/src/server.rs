//! Accepts connections and serves HTTP on them.

use std::future::ready;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

use axum::Router;
use axum::extract::ConnectInfo;
use futures_util::future::Either;
use http::header::HOST;
use http::{Request, Version};
use http_body_util::Either as EitherBody;
use hyper::body::Incoming;
use hyper::service::{Service as _, service_fn};

use sinch_verify_protocol::server::RouteError;

use crate::api::Reset;
use crate::core::Core;
use crate::{api, control};

/// The most bytes of a request's head, plus one read.
const LONGEST_HEAD: usize = 64 * 1024;

/// Serves until the emulator is to stop, then answers the requests that are under way.
///
/// The connections are tasks of this future, which end when it is dropped.
pub(crate) async fn run(listener: TcpListener, core: Arc<Core>) {
    let mut stop = core.stopping();
    let theirs = stop.clone();
    let router = control::routes(Arc::clone(&core)).fallback_service(api::routes(Arc::clone(&core)));
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    let core = Arc::clone(&core);
                    connections.spawn(serve(stream, peer, core, router.clone(), theirs.clone()));
                }
                Err(error) => {
                    // Most likely there are no free file descriptors; some will be free soon.
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            },
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            () = stop_requested(&mut stop) => break,
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

async fn serve(
    stream: TcpStream,
    peer: SocketAddr,
    core: Arc<Core>,
    router: Router,
    mut stop: watch::Receiver<bool>,
) {
    // Answers are small, and clients wait for them.
    let _ = stream.set_nodelay(true);
    let reset = Arc::new(Notify::new());
    let router = TowerToHyperService::new(router);
    let handle = Reset(Arc::clone(&reset));
    let service = service_fn(move |mut request: Request<Incoming>| {
        if request.version() == Version::HTTP_11 && !request.headers().contains_key(HOST) {
            let answer = api::without_host(&core);
            return Either::Left(Either::Left(ready(Ok(answer))));
        }
        // Requests to the API are the most frequent, so they do not go through the other router.
        match api::route(&request) {
            Err(RouteError::NotFound) => {
                request.extensions_mut().insert(ConnectInfo(peer));
                let answer = router.call(request);
                Either::Right(async move { answer.await.map(|answer| answer.map(EitherBody::Right)) })
            }
            route => {
                let (core, reset) = (Arc::clone(&core), handle.clone());
                Either::Left(Either::Right(async move {
                    let (answer, _) = api::exchange(&core, route, request, Some(&reset)).await;
                    Ok(answer)
                }))
            }
        }
    });
    let mut connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        // The journal keeps heads, so they have a limit, as bodies have.
        .max_buf_size(LONGEST_HEAD)
        .serve_connection(TokioIo::new(stream), service);
    let mut stopping = false;
    loop {
        tokio::select! {
            ended = &mut connection => {
                if let Err(error) = ended {
                    tracing::debug!(%error, "a connection broke");
                }
                return;
            }
            () = reset.notified() => {
                let stream = connection.into_parts().io.into_inner();
                // With a linger time of zero, closing the socket sends a reset.
                let _ = stream.set_zero_linger();
                return;
            }
            () = stop_requested(&mut stop), if !stopping => stopping = true,
        }
        // The other branches return, so this runs once.
        Pin::new(&mut connection).graceful_shutdown();
    }
}

/// Waits until the emulator is to stop, or is dropped.
async fn stop_requested(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}
