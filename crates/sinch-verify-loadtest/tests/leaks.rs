//! What the service says in its answers may hold numbers and codes; no artifact of a run does.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod fixtures;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::sync::Mutex;
use std::thread;

use fixtures::{KEY, SECRET};
use sinch_verify_loadtest::runfile::RunFile;
use sinch_verify_loadtest::{Failure, FailureKind};

/// Long enough not to be found by chance among figures and histograms.
const CODE: &str = "48213975";
/// What the requests were signed with.
static SIGNATURES: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// A service that talks too much: it refuses every start, or takes it and then ends it for a reason
/// that is unknown, and says whom it is about each time.
fn talkative(refuses: bool) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for connection in listener.incoming() {
            thread::spawn(move || answer(connection.unwrap(), refuses));
        }
    });
    url
}

fn answer(connection: TcpStream, refuses: bool) {
    let mut connection = BufReader::new(connection);
    let (mut first, mut line, mut length) = (String::new(), String::new(), 0);
    let mut authorization = String::new();
    if connection.read_line(&mut first).is_err() {
        return;
    }
    while connection.read_line(&mut line).unwrap_or(0) > 2 {
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line.starts_with("authorization:") {
            authorization = line.trim_end().to_owned();
            let (_, signature) = authorization.rsplit_once(':').unwrap();
            SIGNATURES.lock().unwrap().push(signature.to_owned());
        }
        line.clear();
    }
    let mut body = vec![0; length];
    let _ = connection.read_exact(&mut body);
    let body = String::from_utf8(body).unwrap();
    let start = first.starts_with("POST");
    let number = body
        .split('"')
        .find(|part| part.starts_with('+'))
        .unwrap_or("+999000111222");
    let grouped: Vec<_> = number.as_bytes()[1..]
        .chunks(3)
        .map(String::from_utf8_lossy)
        .collect();
    let about = format!(
        "{number} or +{} with {CODE} of {SECRET} in {authorization}\u{9b}",
        grouped.join(" ")
    );
    let (status, body) = match (start, refuses) {
        (true, true) => (
            400,
            format!(r#"{{"errorCode":40001,"message":"not for {about}"}}"#),
        ),
        (true, false) => (
            200,
            r#"{"id":"1","method":"sms","sms":{"template":"{{CODE}}"}}"#.to_owned(),
        ),
        _ => (
            200,
            format!(r#"{{"id":"1","method":"sms","status":"STUCK {CODE}","reason":"because of {about}"}}"#),
        ),
    };
    let answer = format!(
        "HTTP/1.1 {status} So\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    let _ = connection.get_mut().write_all(answer.as_bytes());
}

#[test]
fn what_the_service_says_is_masked_in_every_artifact() {
    for (transport, refuses, kind) in [
        ("direct", true, FailureKind::Api(40001)),
        ("goose", true, FailureKind::Api(40001)),
        ("direct", false, FailureKind::OutcomeMismatch),
    ] {
        let directory =
            PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("leaks-{transport}-{refuses}"));
        let arguments = "run --duration 300ms --warm-up 0s --json - --phone fixed --transport";
        let output = Command::new(env!("CARGO_BIN_EXE_sinch-verify-load"))
            .args(arguments.split(' '))
            .args([transport, "--target", &talkative(refuses), "--out"])
            .arg(&directory)
            .env("SINCH_APPLICATION_KEY", KEY)
            .env("SINCH_APPLICATION_SECRET", SECRET)
            .env("SINCH_LOAD_CODE", CODE)
            .output()
            .unwrap();
        let run = RunFile::from_json(std::str::from_utf8(&output.stdout).unwrap()).unwrap();
        let total = run.flows.total();
        assert_eq!(
            (total.succeeded, total.failures.len()),
            (0, 1),
            "{:?}",
            total.failures
        );
        let (failed, tally) = total.failures.first_key_value().unwrap();
        assert_eq!(*failed, kind);
        // It is quoted, and what is in it is masked.
        let quoted = " or +*** with *** of [redacted] in authorization: Application ";
        assert!(tally.example.contains(quoted), "{}", tally.example);
        let files = std::fs::read_dir(&directory).unwrap();
        let mut artifacts: Vec<_> = files
            .map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap())
            .collect();
        assert_eq!(artifacts.len(), 4);
        artifacts.extend([output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap()));
        for artifact in &artifacts {
            for private in ["+999", "999 ", CODE, SECRET, "\u{9b}"] {
                assert!(!artifact.contains(private), "{private} is in an artifact");
            }
            for signature in SIGNATURES.lock().unwrap().iter() {
                assert!(
                    !artifact.contains(signature.trim_end_matches('=')),
                    "{signature} is in an artifact"
                );
            }
        }
    }
}

/// What is quoted is masked, and our own words are not.
#[test]
fn only_quotations_are_masked() {
    let quoted = Failure::quoting(FailureKind::Decode, "code 4821");
    assert_eq!(quoted.detail(), "code ***");
    let own = Failure::new(
        FailureKind::CodeMissing,
        "nothing reached the phone within 5000 ms",
    );
    assert_eq!(own.detail(), "nothing reached the phone within 5000 ms");
}
