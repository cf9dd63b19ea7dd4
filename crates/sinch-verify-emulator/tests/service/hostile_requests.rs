//! Careless and hostile requests to the control interface.

use std::net::{IpAddr, UdpSocket};
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt as _;
use http::Request;
use sinch_verify_emulator::{Emulator, HandsetBehavior, Scope};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::support::{KEY, NUMBER, builder, emulator, get, json, post, send};

const RESET: &str = r#"{"on":"api","fault":{"kind":"reset"}}"#;

async fn with(emulator: &Emulator, verb: &str, path: &str, body: &str) -> http::Response<Bytes> {
    let request = Request::builder().method(verb).uri(path);
    let request = request.body(Bytes::from(body.to_owned())).unwrap();
    send(emulator, request).await
}

/// Sends these bytes. Returns the answer up to the end of its head, or of the connection.
async fn raw(emulator: &Emulator, request: &[u8]) -> (TcpStream, String) {
    let mut stream = TcpStream::connect(emulator.addr()).await.unwrap();
    stream.write_all(request).await.unwrap();
    let answer = head_of_answer(&mut stream).await;
    (stream, answer)
}

async fn head_of_answer(stream: &mut TcpStream) -> String {
    let (mut answer, mut buffer) = (String::new(), [0; 4096]);
    while !answer.contains("\r\n\r\n") {
        let n = stream.read(&mut buffer).await.unwrap();
        if n == 0 {
            break;
        }
        answer.push_str(std::str::from_utf8(&buffer[..n]).unwrap());
    }
    answer
}

#[tokio::test]
async fn every_refusal_is_json_that_says_why() {
    let emulator = emulator().await;
    let long = "x".repeat(100_000);
    for (verb, path, body, status, why) in [
        ("GET", "/_emu/requests/abc", "", 400, "whole number"),
        (
            "GET",
            "/_emu/requests/18446744073709551616",
            "",
            400,
            "whole number",
        ),
        ("POST", "/_emu/deliveries/-1/replay", "", 400, "whole number"),
        ("DELETE", "/_emu/faults/x", "", 400, "whole number"),
        ("GET", "/_emu/numbers/%FF/messages", "", 400, "UTF-8"),
        ("DELETE", "/_emu/verifications", "", 405, "not accept DELETE"),
        ("GET", "/_emu/reset", "", 405, "not accept GET"),
        ("OPTIONS", "/_emu/clock", "", 405, "not accept OPTIONS"),
        ("GET", "/_emu/verification", "", 404, "GET /"),
        ("GET", "/_emu/", "", 404, "GET /"),
        ("POST", "/_emu/try", &long, 413, "65536 bytes"),
        ("GET", "/_emu/info/", "", 404, "GET /"),
        ("GET", "/_emu/verifications?colour=red", "", 400, "\"colour\""),
        ("GET", "/_emu/events?kind=started,bogus", "", 400, "\"bogus\""),
        (
            "POST",
            "/_emu/deliveries/7/replay",
            "",
            404,
            "there is no delivery 7",
        ),
        ("POST", "/_emu/try", "[]", 400, "not an object"),
        (
            "POST",
            "/_emu/try",
            r#"["sms","+46700000001"]"#,
            400,
            "not an object",
        ),
        (
            "POST",
            "/_emu/try",
            r#"{"method":"sms","number":4}"#,
            400,
            "number: ",
        ),
        (
            "POST",
            "/_emu/try",
            r#"{"method":"sms","number":"+46700000001"} {}"#,
            400,
            "trailing",
        ),
        (
            "POST",
            "/_emu/faults",
            r#"{"on":"api","fault":{"kind":"status","status":"500"}}"#,
            400,
            "fault",
        ),
        (
            "POST",
            "/_emu/faults",
            r#"{"on":"api","application":"zz","fault":{"kind":"stall"}}"#,
            400,
            "application",
        ),
        (
            "POST",
            "/_emu/faults",
            r#"{"on":"api","fault":{"kind":"stall","handled":true}}"#,
            400,
            "handled",
        ),
        (
            "POST",
            "/_emu/behaviors",
            r#"{"number":"x","behavior":{"do":"wait"}}"#,
            400,
            "number: ",
        ),
        (
            "POST",
            "/_emu/behaviors",
            r#"{"behavior":{"do":"wait","after":"1s"}}"#,
            400,
            "after",
        ),
    ] {
        let answer = with(&emulator, verb, path, body).await;
        let told = String::from_utf8_lossy(answer.body());
        assert_eq!(answer.status(), status, "{verb} {path}: {told}");
        let error = json(&answer)["error"].as_str().unwrap().to_owned();
        assert!(error.contains(why), "{verb} {path} {error}");
        assert!(!error.contains("struct ") && !error.contains("u64"), "{error}");
    }
    let refused = with(&emulator, "PATCH", "/_emu/clock", "").await;
    assert_eq!(refused.headers()["allow"], "GET,HEAD,POST");
}

