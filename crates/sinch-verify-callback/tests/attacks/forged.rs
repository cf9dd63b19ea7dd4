//! Requests that were never signed, or not as they are.

use sinch_verify_callback::InDoubt;
use sinch_verify_callback::hyper::Server;
use sinch_verify_callback::testing::Tamper;

use crate::support::{
    counting, event, head, in_memory, now, post, read, send, send_raw, serve, service, signer, wire,
};

#[tokio::test]
async fn every_tampering_is_refused_alike_and_remembered_by_nobody() {
    let (handler, decided) = counting();
    let guard = in_memory(InDoubt::Refuse);
    let server = serve(Server::new(service(handler, guard))).await;
    let mut answers = Vec::new();
    for tamper in Tamper::ALL {
        let mut request = post(event("1"));
        tamper.apply(&signer(), &mut request, now());
        let answer = send_raw(server, &wire(&request)).await;
        assert_eq!(read(&answer), (401, String::new()), "{tamper}");
        // All that is seen of it, but for the time.
        let mut lines: Vec<String> = answer.lines().map(str::to_ascii_lowercase).collect();
        lines.retain(|line| !line.starts_with("date:"));
        answers.push(lines);
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:#?}");
    assert_eq!(decided.load(std::sync::atomic::Ordering::SeqCst), 0);
    // None of it used the right signature up: it still counts, once.
    assert_eq!(send(server, &post(event("1"))).await.0, 200);
    assert_eq!(send(server, &post(event("1"))).await.0, 401);
}

/// What one parser may take for two requests, or two parsers for different ones.
#[tokio::test]
async fn smuggled_headers_get_nothing_past() {
    let (handler, decided) = counting();
    let server = serve(Server::new(service(handler, in_memory(InDoubt::Refuse)))).await;
    let request = post(event("1"));
    let len = request.body().len();
    // A whole callback hidden in the body of one that is forged.
    let hidden = wire(&request);
    let attacks: Vec<(&str, String)> = vec![
        (
            "two lengths that differ",
            format!("content-length: {len}\r\ncontent-length: 0\r\n"),
        ),
        (
            "length and chunks",
            format!("content-length: {len}\r\ntransfer-encoding: chunked\r\n"),
        ),
        (
            "chunks and something else",
            "transfer-encoding: chunked, x\r\n".to_owned(),
        ),
        ("a length with a sign", format!("content-length: +{len}\r\n")),
        ("two lengths in one", format!("content-length: {len}, 0\r\n")),
        ("a space before the colon", format!("content-length : {len}\r\n")),
        (
            "a folded line",
            format!("x-a: b\r\n content-length: {len}\r\ncontent-length: 0\r\n"),
        ),
        (
            "a second authorization in other letters",
            format!("AUTHORIZATION: application a:b\r\ncontent-length: {len}\r\n"),
        ),
        (
            "a second timestamp in other letters",
            format!("X-Timestamp: 2026-01-02T03:04:05.067Z\r\ncontent-length: {len}\r\n"),
        ),
        (
            "a null in a value",
            format!("x-a: b\0c\r\ncontent-length: {len}\r\n"),
        ),
        (
            "a bare carriage return",
            format!("x-a: b\rauthorization: c\r\ncontent-length: {len}\r\n"),
        ),
    ];
    for (name, lines) in attacks {
        let mut raw = head(&request, &format!("{lines}connection: close\r\n"));
        raw.extend_from_slice(request.body());
        raw.extend_from_slice(&hidden);
        let answer = send_raw(server, &raw).await;
        let statuses: Vec<&str> = answer
            .match_indices("HTTP/1.1 ")
            .map(|(at, _)| &answer[at + 9..at + 12])
            .collect();
        assert!(
            statuses.iter().all(|status| ["400", "401"].contains(status)),
            "{name}: {answer}"
        );
        assert_eq!(decided.load(std::sync::atomic::Ordering::SeqCst), 0, "{name}");
    }
    // Headers that are too many or too long are refused before they fill memory.
    for lines in [
        format!("x-a: {}\r\n", "b".repeat(20_000)),
        "x-a: b\r\n".repeat(200),
    ] {
        let (status, _) = read(&send_raw(server, &head(&request, &lines)).await);
        assert!([0, 431].contains(&status), "{status}");
    }
    assert_eq!(send(server, &request).await.0, 200);
}
