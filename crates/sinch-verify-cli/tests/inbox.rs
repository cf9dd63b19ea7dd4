//! `inbox` against an emulator in this process: what a script gets of its phones.
#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

mod running;

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Output, Stdio};

use axum::Router;
use running::{KEY, SECRET};
use serde_json::Value;
use sinch_verify_emulator::{Application, Emulator};
use sinch_verify_protocol::{ApplicationKey, ApplicationSecret};

const NUMBER: &str = "+46700000001";

async fn emulator() -> Emulator {
    let application = Application::new(
        ApplicationKey::new(KEY).unwrap(),
        ApplicationSecret::new(SECRET).unwrap(),
    );
    let builder = Emulator::builder().application(application);
    builder.start().await.unwrap()
}

/// The command, with neither key nor secret.
fn command(url: &str, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sinch-verify"));
    command
        .args(args)
        .env_remove("SINCH_APPLICATION_KEY")
        .env_remove("SINCH_APPLICATION_SECRET")
        .env("SINCH_VERIFICATION_URL", url)
        .stdin(Stdio::null());
    command
}

async fn run(mut command: Command) -> Output {
    tokio::task::spawn_blocking(move || command.output().unwrap())
        .await
        .unwrap()
}

async fn inbox(url: &str, args: &[&str]) -> Output {
    run(command(url, &[&["inbox"], args].concat())).await
}

/// Starts a verification; gives its id.
async fn start(emulator: &Emulator, args: &[&str]) -> String {
    let mut command = command(&emulator.url(), &[&["start", NUMBER, "--json"], args].concat());
    command.envs([
        ("SINCH_APPLICATION_KEY", KEY),
        ("SINCH_APPLICATION_SECRET", SECRET),
    ]);
    let output = run(command).await;
    json(&output)["id"].as_str().unwrap().to_owned()
}

