//! Transports that are made of something else, and hyper with TLS.

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use hyper_util::client::legacy::Client as Hyper;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use sinch_verify_client::protocol::{PhoneNumber, Start, VerificationId};
use sinch_verify_client::transport::HyperTransport;
use sinch_verify_client::{Client, RetryPolicy, SharedTransport, TransportError, TransportErrorKind};

use crate::fault_server::{Fault, FaultServer, refusing};

const KEY: &str = "11111111-2222-3333-4444-555555555555";
const SECRET: &str = "BeIukql3pTKJ8RGL5zo0DA==";
const PENDING: &str = r#"{"id":"1","method":"sms","status":"PENDING"}"#;

fn client(base_url: &str, transport: impl Into<SharedTransport>) -> Client {
    Client::builder()
        .application_signed(KEY, SECRET)
        .base_url(base_url)
        .retry(RetryPolicy::never())
        .transport(transport)
        .build()
        .unwrap()
}

fn number() -> PhoneNumber {
    "+46700000001".parse().unwrap()
}

fn service() -> Hyper<HttpConnector, Full<Bytes>> {
    Hyper::builder(TokioExecutor::new()).build_http()
}

#[tokio::test]
async fn a_tower_service_carries_requests() {
    let server = FaultServer::start(Fault::answer("200 OK", PENDING)).await;
    let client = client(&server.base_url, SharedTransport::from_service(service()));
    let handle = client.start(Start::sms(number())).await.unwrap();
    assert_eq!(handle.status().await.unwrap().id, handle.id);
    assert!(server.requests()[0].contains(handle.reference().unwrap().as_str()));
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
        let client = client(&server.base_url, SharedTransport::from_service(service()));
        let error = client.start(Start::sms(number())).await.unwrap_err();
        let source = std::error::Error::source(&error).unwrap();
        let transport = source.downcast_ref::<TransportError>().unwrap();
        assert_eq!(transport.kind(), kind);
        assert!(error.may_have_been_sent());
    }
    // What kind of service it is, and so what its errors mean, is not known.
    let client = client(&refusing().await, SharedTransport::from_service(service()));
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
    let client = client("http://127.0.0.1:1", transport);
    client.start(Start::sms(number())).await.unwrap();
    let error = client
        .status_by_id(VerificationId::new("1").unwrap())
        .await
        .unwrap_err();
    assert!(error.is_connect() && !error.may_have_been_sent());
}

#[tokio::test]
async fn hyper_with_tls_speaks_both_and_needs_a_handshake() {
    // A machine without any root certificate.
    let Ok(transport) = HyperTransport::tls(Duration::from_secs(5)) else {
        return;
    };
    let server = FaultServer::start(Fault::answer("200 OK", PENDING)).await;
    let plain = client(&server.base_url, transport.clone());
    plain.start(Start::sms(number())).await.unwrap();

    let server = FaultServer::start(Fault::Reset).await;
    let secure = client(&server.base_url.replace("http:", "https:"), transport);
    let error = secure.start(Start::sms(number())).await.unwrap_err();
    assert!(error.is_connect(), "{error:#}");
    assert!(!error.may_have_been_sent());
}
