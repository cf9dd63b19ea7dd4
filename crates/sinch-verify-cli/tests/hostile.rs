//! What a command shows of text from outside: of a service, an emulator, a receiver, the sender of a callback.
#![allow(clippy::unwrap_used, reason = "a test stops where it fails")]

mod running;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::process::Stdio;
use std::time::{Duration, SystemTime};

use running::{KEY, SECRET, command, stderr, stdout};
use serde_json::Value;
use sinch_verify_callback::testing::{CallbackSigner, result_event};
use sinch_verify_client::Transport as _;
use sinch_verify_client::transport::ReqwestTransport;
use sinch_verify_protocol::untrusted::is_control;
use sinch_verify_protocol::{ApplicationSecret, Method, Status, VerificationId, WireObject as _};

/// No control character but the ends of lines, and no line that the sender wrote.
fn check(what: &[&str], text: &str) {
    let control = text.chars().find(|c| is_control(*c) && !matches!(c, '\n' | '\t'));
    assert_eq!(control, None, "{what:?}: {text:?}");
    assert!(
        !text.lines().any(|line| line == "status  SUCCESSFUL"),
        "{what:?}: {text}"
    );
}

/// A service that gives this answer to everything.
fn service(status: &'static str, body: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = BufReader::new(connection.unwrap());
            let (mut line, mut length) = (String::new(), 0);
            while connection.read_line(&mut line).unwrap_or(0) > 2 {
                if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
                line.clear();
            }
            let _ = connection.read_exact(&mut vec![0; length]);
            let answer = format!(
                "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            );
            let _ = connection.get_mut().write_all(answer.as_bytes());
        }
    });
    url
}

/// Clears the screen, sets a title, forges a line, and turns the text around.
const HOSTILE: &str = "\u{1b}]0;owned\u{7}\u{1b}[2J\u{9b}2J\r\nstatus  SUCCESSFUL\u{202e}\u{2028}";

#[test]
fn text_of_the_service_steers_no_terminal_and_forges_no_line() {
    let refusal = serde_json::json!({ "errorCode": 40001, "message": HOSTILE, "reference": HOSTILE });
    let status = serde_json::json!({
        "id": "a\u{9b}b", "method": "sms", "status": HOSTILE, "reason": HOSTILE, "reference": HOSTILE,
        "countryId": HOSTILE, "source": HOSTILE, "callResult": HOSTILE, "unknown": HOSTILE,
        "price": { "verificationPrice": { "currencyId": HOSTILE, "amount": 1 } },
    });
    let started = serde_json::json!({
        "id": "a\u{9b}b", "method": "sms", "sms": { "template": format!("{HOSTILE}{{{{CODE}}}}") },
    });
    let flash_call = serde_json::json!({
        "id": "a\u{9b}b", "method": "flashcall", "flashCall": { "cliFilter": HOSTILE },
    });
    // All that `inbox` asks for in one: it is an emulator, and this reached its phone.
    let message = serde_json::json!({
        "seq": 2, "kind": HOSTILE, "verificationId": "a\u{9b}b", "at": HOSTILE, "text": HOSTILE, "targetUri": HOSTILE,
    });
    let mut inbox = message.clone();
    inbox["version"] = HOSTILE.into();
    inbox["applications"] = serde_json::json!([]);
    inbox["faults"] = serde_json::json!([{ "id": HOSTILE, "rule": { "on": HOSTILE } }]);
    for list in ["messages", "requests", "deliveries"] {
        inbox[list] = serde_json::json!([message]);
    }
    let detail =
        serde_json::json!({ "version": HOSTILE, "applications": [], HOSTILE: [{ HOSTILE: HOSTILE }] });
    let start = ["start", "+46700000001"];
    let trigger = [
        "trigger", "request", "--to", "URL", "--key", KEY, "--secret", SECRET,
    ];
    for (answer, body, arguments, lines) in [
        ("400 Bad Request", &refusal, &start[..], 0),
        ("400 Bad Request", &refusal, &["status", "--id", "1"], 0),
        ("200 OK", &inbox, &["inbox", "+46700000001"], 1),
        (
            "200 OK",
            &inbox,
            &["inbox", "wait", "+46700000001", "--after", "1"],
            1,
        ),
        ("200 OK", &inbox, &["requests"], 1),
        ("200 OK", &inbox, &["deliveries"], 1),
        ("200 OK", &inbox, &["deliveries", "show", "2"], 6),
        ("200 OK", &inbox, &["fault", "list"], 1),
        ("200 OK", &detail, &["requests", "show", "1"], 3),
        ("200 OK", &detail, &["clock", "advance", "5m"], 3),
        ("200 OK", &serde_json::json!(HOSTILE), &trigger, 2),
        ("200 OK", &status, &["status", "--id", "1"], 9),
        ("200 OK", &status, &["report", "--id", "1", "--code", "1"], 9),
        ("200 OK", &started, &start, 4),
        (
            "200 OK",
            &flash_call,
            &["start", "+46700000001", "--method", "flashcall"],
            4,
        ),
    ] {
        let url = service(answer, body.to_string());
        for json in [false, true] {
            let arguments: Vec<_> = arguments
                .iter()
                .map(|argument| argument.replace("URL", &url))
                .collect();
            let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
            let run = command(&arguments)
                .args(json.then_some("--json"))
                .envs([
                    ("SINCH_APPLICATION_KEY", KEY),
                    ("SINCH_APPLICATION_SECRET", SECRET),
                    ("SINCH_VERIFICATION_URL", &url),
                ])
                .output()
                .unwrap();
            let (out, err) = (stdout(&run), stderr(&run));
            check(&arguments, &out);
            check(&arguments, &err);
            if json {
                let printed: Value = serde_json::from_str(&out).unwrap();
                if lines > 0 {
                    // What scripts read is what the service wrote.
                    assert!(out.contains("\\u202e"), "{out}");
                    if answer == "200 OK" && printed["status"].is_string() {
                        assert_eq!(printed["status"], body["status"], "{out}");
                    }
                }
            } else {
                assert_eq!(out.lines().count(), lines, "{arguments:?}: {out}");
            }
        }
    }
}

