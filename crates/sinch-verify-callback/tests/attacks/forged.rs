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
    let decided = || decided.load(std::sync::atomic::Ordering::SeqCst);
    let request = post(event("1"));
    // A whole callback is the body of one that is forged: who finds that body shorter than it is
    // takes the callback for a request of its own. Nothing closes the connection but the last one,
    // so that whatever is taken for a request is answered.
    let length = format!("content-length: {}\r\n", request.body().len());
    let hidden = [&head(&request, &length)[..], request.body()].concat();
    let last = b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
    let attack = async |lines: &str, body: &[u8]| {
        let raw = [&head(&request, lines), body, last].concat();
        let answer = send_raw(server, &raw).await;
        let statuses = answer.match_indices("HTTP/1.1 ");
        let statuses = statuses.map(|(at, _)| answer[at + 9..at + 12].to_owned());
        statuses.collect::<Vec<_>>()
    };

    let len = hidden.len();
    // What reads chunks finds the last one at once, and the callback behind it.
    let no_chunks = [b"0\r\n\r\n", &hidden[..]].concat();
    let chunks_len = no_chunks.len();
    let attacks: Vec<(&str, &[u8], String)> = vec![
        (
            "two lengths that differ",
            &hidden,
            format!("content-length: {len}\r\ncontent-length: 0\r\n"),
        ),
        (
            "two lengths that differ, the other way round",
            &hidden,
            format!("content-length: 0\r\ncontent-length: {len}\r\n"),
        ),
        (
            "length and chunks",
            &no_chunks,
            format!("content-length: {chunks_len}\r\ntransfer-encoding: chunked\r\n"),
        ),
        (
            "chunks and length",
            &no_chunks,
            format!("transfer-encoding: chunked\r\ncontent-length: {chunks_len}\r\n"),
        ),
        (
            "chunks and something else",
            &no_chunks,
            "transfer-encoding: chunked, x\r\n".to_owned(),
        ),
        (
            "two transfer encodings",
            &no_chunks,
            "transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n".to_owned(),
        ),
        (
            "two hosts",
            &hidden,
            format!("host: b\r\ncontent-length: {len}\r\n"),
        ),
        (
            "a length with a sign",
            &hidden,
            format!("content-length: +{len}\r\n"),
        ),
        (
            "two lengths in one",
            &hidden,
            format!("content-length: {len}, 0\r\n"),
        ),
        (
            "a space before the colon",
            &hidden,
            format!("content-length : {len}\r\n"),
        ),
        (
            "a folded line",
            &hidden,
            format!("x-a: b\r\n content-length: {len}\r\ncontent-length: 0\r\n"),
        ),
        (
            "a second authorization in other letters",
            &hidden,
            format!("AUTHORIZATION: application a:b\r\ncontent-length: {len}\r\n"),
        ),
        (
            "a second timestamp in other letters",
            &hidden,
            format!("X-Timestamp: 2026-01-02T03:04:05.067Z\r\ncontent-length: {len}\r\n"),
        ),
        (
            "a null in a value",
            &hidden,
            format!("x-a: b\0c\r\ncontent-length: {len}\r\n"),
        ),
        (
            "a bare carriage return",
            &hidden,
            format!("x-a: b\rcontent-length: 0\r\ncontent-length: {len}\r\n"),
        ),
    ];
    for (name, body, lines) in attacks {
        let statuses = attack(&lines, body).await;
        // The forged one is refused, with the rest of the connection or before the last request; an
        // answer may be lost where the server closes on what it did not read.
        let seen: Vec<_> = statuses.iter().map(String::as_str).collect();
        assert!(
            matches!(seen[..], [] | ["400" | "401"] | ["401", "405"]),
            "{name}: {seen:?}"
        );
        assert_eq!(decided(), 0, "{name}");
    }
    // Headers that are too many or too long are refused before they fill memory.
    for lines in [
        format!("x-a: {}\r\n", "b".repeat(20_000)),
        "x-a: b\r\n".repeat(200),
    ] {
        let (status, _) = read(&send_raw(server, &head(&request, &lines)).await);
        assert!([0, 431].contains(&status), "{status}");
    }
    // What it looks like when a parser is taken in: the length is said to be nothing, and it is so.
    let taken_in = attack("content-length: 0\r\n", &hidden).await;
    assert_eq!(
        (taken_in, decided()),
        (["401", "200", "405"].map(str::to_owned).to_vec(), 1)
    );
}

/// What hyper merges or drops before a service sees it is taken; what a service sees twice is not.
#[tokio::test]
async fn doubled_framing_and_host_headers() {
    let (handler, _) = counting();
    let server = serve(Server::new(service(handler, in_memory(InDoubt::Refuse)))).await;
    let len = event("00").len();
    let length = format!("content-length: {len}\r\n");
    let chunked = "transfer-encoding: chunked\r\n";
    let cases = [
        ("two hosts", format!("host: a\r\n{length}"), false, 400),
        ("two transfer encodings", chunked.repeat(2), true, 400),
        (
            "two lengths that differ",
            format!("{length}content-length: 0\r\n"),
            false,
            400,
        ),
        ("two equal lengths", length.repeat(2), false, 200),
        ("a length and chunks", format!("{length}{chunked}"), true, 200),
        ("chunks and a length", format!("{chunked}{length}"), true, 200),
    ];
    for (n, (name, lines, in_chunks, status)) in cases.into_iter().enumerate() {
        let request = post(event(&format!("{n:02}")));
        let body = match in_chunks {
            true => [
                format!("{len:x}\r\n").as_bytes(),
                request.body(),
                b"\r\n0\r\n\r\n",
            ]
            .concat(),
            false => request.body().to_vec(),
        };
        let lines = format!("{lines}connection: close\r\n");
        let answer = send_raw(server, &[head(&request, &lines), body].concat()).await;
        assert_eq!(read(&answer).0, status, "{name}: {answer}");
    }
}

/// A length beside chunks: whatever follows on the connection is not read as a request.
#[tokio::test]
async fn a_connection_with_a_length_beside_chunks_closes_after_the_answer() {
    let (handler, _) = counting();
    let server = serve(Server::new(service(handler, in_memory(InDoubt::Refuse)))).await;
    let len = event("1").len();
    let length = format!("content-length: {len}\r\n");
    let chunked = "transfer-encoding: chunked\r\n";
    for (id, lines) in [
        ("1", format!("{length}{chunked}")),
        ("2", format!("{chunked}{length}")),
    ] {
        let request = post(event(id));
        let chunk = format!("{len:x}\r\n");
        let body = [chunk.as_bytes(), request.body(), b"\r\n0\r\n\r\n"].concat();
        let raw = [head(&request, &lines), body, wire(&post(event("3")))].concat();
        let answer = send_raw(server, &raw).await;
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{lines}: {answer}");
    }
}
