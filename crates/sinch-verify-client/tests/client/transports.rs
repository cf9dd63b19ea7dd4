//! Transports that are made of something else.

use std::future::Future;
use std::net::Ipv4Addr;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use hyper_util::client::legacy::Client as Hyper;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use sinch_verify_client::protocol::{Start, VerificationId};
use sinch_verify_client::transport::HyperTransport;
use sinch_verify_client::{SharedTransport, TransportError, TransportErrorKind};

use crate::fault_server::{Fault, FaultServer, refusing};
use crate::support::{number, once};

const PENDING: &str = r#"{"id":"1","method":"sms","status":"PENDING"}"#;

fn service() -> Hyper<HttpConnector, Full<Bytes>> {
    Hyper::builder(TokioExecutor::new()).build_http()
}

#[tokio::test]
async fn a_tower_service_carries_requests() {
    let server = FaultServer::start(Fault::answer("200 OK", PENDING)).await;
    let client = once(&server.base_url, SharedTransport::from_service(service()));
    let handle = client.start(Start::sms(number())).await.unwrap();
    assert_eq!(handle.status().await.unwrap().id, handle.id);
    assert!(server.requests()[0].contains(handle.reference().unwrap().as_str()));
}

#[tokio::test]
async fn a_pinned_host_is_not_looked_up() {
    let server = FaultServer::start(Fault::answer("200 OK", PENDING)).await;
    let port = server.base_url.rsplit(':').next().unwrap();
    // `.invalid` is never resolved.
    let url = format!("http://Service.invalid:{port}");
    let pinned = |host| {
        HyperTransport::builder()
            .resolve(host, Ipv4Addr::LOCALHOST.into())
            .plain()
    };
    let handle = once(&url, pinned("service.INVALID"))
        .start(Start::sms(number()))
        .await;
    assert!(handle.is_ok());
    assert!(
        server.requests()[0]
            .to_lowercase()
            .contains(&format!("host: service.invalid:{port}"))
    );
    let error = once(&url, pinned("other.invalid"))
        .start(Start::sms(number()))
        .await;
    assert!(error.unwrap_err().is_connect());
}

#[tokio::test]
async fn a_tower_services_trouble_counts_as_sent() {
    for (server, kind) in [
        (
            FaultServer::start(Fault::Close).await,
            TransportErrorKind::Interrupted,
        ),
        (
            FaultServer::start(Fault::answer("200 OK", &" ".repeat(64 * 1024 + 1))).await,
            TransportErrorKind::BodyTooLarge,
        ),
    ] {
        let client = once(&server.base_url, SharedTransport::from_service(service()));
        let error = client.start(Start::sms(number())).await.unwrap_err();
        let source = std::error::Error::source(&error).unwrap();
        let transport = source.downcast_ref::<TransportError>().unwrap();
        assert_eq!(transport.kind(), kind);
        assert!(error.may_have_been_sent());
    }
    // What kind of service it is, and so what its errors mean, is not known.
    let client = once(&refusing(), SharedTransport::from_service(service()));
    let error = client.start(Start::sms(number())).await.unwrap_err();
    assert!(error.may_have_been_sent());
}

#[tokio::test]
async fn a_closure_carries_requests() {
    let transport = SharedTransport::from_fn(|request: Request<Bytes>| async move {
        if request.method() == "GET" {
            return Err(TransportError::new(TransportErrorKind::Connect));
        }
        Ok(http::Response::new(Bytes::from_static(PENDING.as_bytes())))
    });
    let client = once("http://127.0.0.1:1", transport);
    client.start(Start::sms(number())).await.unwrap();
    let error = client
        .status_by_id(VerificationId::new("1").unwrap())
        .await
        .unwrap_err();
    assert!(error.is_connect() && !error.may_have_been_sent());
}

/// A service that puts each request on a connection whose other end has gone, so that hyper gives the
/// whole request back.
#[derive(Clone)]
struct Gone;

impl tower_service::Service<Request<Full<Bytes>>> for Gone {
    type Response = http::Response<hyper::body::Incoming>;
    type Error = hyper::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Full<Bytes>>) -> Self::Future {
        Box::pin(async move {
            let (ours, _theirs) = tokio::io::duplex(64);
            let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(ours)).await?;
            drop(connection);
            sender.send_request(request).await
        })
    }
}

#[tokio::test]
async fn what_a_tower_service_gives_back_whole_was_never_sent() {
    let client = once("http://127.0.0.1:1", SharedTransport::from_service(Gone));
    let error = client.start(Start::sms(number())).await.unwrap_err();
    assert!(!error.may_have_been_sent(), "{error:#}");
}
