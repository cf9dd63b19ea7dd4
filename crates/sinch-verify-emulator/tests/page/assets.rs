//! The files of the page, and the requests that they are refused to.

use bytes::Bytes;
use http::{Request, Response, StatusCode};

use crate::support::{emulator, send};
use sinch_verify_emulator::Emulator;

async fn ask(emulator: &Emulator, path: &str, headers: &[(&str, &str)]) -> Response<Bytes> {
    let mut request = Request::builder().uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    send(emulator, request.body(Bytes::new()).unwrap()).await
}

const BROWSER: (&str, &str) = ("accept", "text/html,application/xhtml+xml,*/*;q=0.8");

#[tokio::test]
async fn browsers_receive_the_page_and_scripts_the_index() {
    let emulator = emulator().await;
    let page = ask(&emulator, "/", &[BROWSER]).await;
    assert_eq!(page.status(), StatusCode::OK);
    assert!(page.body().starts_with(b"<!doctype html>"));
    let headers = page.headers();
    assert_eq!(headers["content-type"], "text/html; charset=utf-8");
    assert_eq!(headers["x-content-type-options"], "nosniff");
    assert_eq!(headers["referrer-policy"], "no-referrer");
    let policy = headers["content-security-policy"].to_str().unwrap();
    for rule in [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "frame-ancestors 'none'",
    ] {
        assert!(policy.split("; ").any(|own| own == rule), "{rule} in {policy}");
    }
    assert!(!policy.contains("unsafe"), "{policy}");

    let index = ask(&emulator, "/", &[("accept", "*/*")]).await;
    assert!(
        index
            .body()
            .starts_with(b"Emulator of the Sinch Verification service.")
    );
    let script = ask(&emulator, "/_page/app.js", &[]).await;
    assert_eq!(script.headers()["content-type"], "text/javascript; charset=utf-8");
    assert!(script.headers().contains_key("content-security-policy"));
    assert_eq!(
        ask(&emulator, "/_page/none.js", &[]).await.status(),
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn other_hosts_and_origins_are_refused() {
    let emulator = emulator().await;
    for stranger in [
        ("host", "rebound.example"),
        ("host", "rebound.example:9901"),
        ("origin", "http://shop.example"),
        ("origin", "null"),
    ] {
        for path in ["/", "/_page/app.js", "/_emu/phones"] {
            let refused = ask(&emulator, path, &[BROWSER, stranger]).await;
            assert_eq!(refused.status(), StatusCode::FORBIDDEN, "{path} {stranger:?}");
        }
    }
    let own = format!("http://{}", emulator.addr());
    for friend in [
        ("origin", own.as_str()),
        ("host", "localhost:1"),
        ("host", "[::1]"),
    ] {
        let page = ask(&emulator, "/", &[BROWSER, friend]).await;
        assert_eq!(page.status(), StatusCode::OK, "{friend:?}");
    }
}