#[tokio::test]
async fn an_error_names_the_field_and_not_the_place_in_the_body() {
    let emulator = emulator().await;
    for (path, body, field, error) in [
        (
            "/_emu/try",
            r#"{"method":"sms","number":"0701234567"}"#,
            "number",
            "number: phone number lacks the leading +; write + and the country code before it",
        ),
        (
            "/_emu/try",
            r#"{"method":"pigeon","number":"+46700000001"}"#,
            "method",
            "method: must be ",
        ),
        (
            "/_emu/try",
            r#"{"method":"sms","number":"+46700000001","acceptLanguage":"å"}"#,
            "acceptLanguage",
            "acceptLanguage: ",
        ),
        (
            "/_emu/try",
            r#"{"method":"sms","number":"+46700000001","application":"other"}"#,
            "application",
            "application: ",
        ),
    ] {
        let answer = json(&with(&emulator, "POST", path, body).await);
        assert_eq!(answer["field"], field, "{answer}");
        let said = answer["error"].as_str().unwrap();
        assert!(said.starts_with(error), "{said}");
        assert!(!said.contains("line") && !said.contains("JSON"), "{said}");
    }
    // A missing field is in no place, and a body that is no JSON has no fields.
    for body in [r#"{"method":"sms"}"#, r#"{"method":"sms","number"#] {
        let answer = json(&with(&emulator, "POST", "/_emu/try", body).await);
        assert_eq!(answer.get("field"), None);
        assert!(
            answer["error"].as_str().unwrap().starts_with("body must be "),
            "{answer}"
        );
    }
}

