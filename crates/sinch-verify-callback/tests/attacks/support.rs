//! Receivers on loopback ports, and a client that sends bytes as they are.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::Request;
use sinch_verify_callback::hyper::Server;
use sinch_verify_callback::protocol::callback::RequestEvent;
use sinch_verify_callback::protocol::{Code, Decision, Method, VerificationId, WireObject as _};
use sinch_verify_callback::replay::MemoryStore;
use sinch_verify_callback::testing::request_event;
use sinch_verify_callback::{CallbackBuilder, CallbackService, Handler, InDoubt, ReplayGuard};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

pub(crate) use crate::fixtures::{now, signer};

pub(crate) fn event(id: &str) -> String {
    let number = "+46700000001".parse().unwrap();
    request_event(VerificationId::new(id).unwrap(), Method::Sms, number).to_json()
}

pub(crate) fn post_at(body: impl Into<Bytes>, at: SystemTime) -> Request<Bytes> {
    signer().post("/callback".parse().unwrap(), body, at)
}

pub(crate) fn post(body: impl Into<Bytes>) -> Request<Bytes> {
    post_at(body, now())
}

pub(crate) fn in_memory(in_doubt: InDoubt) -> ReplayGuard {
    ReplayGuard::new(MemoryStore::default(), in_doubt)
}

/// A handler that allows with a new code each time, and the count of its decisions.
pub(crate) fn counting() -> (impl Handler, Arc<AtomicU32>) {
    let count = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&count);
    let handler = move |_: RequestEvent| {
        let n = counted.fetch_add(1, Ordering::SeqCst) + 1;
        async move { Code::new(&format!("{n:04}")).map(Decision::sms_code) }
    };
    (handler, count)
}

pub(crate) fn builder<H: Handler>(handler: H, guard: ReplayGuard) -> CallbackBuilder<H> {
    crate::fixtures::builder().guard(guard).handler(handler)
}

pub(crate) fn service<H: Handler>(handler: H, guard: ReplayGuard) -> CallbackService<H> {
    builder(handler, guard).build().unwrap()
}

/// Serves until the test ends.
pub(crate) async fn serve<H: Handler>(server: Server<CallbackService<H>>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(server.serve(listener, std::future::pending()));
    address
}

/// The request as bytes, with its length, to be answered and closed.
pub(crate) fn wire(request: &Request<Bytes>) -> Vec<u8> {
    let length = format!(
        "content-length: {}\r\nconnection: close\r\n",
        request.body().len()
    );
    let mut raw = head(request, &length);
    raw.extend_from_slice(request.body());
    raw
}

/// The head as bytes, with more header lines, each with its line end.
pub(crate) fn head(request: &Request<Bytes>, lines: &str) -> Vec<u8> {
    let mut raw = format!("{} {} HTTP/1.1\r\nhost: a\r\n", request.method(), request.uri());
    for (name, value) in request.headers() {
        raw.push_str(&format!("{name}: {}\r\n", value.to_str().unwrap()));
    }
    raw.push_str(lines);
    raw.push_str("\r\n");
    raw.into_bytes()
}

/// The answer's status, 0 for none, and its body.
pub(crate) async fn send(server: SocketAddr, request: &Request<Bytes>) -> (u16, String) {
    read(&send_raw(server, &wire(request)).await)
}

pub(crate) fn read(answer: &str) -> (u16, String) {
    let status = answer.get(9..12).and_then(|text| text.parse().ok()).unwrap_or(0);
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    (status, body.to_owned())
}

/// Sends bytes as they are, and reads until the server closes.
pub(crate) async fn send_raw(server: SocketAddr, raw: &[u8]) -> String {
    let mut stream = TcpStream::connect(server).await.unwrap();
    // A server that has seen enough may close before it has read everything.
    let _ = stream.write_all(raw).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8(answer).unwrap()
}

/// Longer than anything here takes: a test that gets there has found a hang.
pub(crate) const HANG: Duration = Duration::from_secs(60);