#[test]
fn an_error_shows_no_number_that_the_service_repeats_and_no_secret() {
    let echo = format!("+46 700 012 345 {SECRET}");
    let refusal = serde_json::json!({ "errorCode": 40001, "message": echo, "reference": echo });
    let url = service("400 Bad Request", refusal.to_string());
    let run = command(&["start", "+46700000001", "--json"])
        .envs([
            ("SINCH_APPLICATION_KEY", KEY),
            ("SINCH_APPLICATION_SECRET", SECRET),
            ("SINCH_VERIFICATION_URL", &url),
        ])
        .output()
        .unwrap();
    for text in [stdout(&run), stderr(&run)] {
        assert!(text.contains("+***"), "{text}");
        assert!(!text.contains("012") && !text.contains(SECRET), "{text}");
    }
}

#[tokio::test]
async fn text_of_a_callback_steers_no_terminal_and_forges_no_line() {
    let mut child = command(&["listen", "--port", "0", "--no-register", "--count", "1"])
        .envs([
            ("SINCH_APPLICATION_KEY", KEY),
            ("SINCH_APPLICATION_SECRET", SECRET),
        ])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut greeting = String::new();
    stdout.read_line(&mut greeting).unwrap();
    let url = greeting
        .strip_prefix("Listening on ")
        .unwrap()
        .split_once(' ')
        .unwrap()
        .0;

    let id = VerificationId::new("a\u{9b}b").unwrap();
    let event = result_event(
        id,
        Method::from(HOSTILE),
        "+46700000001".parse().unwrap(),
        Status::from(HOSTILE),
    );
    let signer = CallbackSigner::new(KEY.parse().unwrap(), &ApplicationSecret::new(SECRET).unwrap());
    let request = signer.post(url.parse().unwrap(), event.to_json(), SystemTime::now());
    let transport = ReqwestTransport::plain(Duration::from_secs(20)).unwrap();
    assert_eq!(transport.send(request).await.unwrap().status(), 200);

    let mut said = String::new();
    tokio::task::spawn_blocking(move || {
        stdout.read_to_string(&mut said).unwrap();
        child.wait().unwrap();
        check(&["listen"], &said);
        let lines: Vec<_> = said
            .lines()
            .filter(|line| line.contains("-->") || line.contains("<--"))
            .collect();
        assert_eq!(lines.len(), 2, "{said}");
        assert!(lines[0].contains("\\u001b[2J"), "{said}");
    })
    .await
    .unwrap();
}
