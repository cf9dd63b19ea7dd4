//! TLS and HTTP/2 on both transports: a proxy that ends TLS before the emulator, with a certificate made
//! here.

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::uri::{Authority, Scheme};
use http::{Request, Response, Uri, Version};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::client::legacy::Client as Hyper;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use rcgen::CertifiedKey;
use sinch_verify_client::protocol::{Start, VerificationId};
use sinch_verify_client::transport::{HyperTransport, ReqwestTransport};
use sinch_verify_client::{BuildError, Client, SharedTransport};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use crate::fault_server::{Fault, FaultServer};
use crate::support::{PATIENT, Service, number, once};

const H2: &[u8] = b"h2";
const HTTP1: &[u8] = b"http/1.1";

/// What the proxy does with a request.
#[derive(Clone)]
enum Then {
    /// Hands it to the service.
    Forward(Authority),
    /// Breaks off without an answer.
    BreakOff,
}

pub(crate) struct Proxy {
    pub(crate) base_url: String,
    /// The certificate, to be trusted.
    pub(crate) pem: String,
    /// The version of every request.
    versions: Arc<Mutex<Vec<Version>>>,
    connections: Arc<AtomicUsize>,
}

impl Proxy {
    /// Offers `protocols`, with a certificate for `name`.
    async fn start(protocols: &[&[u8]], name: &str, then: Then) -> Self {
        let CertifiedKey { cert, signing_key } =
            rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
        let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], key)
            .unwrap();
        config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
        let acceptor = TlsAcceptor::from(Arc::new(config));

        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = Self {
            base_url: format!("https://{}", listener.local_addr().unwrap()),
            pem: cert.pem(),
            versions: Arc::default(),
            connections: Arc::default(),
        };
        let (versions, connections) = (Arc::clone(&proxy.versions), Arc::clone(&proxy.connections));
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                connections.fetch_add(1, Ordering::SeqCst);
                let (acceptor, versions, then) = (acceptor.clone(), Arc::clone(&versions), then.clone());
                tokio::spawn(async move {
                    // Peers that do not trust the certificate hang up here.
                    let Ok(stream) = acceptor.accept(stream).await else {
                        return;
                    };
                    let answer = service_fn(move |request: Request<Incoming>| {
                        versions.lock().unwrap().push(request.version());
                        let then = then.clone();
                        async move {
                            match then {
                                Then::Forward(service) => Ok(forward(request, service).await),
                                Then::BreakOff => Err("no answer"),
                            }
                        }
                    });
                    let server = auto::Builder::new(TokioExecutor::new());
                    _ = server.serve_connection(TokioIo::new(stream), answer).await;
                });
            }
        });
        proxy
    }

    pub(crate) async fn before(service: &Service, protocols: &[&[u8]]) -> Self {
        let address = service.emulator.addr().to_string().parse().unwrap();
        Self::start(protocols, "127.0.0.1", Then::Forward(address)).await
    }

    /// A transport of each kind that trusts `pem`, and its name.
    fn transports(pem: &str) -> Result<[(&'static str, SharedTransport); 2], BuildError> {
        let pem = pem.as_bytes();
        Ok([
            ("reqwest", ReqwestTransport::tls_trusting(pem, PATIENT)?.into()),
            ("hyper", HyperTransport::tls_trusting(pem, PATIENT)?.into()),
        ])
    }

    /// A client for each transport that trusts `pem`.
    fn clients(&self, pem: &str) -> Vec<(&'static str, Client)> {
        let transports = Self::transports(pem).unwrap();
        transports
            .map(|(name, transport)| (name, once(&self.base_url, transport)))
            .into()
    }

    fn take_versions(&self) -> Vec<Version> {
        std::mem::take(&mut self.versions.lock().unwrap())
    }
}

