//! The messages of the command, whole: transcripts of mistakes that people make.
//!
//! A line `$ ...` of a transcript is run by a shell, and what it prints must be what stands below it.
//! A line `POST ...` is sent to the emulator's control interface.
//! `SINCH_VERIFY_TRANSCRIPTS=write` writes what is printed now; read the difference before it is committed.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test stops where it fails")]

mod running;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use running::{KEY, SECRET, Served};

/// The address that transcripts show for the emulator's.
const SHOWN_URL: &str = "http://127.0.0.1:9901";

/// Runs a transcript against an emulator whose ids and codes are the same in each run.
fn check(name: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/messages")
        .join(name);
    let expected = std::fs::read_to_string(&path).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut args = vec!["--app-key", KEY, "--app-secret", SECRET, "--seed", "7"];
    args.extend(["--clock", "2026-01-02T03:04:05Z"]);
    let served = Served::start(&args);
    let mut actual = String::new();
    for line in expected.lines() {
        if line.starts_with('#') {
            let empty = if actual.is_empty() { "" } else { "\n" };
            actual += &format!("{empty}{line}\n");
        } else if let Some(request) = line.strip_prefix("POST ") {
            post(&served.url, request);
            actual += &format!("{line}\n");
        } else if let Some(command) = line.strip_prefix("$ ") {
            actual += &format!("{line}\n{}", run(&served, folder.path(), command));
        }
    }
    if std::env::var_os("SINCH_VERIFY_TRANSCRIPTS").is_some_and(|how| how == "write") {
        std::fs::write(&path, &actual).unwrap();
        return;
    }
    for (number, (actual, expected)) in (1..).zip(actual.lines().zip(expected.lines())) {
        assert_eq!(actual, expected, "line {number} of {}", path.display());
    }
    assert_eq!(actual, expected, "{}", path.display());
}

/// Posts a path with a body to the emulator.
fn post(url: &str, request: &str) {
    let (path, body) = request.split_once(' ').unwrap();
    let address = url.trim_start_matches("http://");
    let head = format!("POST {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close");
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 2"), "{answer}");
}

/// What a command prints, and its exit code unless that is 0.
fn run(served: &Served, folder: &Path, command: &str) -> String {
    let program = PathBuf::from(env!("CARGO_BIN_EXE_sinch-verify"));
    let path = std::env::var("PATH").unwrap();
    let output = Command::new("sh")
        .args(["-c", &format!("exec 2>&1; {command}")])
        .current_dir(folder)
        .env("XDG_CONFIG_HOME", folder.join("settings"))
        .env("PATH", format!("{}:{path}", program.parent().unwrap().display()))
        .envs([
            ("SINCH_APPLICATION_KEY", KEY),
            ("SINCH_APPLICATION_SECRET", SECRET),
            ("SINCH_VERIFICATION_URL", &served.url),
        ])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let address = |url: &str| url.trim_start_matches("http://").to_owned();
    let text = String::from_utf8(output.stdout).unwrap();
    let mut text = text.replace(&address(&served.url), &address(SHOWN_URL));
    match output.status.code() {
        Some(0) => {}
        Some(code) => text += &format!("exit code {code}\n"),
        None => panic!("{command}: {}", output.status),
    }
    text
}

#[test]
fn what_is_wrong_with_the_environment_is_said_first() {
    check("environment.txt");
}

#[test]
fn what_is_wrong_with_an_argument_is_said_first() {
    check("arguments.txt");
}

#[test]
fn a_refusal_is_said_with_what_to_do() {
    check("refusals.txt");
}

#[test]
fn a_lost_answer_is_said_with_what_was_found() {
    check("lost.txt");
}

#[test]
fn what_is_wrong_with_a_file_or_a_receiver_is_said_first() {
    check("files.txt");
}
