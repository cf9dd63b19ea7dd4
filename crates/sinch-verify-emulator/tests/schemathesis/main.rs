//! The description at `/_emu/openapi.json` against a running emulator, by schemathesis: no answer has a
//! status that is not described, and none is a 500.
//!
//! It needs Python and the packages of `requirements.txt`, which the test does not install. Without them
//! the test reports that it did not run, and fails in CI.
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

use fixtures::{KEY, SECRET};
use sinch_verify_emulator::{Application, Emulator};
use tokio::process::Command;

fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/schemathesis")
}

/// The program, if it is installed.
fn program() -> Option<PathBuf> {
    let program = here().join("venv/bin/schemathesis");
    if program.is_file() {
        return Some(program);
    }
    not_run::report(
        "schemathesis is not installed: run `python3 -m venv venv && venv/bin/pip install -r requirements.txt` in \
         crates/sinch-verify-emulator/tests/schemathesis",
    );
    None
}

/// Runs it on some paths.
async fn run(program: &Path, paths: &[&str]) {
    let emulator = Emulator::builder()
        .application(Application::new(KEY.parse().unwrap(), SECRET.parse().unwrap()))
        .seed(7)
        .start()
        .await
        .unwrap();
    let folder = std::env::temp_dir();
    let output = Command::new(program)
        .arg("run")
        .arg(format!("{}/_emu/openapi.json", emulator.url()))
        .args(["--auth", &format!("{KEY}:{SECRET}")])
        .args(["--checks", "not_a_server_error,status_code_conformance"])
        .args(["--phases", "examples,coverage,fuzzing", "--max-examples", "25"])
        .args(["--seed", "7", "--generation-database", "none"])
        .args(["--request-timeout", "30", "--continue-on-failure", "--no-color"])
        .args(paths)
        // It keeps files in the working directory.
        .current_dir(folder)
        .kill_on_drop(true)
        .output()
        .await
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}\n{complaints}");
    emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_have_the_statuses_that_are_described() {
    let Some(program) = program() else { return };
    // A fault makes later requests fail, two paths wait for what does not come, and it makes no JSON lines.
    let others = [
        "/_emu/faults",
        "/_emu/events",
        "/_emu/messages/wait",
        "/_emu/snapshot",
    ];
    let others: Vec<&str> = others.iter().flat_map(|path| ["--exclude-path", path]).collect();
    run(&program, &others).await;
    run(&program, &["--include-path", "/_emu/faults"]).await;
}
