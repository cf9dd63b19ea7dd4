//! Official clients, unmodified, against the emulator.
//!
//! They need Node and the packages of `package-lock.json`, which the test does not install: run `npm ci` in
//! this folder first. Without them the test reports that it did not run, and fails in CI.
#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test may fail where it stands"
)]

#[path = "../fixtures/mod.rs"]
mod fixtures;
#[path = "../../../../xtask/src/test/not_run.rs"]
mod not_run;

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use fixtures::{KEY, SECRET};
use sinch_verify_emulator::{Application, Emulator};
use sinch_verify_protocol::{ApplicationKey, ApplicationSecret};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, Command};

/// The time limit for one client.
const PATIENCE: Duration = Duration::from_secs(120);

fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop")
}

/// Starts the client, if Node and its packages are installed.
fn node(emulator: &Emulator) -> Option<Child> {
    let packages = here().join("node_modules/@sinch/sdk-core/package.json");
    let missing = if packages.is_file() {
        let child = Command::new("node")
            .arg("client.js")
            .args([&emulator.url(), KEY, SECRET])
            .current_dir(here())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn();
        match child {
            Ok(child) => return Some(child),
            Err(error) => format!("node did not start: {error}; install Node 20 or later"),
        }
    } else {
        "run `npm ci` in crates/sinch-verify-emulator/tests/interop".to_owned()
    };
    not_run::report(&format!("the official Node client is not installed: {missing}"));
    None
}

#[tokio::test]
async fn the_official_node_client_and_its_callback_check() {
    let key: ApplicationKey = KEY.parse().unwrap();
    let secret: ApplicationSecret = SECRET.parse().unwrap();
    let emulator = Emulator::builder()
        .application(Application::new(key.clone(), secret))
        .seed(42)
        .start()
        .await
        .unwrap();
    let Some(mut child) = node(&emulator) else { return };
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut stderr = child.stderr.take().unwrap();
    let complaints = tokio::spawn(async move {
        let mut text = String::new();
        let _ = stderr.read_to_string(&mut text).await;
        text
    });
    let talk = async {
        let callback = lines.next_line().await.unwrap().unwrap_or_default();
        if let Ok(url) = callback.parse() {
            emulator.set_callback_url(&key, Some(url)).unwrap();
            let mut stdin = child.stdin.take().unwrap();
            stdin.write_all(b"go\n").await.unwrap();
            let mut last = None;
            while let Some(line) = lines.next_line().await.unwrap() {
                last = Some(line);
            }
            (child.wait().await.unwrap(), last)
        } else {
            (child.wait().await.unwrap(), None)
        }
    };
    let (status, summary) = tokio::time::timeout(PATIENCE, talk)
        .await
        .expect("the client ends");
    let complaints = complaints.await.unwrap();
    assert!(status.success(), "{status}\n{complaints}");
    let summary: serde_json::Value = serde_json::from_str(&summary.unwrap_or_default()).unwrap();
    // Two ways to create the client; five methods with two kinds of report, two without.
    assert_eq!(summary["verified"], 2 * (5 * 2 + 2));
    assert!(
        emulator
            .deliveries()
            .iter()
            .all(|delivery| delivery.ok && delivery.verdict.is_none())
    );
}
