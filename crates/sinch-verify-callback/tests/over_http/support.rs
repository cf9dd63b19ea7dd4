//! A server on a loopback port, and clients for it.

use std::net::SocketAddr;

use axum::Router;
use bytes::Bytes;
use http::header::{DATE, HOST, HeaderValue};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use sinch_verify_callback::axum::router;
use sinch_verify_callback::hyper::Server;
use sinch_verify_callback::protocol::callback::RequestEvent;
use sinch_verify_callback::protocol::identity::Identity;
use sinch_verify_callback::protocol::{ApplicationSecret, Decision, Method, VerificationId, WireObject as _};
use sinch_verify_callback::{CallbackBuilder, CallbackService, Handler};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::fixtures::OTHER_SECRET;
pub(crate) use crate::fixtures::{builder as guarded, key, now, signer};

/// The path that the servers of these tests answer at.
pub(crate) const PATH: &str = "/sinch/callback";

pub(crate) const ALLOW_BODY: &str = r#"{"action":"allow"}"#;
pub(crate) const DENY_BODY: &str = r#"{"action":"deny"}"#;

pub(crate) fn other_secret() -> ApplicationSecret {
    ApplicationSecret::new(OTHER_SECRET).unwrap()
}

/// Without a guard.
pub(crate) fn builder<H: Handler>(handler: H) -> CallbackBuilder<H> {
    guarded().without_guard().handler(handler)
}

pub(crate) fn allowing() -> CallbackService<impl Handler> {
    builder(allow()).build().unwrap()
}

pub(crate) fn event_of(method: &Method) -> String {
    let identity = Identity::number("+46700000001".parse().unwrap());
    RequestEvent::new(VerificationId::new("1234").unwrap(), method.clone(), identity).to_json()
}

pub(crate) fn post(body: impl Into<Bytes>) -> Request<Bytes> {
    post_to(PATH, body)
}

pub(crate) fn post_to(path: &str, body: impl Into<Bytes>) -> Request<Bytes> {
    signer().post(path.parse().unwrap(), body, now())
}

pub(crate) async fn serve(app: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(Server::new(app).serve(listener, std::future::pending()));
    address
}

pub(crate) struct Answered {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answered {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// All that a sender can see, but for the time.
    pub(crate) fn without_date(&self) -> String {
        let mut headers = self.headers.clone();
        headers.remove(DATE);
        format!("{} {headers:?} {:?}", self.status, self.body)
    }
}

/// Serves `handler` at the usual path, and sends one request.
pub(crate) async fn ask(handler: impl Handler, request: Request<Bytes>) -> Answered {
    ask_built(builder(handler), request).await
}

pub(crate) async fn ask_built<H: Handler>(builder: CallbackBuilder<H>, request: Request<Bytes>) -> Answered {
    let server = serve(router(PATH, builder.build().unwrap())).await;
    send(server, request).await
}

pub(crate) fn allow() -> impl Handler {
    |_: RequestEvent| async { Decision::Allow }
}

/// Sends one request on a connection of its own.
pub(crate) async fn send(server: SocketAddr, mut request: Request<Bytes>) -> Answered {
    let stream = TcpStream::connect(server).await.unwrap();
    let io = hyper_util::rt::TokioIo::new(stream);
    let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await.unwrap();
    let connection = tokio::spawn(connection);
    request
        .headers_mut()
        .insert(HOST, HeaderValue::from_static("localhost"));
    let response = sender.send_request(request.map(Full::new)).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    connection.abort();
    Answered {
        status: parts.status,
        headers: parts.headers,
        body,
    }
}

/// The head of a request as bytes, with one more header line.
pub(crate) fn wire(request: &Request<Bytes>, line: &str) -> Vec<u8> {
    let mut raw = format!(
        "{} {} HTTP/1.1\r\nhost: localhost\r\n",
        request.method(),
        request.uri()
    );
    for (name, value) in request.headers() {
        raw.push_str(&format!("{name}: {}\r\n", value.to_str().unwrap()));
    }
    if !line.is_empty() {
        raw.push_str(&format!("{line}\r\nconnection: close\r\n"));
    }
    raw.push_str("\r\n");
    raw.into_bytes()
}

/// Sends bytes as they are, and reads until the server closes or has answered.
pub(crate) async fn send_raw(server: SocketAddr, raw: &[u8]) -> String {
    let mut stream = TcpStream::connect(server).await.unwrap();
    stream.write_all(raw).await.unwrap();
    let mut answer = Vec::new();
    // A server that closes before it read everything may reset the connection.
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8(answer).unwrap()
}