#[tokio::test]
async fn an_incomplete_query_clears_nothing() {
    let emulator = emulator().await;
    emulator
        .set_handset_behavior(Scope::Everyone, HandsetBehavior::Never)
        .unwrap();
    for query in ["number=", "prefix=", "application=", "everyone=maybe", "everyone"] {
        let answer = with(&emulator, "DELETE", &format!("/_emu/behaviors?{query}"), "").await;
        assert_eq!(answer.status(), 400, "{query}");
    }
    let narrowed = post(
        &emulator,
        "/_emu/behaviors",
        r#"{"everyone":false,"behavior":{"do":"wait"}}"#,
    )
    .await;
    assert_eq!(narrowed.status(), 400);
    let behaviors = json(&get(&emulator, "/_emu/behaviors").await);
    assert_eq!(behaviors["behaviors"][0]["behavior"]["do"], "never");

    let callback = format!("/_emu/applications/{KEY}/callback");
    let url = "http://127.0.0.1:9/callback";
    let set = with(&emulator, "PUT", &callback, &format!(r#"{{"url":"{url}"}}"#)).await;
    assert_eq!(set.status(), 200);
    assert_eq!(with(&emulator, "PUT", &callback, "{}").await.status(), 400);
    let info = json(&get(&emulator, "/_emu/info").await);
    assert_eq!(info["applications"][0]["callbackUrl"], url);
    assert_eq!(
        with(&emulator, "PUT", &callback, r#"{"url":null}"#)
            .await
            .status(),
        200
    );
    let info = json(&get(&emulator, "/_emu/info").await);
    assert!(info["applications"][0].get("callbackUrl").is_none());
}

#[tokio::test]
async fn pages_of_other_origins_are_refused() {
    let emulator = emulator().await;
    let here = emulator.addr();
    for (headers, status) in [
        (format!("Host: {here}"), 200),
        (format!("Host: {here}\r\nOrigin: http://{here}"), 200),
        (format!("Host: {here}\r\nSec-Fetch-Site: same-origin"), 200),
        (format!("Host: {here}\r\nSec-Fetch-Site: none"), 200),
        // A link on another page that a user follows.
        (
            format!("Host: {here}\r\nSec-Fetch-Site: cross-site\r\nSec-Fetch-Dest: document"),
            200,
        ),
        // Requests for images, scripts and frames have no `Origin`.
        (
            format!("Host: {here}\r\nSec-Fetch-Site: cross-site\r\nSec-Fetch-Dest: image"),
            403,
        ),
        (
            format!("Host: {here}\r\nSec-Fetch-Site: same-site\r\nSec-Fetch-Dest: script"),
            403,
        ),
        (
            format!("Host: {here}\r\nSec-Fetch-Site: cross-site\r\nSec-Fetch-Dest: iframe"),
            403,
        ),
        (format!("Host: {here}\r\nSec-Fetch-Site: cross-site"), 403),
        (format!("Host: {here}\r\nHost: evil.example"), 403),
        (
            format!("Host: {here}\r\nOrigin: http://{here}\r\nOrigin: http://evil.example"),
            403,
        ),
        (format!("Host: {here}\r\nOrigin: null"), 403),
        ("Host: localhost.evil.example".to_owned(), 403),
        ("Host: localhost@evil.example".to_owned(), 403),
        (format!("Host: evil@{here}"), 403),
        ("Host: ".to_owned(), 403),
    ] {
        for path in ["/_emu/info", "/_emu/clock", "/_page/app.js"] {
            if path == "/_page/app.js" && !cfg!(feature = "console") {
                continue;
            }
            let request = format!("GET {path} HTTP/1.1\r\n{headers}\r\nConnection: close\r\n\r\n");
            let (_, answer) = raw(&emulator, request.as_bytes()).await;
            let expected = format!("HTTP/1.1 {status}");
            assert!(answer.starts_with(&expected), "{path} {headers}: {answer}");
        }
    }
}

/// An address of this machine that is not a loopback address.
fn outer_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    // Nothing is sent; the system chooses the source address.
    socket.connect("192.0.2.1:9").ok()?;
    let address = socket.local_addr().ok()?.ip();
    (!address.is_loopback() && !address.is_unspecified()).then_some(address)
}

#[tokio::test]
async fn other_machines_reach_the_control_interface_by_an_allowed_name_only() {
    let Some(outer) = outer_address() else {
        eprintln!("not run: this machine has no address but loopback");
        return;
    };
    for (allowed, host, status) in [
        (None, "Host: localhost", 403),
        (None, "Host: 127.0.0.1:9901", 403),
        (None, "Host: [::1]", 403),
        (Some("emulator.test"), "Host: localhost", 403),
        (Some("emulator.test"), "Host: emulator.test", 200),
        (Some("localhost"), "Host: localhost:9901", 200),
        (Some("localhost"), "Host: 127.0.0.1:9901", 200),
    ] {
        let mut builder = builder().bind("0.0.0.0:0".parse().unwrap());
        if let Some(name) = allowed {
            builder = builder.allow_host(name.parse().unwrap());
        }
        let emulator = builder.start().await.unwrap();
        let mut stream = TcpStream::connect((outer, emulator.addr().port())).await.unwrap();
        let request = format!("POST /_emu/reset HTTP/1.1\r\n{host}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let answer = head_of_answer(&mut stream).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")),
            "{allowed:?} {host}: {answer}"
        );
    }
}