fn json(output: &Output) -> Value {
    let told = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {told}"))
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn check(output: &Output, code: i32) {
    assert_eq!(output.status.code(), Some(code), "{}", stderr(output));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_gets_the_code_and_nothing_else() {
    let emulator = emulator().await;
    let id = start(&emulator, &[]).await;
    let code = inbox(&emulator.url(), &["wait", NUMBER, "--verification", &id]).await;
    check(&code, 0);
    assert_eq!(stderr(&code), "");
    let code = stdout(&code);
    assert_eq!(code.lines().count(), 1, "{code}");
    let mut report = command(
        &emulator.url(),
        &["report", "--id", &id, "--code", code.trim_end()],
    );
    report.envs([
        ("SINCH_APPLICATION_KEY", KEY),
        ("SINCH_APPLICATION_SECRET", SECRET),
    ]);
    check(&run(report).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_there_is_taken_and_said_to_be_old() {
    let emulator = emulator().await;
    let url = emulator.url();
    // Nothing came yet.
    let none = inbox(&url, &["wait", NUMBER, "--timeout", "0s"]).await;
    check(&none, 1);
    assert_eq!(stdout(&none), "");
    assert!(stderr(&none).contains("no message came"), "{}", stderr(&none));
    let none = inbox(&url, &["wait", NUMBER, "--timeout", "1ms", "--json"]).await;
    check(&none, 1);
    assert_eq!(
        json(&none),
        serde_json::json!({"error": {"message": "no message came in 1ms", "timedOut": true}})
    );

    let first = start(&emulator, &[]).await;
    let second = start(&emulator, &[]).await;
    // The newest, and not without a word.
    let taken = inbox(&url, &["wait", NUMBER, "--json"]).await;
    check(&taken, 0);
    assert_eq!(json(&taken)["verificationId"], second.as_str());
    assert!(stderr(&taken).contains(&second) && stderr(&taken).contains("--new"));
    let seq = json(&taken)["seq"].to_string();

    let of_first = ["wait", NUMBER, "--json", "--verification", &first];
    assert_eq!(
        json(&inbox(&url, &of_first).await)["verificationId"],
        first.as_str()
    );
    // After the last, and what is new: nothing.
    for old in [
        &["--new"][..],
        &["--after", &seq],
        &["--new", "--verification", &second],
        &["--verification", "unknown"],
    ] {
        let args = [&["wait", NUMBER, "--timeout", "0s"], old].concat();
        check(&inbox(&url, &args).await, 1);
    }
    let oldest = inbox(&url, &["wait", NUMBER, "--after", "0", "--json"]).await;
    assert_eq!(json(&oldest)["verificationId"], first.as_str());
    check(&inbox(&url, &["wait", NUMBER, "--new", "--after", "1"]).await, 2);
    let no_unit = inbox(&url, &["wait", NUMBER, "--timeout", "10"]).await;
    check(&no_unit, 2);
    let told = "'10' for '--timeout <DURATION>': must be a duration with its unit, such as 250ms";
    assert!(stderr(&no_unit).contains(told), "{}", stderr(&no_unit));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_new_is_waited_for() {
    let emulator = emulator().await;
    let old = start(&emulator, &[]).await;
    let waiting = command(&emulator.url(), &["inbox", "wait", NUMBER, "--new", "--json"]);
    let waiting = tokio::spawn(run(waiting));
    let mut new = Vec::new();
    // Whenever it looked what is there: one of these is new to it.
    while !waiting.is_finished() {
        new.push(start(&emulator, &[]).await);
    }
    let taken = json(&waiting.await.unwrap());
    let taken = taken["verificationId"].as_str().unwrap();
    assert_ne!(taken, old);
    assert!(new.iter().any(|id| id == taken));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_has_its_proof() {
    let emulator = emulator().await;
    for (method, is_proof) in [
        ("flashcall", (|proof| proof.starts_with('+')) as fn(&str) -> bool),
        ("callout", |proof| proof.bytes().all(|byte| byte.is_ascii_digit())),
        ("whatsapp", |proof| {
            proof.bytes().all(|byte| byte.is_ascii_digit())
        }),
        ("seamless", |proof| proof.starts_with("http://")),
    ] {
        let id = start(&emulator, &["--method", method]).await;
        let proof = inbox(&emulator.url(), &["wait", NUMBER, "--verification", &id]).await;
        check(&proof, 0);
        let proof = stdout(&proof);
        let proof = proof.strip_suffix('\n').unwrap();
        assert!(!proof.is_empty() && is_proof(proof), "{method}: {proof}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_are_followed_until_nobody_reads() {
    let emulator = emulator().await;
    let first = start(&emulator, &[]).await;
    let mut child = command(&emulator.url(), &["inbox", "wait", NUMBER, "--follow"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    let mut next = || {
        let mut line = String::new();
        lines.read_line(&mut line).unwrap();
        let message: Value = serde_json::from_str(&line).unwrap();
        message["verificationId"].as_str().unwrap().to_owned()
    };
    assert_eq!(next(), first);
    for _ in 0..2 {
        let id = start(&emulator, &[]).await;
        assert_eq!(next(), id);
    }
    drop(lines);
    start(&emulator, &[]).await;
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_callout_is_ended_by_its_keys() {
    let emulator = emulator().await;
    let url = emulator.url();
    let nobody_calls = inbox(&url, &["press", NUMBER, "1"]).await;
    check(&nobody_calls, 1);
    assert!(
        stderr(&nobody_calls).contains("callout"),
        "{}",
        stderr(&nobody_calls)
    );

    start(&emulator, &["--method", "callout"]).await;
    let wrong = inbox(&url, &["press", NUMBER, "x"]).await;
    check(&wrong, 1);
    assert!(stderr(&wrong).contains("digits"), "{}", stderr(&wrong));
    let other_keys = inbox(&url, &["press", NUMBER, "9#"]).await;
    check(&other_keys, 3);
    assert!(stdout(&other_keys).contains("PENDING"));
    let pressed = inbox(&url, &["press", NUMBER, "1", "--json"]).await;
    check(&pressed, 0);
    assert_eq!(json(&pressed)["status"], "SUCCESSFUL");
}

#[tokio::test(flavor = "multi_thread")]
async fn phones_and_messages_are_listed() {
    let emulator = emulator().await;
    let url = emulator.url();
    for args in [&[][..], &[NUMBER]] {
        let empty = inbox(&url, args).await;
        check(&empty, 0);
        assert_eq!(stdout(&empty), "");
        assert!(stderr(&empty).contains("no message has reached"));
    }
    let sms = start(&emulator, &[]).await;
    let call = start(&emulator, &["--method", "flashcall"]).await;

    let phones = inbox(&url, &[]).await;
    check(&phones, 0);
    let phones = stdout(&phones);
    // No terminal, so no table: a line each, for `cut`.
    let cells: Vec<&str> = phones.trim_end().split('\t').collect();
    let [number, kind, age, count, proof] = cells[..] else {
        panic!("{phones}");
    };
    assert_eq!((number, kind, count), (NUMBER, "flashcall", "2"));
    assert!(age.ends_with(" s"), "{age}");
    let latest = inbox(&url, &["wait", NUMBER]).await;
    assert_eq!(proof, stdout(&latest).trim_end());
    assert_eq!(json(&inbox(&url, &["--json"]).await)["phones"][0]["messages"], 2);

    let messages = inbox(&url, &[NUMBER]).await;
    check(&messages, 0);
    let messages = stdout(&messages);
    let ids: Vec<&str> = messages
        .lines()
        .filter_map(|line| line.split('\t').nth(5))
        .collect();
    assert_eq!(ids, [&*call, &*sms], "{messages}");
    let whole = json(&inbox(&url, &[NUMBER, "--json", "--limit", "1"]).await);
    assert_eq!(whole["messages"].as_array().unwrap().len(), 1);
    let caller = whole["messages"][0]["cli"].as_str().unwrap();
    assert!(messages.contains(caller), "{messages}");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_an_emulator_of_this_machine_shows_its_phones() {
    let elsewhere = inbox("https://verification.api.sinch.com", &[]).await;
    check(&elsewhere, 2);
    assert!(
        stderr(&elsewhere).contains("not this machine"),
        "{}",
        stderr(&elsewhere)
    );

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, Router::new()).await });
    for args in [&[][..], &["wait", NUMBER], &["press", NUMBER, "1"]] {
        let other = inbox(&format!("http://{address}"), args).await;
        check(&other, 2);
        assert!(stderr(&other).contains("is no emulator"), "{}", stderr(&other));
    }
    // Bound without a listener: connections are refused, and no other program gets the port.
    let bound = tokio::net::TcpSocket::new_v4().unwrap();
    bound.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let url = format!("http://{}", bound.local_addr().unwrap());
    let refused = inbox(&url, &["wait", NUMBER]).await;
    check(&refused, 5);
    assert!(
        stderr(&refused).contains("sinch-verify serve"),
        "{}",
        stderr(&refused)
    );
}
