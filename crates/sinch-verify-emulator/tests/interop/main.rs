//! Official clients, unmodified, against the emulator.
//!
//! They need the packages of `package-lock.json` and `requirements.txt`, which the tests do not install: see
//! [`Sdk::missing`]. Without them a test reports that it did not run, and fails in CI.
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
mod snippets;
#[path = "../service/support.rs"]
#[expect(dead_code, reason = "the service's tests use more of it")]
mod support;

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use fixtures::{KEY, SECRET};
use sinch_verify_emulator::{Application, Emulator};
use sinch_verify_protocol::{ApplicationKey, ApplicationSecret};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::Command;

/// The time limit for one client.
const PATIENCE: Duration = Duration::from_secs(120);

fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop")
}

/// An official client.
#[derive(Clone, Copy)]
enum Sdk {
    Node,
    Python,
}

impl Sdk {
    /// The program that runs code with this client. `None` if it is not installed, which is reported.
    fn command(self) -> Option<Command> {
        let (program, package) = match self {
            Self::Node => ("node".into(), "node_modules/@sinch/sdk-core/package.json"),
            Self::Python => (here().join(".venv/bin/python"), ".venv/bin/python"),
        };
        if !here().join(package).is_file() {
            not_run::report(self.missing());
            return None;
        }
        let mut command = Command::new::<PathBuf>(program);
        command
            .current_dir(here())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        Some(command)
    }

    fn missing(self) -> &'static str {
        match self {
            Self::Node => {
                "the official Node client is not installed: run `npm ci` in \
                 crates/sinch-verify-emulator/tests/interop"
            }
            Self::Python => {
                "the official Python client is not installed: run `python3 -m venv .venv` and \
                 `.venv/bin/pip install -r requirements.txt` in crates/sinch-verify-emulator/tests/interop"
            }
        }
    }
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
    let Some(mut command) = Sdk::Node.command() else {
        return;
    };
    let mut child = command
        .arg("client.js")
        .args([&emulator.url(), KEY, SECRET])
        .spawn()
        .expect("node starts; install Node 20 or later");
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
