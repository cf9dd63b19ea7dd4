//! The bytes that `pendingBytes` counts are the memory that pending verifications use.
//!
//! The only test of its process, because the counter of the allocator is global.
#![allow(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::alloc::System;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::SendRequest;
use hyper_util::rt::TokioIo;
use sinch_verify_emulator::{Application, Emulator, Settings};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use tokio::net::TcpStream;

#[global_allocator]
static GLOBAL: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const KEY: &str = "11111111-2222-3333-4444-555555555555";
const SECRET: &str = "BeIukql3pTKJ8RGL5zo0DA==";

/// The limit for pending verifications in this test.
const LIMIT: usize = 2_000_000;

struct Client(SendRequest<Full<Bytes>>);

impl Client {
    async fn connect(emulator: &Emulator) -> Self {
        let stream = TcpStream::connect(emulator.addr()).await.unwrap();
        let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .unwrap();
        tokio::spawn(connection);
        Self(sender)
    }

    async fn send(&mut self, verb: &str, path: &str, body: String) -> Response<Bytes> {
        use base64::Engine as _;
        let credentials = base64::engine::general_purpose::STANDARD.encode(format!("{KEY}:{SECRET}"));
        let request = Request::builder()
            .method(verb)
            .uri(format!("/verification/v1/verifications{path}"))
            .header("host", "localhost")
            .header("content-type", "application/json")
            .header("authorization", format!("Basic {credentials}"))
            .body(Full::new(body.into()))
            .unwrap();
        self.0.ready().await.unwrap();
        let (head, body) = self.0.send_request(request).await.unwrap().into_parts();
        Response::from_parts(head, body.collect().await.unwrap().to_bytes())
    }
}

/// Starts verifications with these additional fields until one is refused, and reports each once with this
/// body. Returns their number and the heap memory that they use.
async fn fill(fields: &str, report: Option<&str>) -> (usize, usize) {
    let mut settings = Settings::default();
    settings.pending_bytes = LIMIT;
    // Journal, feed and log have limits of their own.
    settings.requests_kept = 0;
    settings.events_kept = 0;
    let emulator = Emulator::builder()
        .application(Application::new(KEY.parse().unwrap(), SECRET.parse().unwrap()))
        .settings(settings)
        .start()
        .await
        .unwrap();
    let mut client = Client::connect(&emulator).await;
    // The first start of the process loads the numbering plans.
    let first = r#"{"identity":{"type":"number","endpoint":"+46799999999"},"method":"sms"}"#;
    assert_eq!(
        client.send("POST", "", first.to_owned()).await.status(),
        StatusCode::OK
    );
    let region = Region::new(GLOBAL);
    for n in 0.. {
        let number = format!("+4670{n:07}");
        let body = format!(r#"{{"identity":{{"type":"number","endpoint":"{number}"}},{fields}}}"#);
        let body = body.replace("REFERENCE", &format!("reference-{n:054}"));
        let started = client.send("POST", "", body).await;
        if started.status() == StatusCode::TOO_MANY_REQUESTS {
            let change = region.change();
            return (n, change.bytes_allocated - change.bytes_deallocated);
        }
        assert_eq!(started.status(), StatusCode::OK, "{:?}", started.body());
        if let Some(report) = report {
            let path = format!("/number/{number}");
            let reported = client.send("PUT", &path, report.to_owned()).await;
            assert_eq!(
                reported.status(),
                StatusCode::BAD_REQUEST,
                "{:?}",
                reported.body()
            );
        }
    }
    unreachable!("there is a limit")
}

#[tokio::test]
async fn pending_bytes_are_counted_as_they_are_kept() {
    let long = "x".repeat(4_000);
    let custom = format!(r#""method":"sms","custom":"{long}""#);
    let template = format!(r#""method":"sms","smsOptions":{{"template":"{{{{CODE}}}} {long}"}}"#);
    let source = format!(r#"{{"method":"sms","source":"{long}","sms":{{"code":"x"}}}}"#);
    for (what, fields, report) in [
        ("plain", r#""method":"sms""#, None),
        (
            "reference",
            r#""method":"flashcall","reference":"REFERENCE""#,
            None,
        ),
        ("callout", r#""method":"callout""#, None),
        ("auto", r#""method":"auto""#, None),
        ("custom", &custom, None),
        ("template", &template, None),
        ("source", r#""method":"sms""#, Some(source.as_str())),
    ] {
        let (n, taken) = fill(fields, report).await;
        println!("{what}: {n} verifications, {taken} bytes, {} each", taken / n);
        // The allocator has an overhead, and maps grow by doubling.
        let ratio = taken as f64 / LIMIT as f64;
        assert!((0.7..=1.1).contains(&ratio), "{what}: {ratio}");
    }
}