/// The same exchange in plain HTTP/1.1.
async fn forward(request: Request<Incoming>, service: Authority) -> Response<Full<Bytes>> {
    let (mut parts, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let path = parts.uri.path_and_query().unwrap().clone();
    parts.uri = Uri::builder()
        .scheme(Scheme::HTTP)
        .authority(service)
        .path_and_query(path)
        .build()
        .unwrap();
    parts.version = Version::HTTP_11;
    parts.headers.remove(http::header::HOST);
    let upstream = Hyper::builder(TokioExecutor::new()).build_http();
    let request = Request::from_parts(parts, Full::new(body));
    let (mut parts, body) = upstream.request(request).await.unwrap().into_parts();
    parts.version = Version::default();
    Response::from_parts(parts, Full::new(body.collect().await.unwrap().to_bytes()))
}

#[tokio::test]
async fn a_verification_speaks_the_best_that_the_server_has() {
    for (protocols, version) in [
        (&[H2, HTTP1][..], Version::HTTP_2),
        (&[HTTP1], Version::HTTP_11),
        (&[], Version::HTTP_11),
    ] {
        let service = Service::without_backend().await;
        let proxy = Proxy::before(&service, protocols).await;
        for (name, client) in proxy.clients(&proxy.pem) {
            let handle = client
                .start(Start::sms(number()))
                .await
                .unwrap_or_else(|error| panic!("{name}: {error:#}"));
            let code = service.emulator.inbox(&number()).remove(0).code.unwrap();
            assert!(handle.report(code).await.unwrap().is_verified(), "{name}");
            assert!(handle.status().await.unwrap().is_successful(), "{name}");
            assert_eq!(proxy.take_versions(), [version; 3], "{name}");
            assert_eq!(proxy.connections.swap(0, Ordering::SeqCst), 1, "{name}");
        }
    }
}

#[tokio::test]
async fn calls_at_once_share_one_connection_of_http2() {
    let service = Service::without_backend().await;
    let proxy = Proxy::before(&service, &[H2, HTTP1]).await;
    for (name, client) in proxy.clients(&proxy.pem) {
        let handle = client.start(Start::sms(number())).await.unwrap();
        let calls = (0..50).map(|_| handle.status());
        for status in futures_util::future::join_all(calls).await {
            assert_eq!(status.unwrap().id, handle.id, "{name}");
        }
        assert_eq!(proxy.connections.swap(0, Ordering::SeqCst), 1, "{name}");
    }
}

#[tokio::test]
async fn a_server_that_is_not_trusted_is_sent_nothing() {
    let service = Service::without_backend().await;
    let proxy = Proxy::before(&service, &[H2, HTTP1]).await;
    let other = Proxy::before(&service, &[H2, HTTP1]).await;
    let address = service.emulator.addr().to_string().parse().unwrap();
    let misnamed = Proxy::start(&[H2, HTTP1], "example.com", Then::Forward(address)).await;
    for (proxy, pem) in [(&proxy, &other.pem), (&misnamed, &misnamed.pem)] {
        for (name, client) in proxy.clients(pem) {
            let error = client.start(Start::sms(number())).await.unwrap_err();
            assert!(error.is_connect(), "{name}: {error:#}");
            assert!(!error.may_have_been_sent(), "{name}");
        }
        assert_eq!(proxy.take_versions(), []);
    }
    assert!(service.emulator.inbox(&number()).is_empty());

    // Nor does the platform know this certificate, where it knows any.
    let platform = [
        ReqwestTransport::tls(PATIENT).map(SharedTransport::from),
        HyperTransport::tls(PATIENT).map(SharedTransport::from),
    ];
    for transport in platform {
        let Ok(transport) = transport else { continue };
        let client = once(&proxy.base_url, transport);
        let error = client.start(Start::sms(number())).await.unwrap_err();
        assert!(error.is_connect(), "{error:#}");
    }
    assert_eq!(proxy.take_versions(), []);
}

#[tokio::test]
async fn a_host_at_a_given_address_still_shows_its_own_certificate() {
    let service = Service::without_backend().await;
    let address: Authority = service.emulator.addr().to_string().parse().unwrap();
    for (name, trusted) in [("service.example", true), ("other.example", false)] {
        let proxy = Proxy::start(&[H2, HTTP1], name, Then::Forward(address.clone())).await;
        let transport = HyperTransport::builder()
            .resolve("service.example", Ipv4Addr::LOCALHOST.into())
            .tls_trusting(proxy.pem.as_bytes())
            .unwrap();
        let client = once(&proxy.base_url.replace("127.0.0.1", "service.example"), transport);
        let answer = client.start(Start::sms(number())).await;
        assert_eq!(answer.is_ok(), trusted, "{name}: {answer:?}");
        assert_eq!(proxy.take_versions().len(), usize::from(trusted), "{name}");
    }
}

#[tokio::test]
async fn an_answer_that_is_lost_may_have_been_sent() {
    for protocols in [&[H2, HTTP1][..], &[HTTP1]] {
        let proxy = Proxy::start(protocols, "127.0.0.1", Then::BreakOff).await;
        for (name, client) in proxy.clients(&proxy.pem) {
            let error = client.start(Start::sms(number())).await.unwrap_err();
            assert!(error.may_have_been_sent(), "{name}: {error:#}");
            assert!(!error.is_connect(), "{name}: {error:#}");
            // Once: no transport tries again by itself.
            assert_eq!(proxy.take_versions().len(), 1, "{name}");
        }
    }
}

#[tokio::test]
async fn the_handshake_must_come_to_an_end() {
    let pem = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let pem = pem.cert.pem();
    // Reset in the middle.
    let server = FaultServer::start(Fault::Close).await;
    for (name, transport) in Proxy::transports(&pem).unwrap() {
        let client = once(&server.base_url.replace("http:", "https:"), transport);
        let error = client.start(Start::sms(number())).await.unwrap_err();
        assert!(error.is_connect(), "{name}: {error:#}");
        assert!(!error.may_have_been_sent(), "{name}");
    }
    // Silent: nothing was sent, as long as connecting is given up before the attempt.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let short = Duration::from_millis(150);
    let transports: [SharedTransport; 2] = [
        ReqwestTransport::tls_trusting(pem.as_bytes(), short)
            .unwrap()
            .into(),
        HyperTransport::tls_trusting(pem.as_bytes(), short)
            .unwrap()
            .into(),
    ];
    for transport in transports {
        let client = once(&format!("https://{}", listener.local_addr().unwrap()), transport);
        let error = client.start(Start::sms(number())).await.unwrap_err();
        assert!(error.is_timeout() && error.is_connect(), "{error:#}");
        assert!(!error.may_have_been_sent());
    }
}

#[tokio::test]
async fn transports_with_tls_speak_plain_http_too() {
    let service = Service::without_backend().await;
    let pem = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    for (name, transport) in Proxy::transports(&pem.cert.pem()).unwrap() {
        let client = service.builder().transport(transport).build().unwrap();
        let error = client
            .status_by_id(VerificationId::new("1").unwrap())
            .await
            .unwrap_err();
        assert!(error.is_not_found(), "{name}: {error:#}");
    }
}

#[test]
fn text_without_a_certificate_is_told_at_once() {
    let key = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()])
        .unwrap()
        .signing_key
        .serialize_pem();
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for (pem, told) in [
        ("", "no certificate"),
        ("trust me", "no certificate"),
        (&key, "no certificate"),
        (broken, "set up the transport: "),
    ] {
        let error = Proxy::transports(pem).map(|_| ()).unwrap_err();
        assert_eq!(error.field(), "transport");
        assert!(format!("{error:#}").contains(told), "{error:#}");
    }
}