#[tokio::test]
async fn http_1_1_requires_a_host() {
    let emulator = emulator().await;
    for (path, without) in [
        ("/verification/v1/verifications", 405),
        ("/_emu/info", 200),
        ("/_emu/nothing", 404),
        ("/", 200),
        ("/readyz", 200),
    ] {
        for (version, status) in [("1.1", 400), ("1.0", without)] {
            let request = format!("GET {path} HTTP/{version}\r\nConnection: close\r\n\r\n");
            let (_, answer) = raw(&emulator, request.as_bytes()).await;
            let got = answer.split(' ').nth(1);
            assert_eq!(got, Some(&*status.to_string()), "{path} {version}: {answer}");
        }
    }
    // Also with the whole URL in the request line.
    let whole = format!("GET http://{}/livez HTTP/1.1\r\n\r\n", emulator.addr());
    let (_, answer) = raw(&emulator, whole.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
}

/// The body arrives with one byte a second, on a clock that this test moves.
#[tokio::test(start_paused = true)]
async fn a_body_that_trickles_is_ended_after_five_seconds() {
    let emulator = emulator().await;
    for path in ["/verification/v1/verifications", "/_emu/try", "/_emu/reset"] {
        let mut stream = TcpStream::connect(emulator.addr()).await.unwrap();
        let head = format!("POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        let began = Instant::now();
        let trickle = async {
            while stream.write_all(b" ").await.is_ok() && stream.readable().now_or_never().is_none() {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), trickle)
            .await
            .unwrap();
        let answer = head_of_answer(&mut stream).await;
        assert!(answer.starts_with("HTTP/1.1 408"), "{path}: {answer}");
        assert!(answer.contains("connection: close"), "{path}: {answer}");
        assert!(began.elapsed() >= Duration::from_secs(5), "{path}");
    }
}

#[tokio::test]
async fn faults_for_everything_leave_the_control_interface_alone() {
    let emulator = emulator().await;
    assert_eq!(post(&emulator, "/_emu/faults", RESET).await.status(), 200);
    for path in ["/", "/livez", "/_emu/info", "/_emu/faults"] {
        assert_eq!(get(&emulator, path).await.status(), 200, "{path}");
    }
    // It starts through the API, where the fault applies: reported at once, not after a time limit.
    let body = format!(r#"{{"method":"sms","number":"{NUMBER}"}}"#);
    let tried = post(&emulator, "/_emu/try", &body).await;
    assert_eq!(tried.status(), 502);
    assert!(json(&tried)["error"].as_str().unwrap().contains("reset"));
}

#[tokio::test]
async fn heads_are_bounded() {
    let emulator = emulator().await;
    let head = |bytes: usize| {
        let filler = "x".repeat(bytes);
        let head = "POST /verification/v1/verifications HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n";
        format!("{head}x-filler: {filler}\r\nConnection: close\r\n\r\n")
    };
    let (_, taken) = raw(&emulator, head(32 * 1024).as_bytes()).await;
    assert!(taken.starts_with("HTTP/1.1 401"), "{taken}");
    let (_, refused) = raw(&emulator, head(160 * 1024).as_bytes()).await;
    assert!(refused.starts_with("HTTP/1.1 431"), "{refused}");
    let requests = json(&get(&emulator, "/_emu/requests").await);
    assert_eq!(requests["requests"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn readers_that_never_read_are_bounded() {
    let emulator = emulator().await;
    let request = b"GET /_emu/events?after=0 HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let mut readers = Vec::new();
    for _ in 0..256 {
        let (stream, answer) = raw(&emulator, request).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        readers.push(stream);
    }
    let (_, refused) = raw(&emulator, request).await;
    assert!(refused.starts_with("HTTP/1.1 503"), "{refused}");
    assert_eq!(get(&emulator, "/_emu/info").await.status(), 200);

    // Another reader is accepted after one has disconnected.
    readers.pop();
    let again = async {
        while !raw(&emulator, request).await.1.starts_with("HTTP/1.1 200") {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(crate::support::SHORT, again).await.unwrap();
    tokio::time::timeout(crate::support::SHORT, emulator.shutdown())
        .await
        .unwrap();
}
