//! A target in another process' place, which posts its callbacks to the load tester.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod exit;
mod fixtures;

use std::net::SocketAddr;
use std::process::{Command, Output};

use exit::{assert_exit, assert_shard_exit};
use fixtures::{KEY, SECRET};
use sinch_verify_emulator::{Application, Emulator};
use sinch_verify_loadtest::runfile::{RunFile, StepName};

/// An address that nothing listens on.
fn free() -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap()
}

fn load(url: &str, listen: SocketAddr, setting: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sinch-verify-load"))
        .args([
            "run",
            "--target",
            url,
            "--setting",
            setting,
            "--scenario",
            "mixed",
        ])
        .args([
            "--rate",
            "50/s",
            "--duration",
            "500ms",
            "--transport",
            "direct",
            "--json",
            "-",
        ])
        .arg("--callback-listen")
        .arg(listen.to_string())
        .env("SINCH_APPLICATION_KEY", KEY)
        .env("SINCH_APPLICATION_SECRET", SECRET)
        .output()
        .unwrap()
}

/// Each shard asks for verifications of its own, although all have the name of the run.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shards_of_queries_share_a_target() {
    let application = Application::new(KEY.parse().unwrap(), SECRET.parse().unwrap());
    let emulator = Emulator::builder()
        .application(application)
        .start()
        .await
        .unwrap();
    let soon = std::time::SystemTime::now() + std::time::Duration::from_secs(5);
    let soon = jiff::Timestamp::try_from(soon).unwrap().to_string();
    let directory = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("query-shards");
    std::fs::create_dir_all(&directory).unwrap();
    let mut files = Vec::new();
    let mut shards = Vec::new();
    for shard in ["0/2", "1/2"] {
        let file = directory.join(format!("{}.json", &shard[..1]));
        let mut command = Command::new(env!("CARGO_BIN_EXE_sinch-verify-load"));
        command
            .args(["run", "--scenario", "query-only", "--transport", "direct"])
            .args(["--rate", "40/s", "--duration", "1s", "--warm-up", "0s"])
            .args(["--seed", "7", "--no-callbacks", "--target", &emulator.url()])
            .args(["--shard", shard, "--start-at", &soon, "--json"])
            .arg(&file)
            .env("SINCH_APPLICATION_KEY", KEY)
            .env("SINCH_APPLICATION_SECRET", SECRET);
        shards.push(tokio::task::spawn_blocking(move || command.output().unwrap()));
        files.push(file);
    }
    for (shard, file) in shards.into_iter().zip(&files) {
        let output = shard.await.unwrap();
        let file = RunFile::from_json(&std::fs::read_to_string(file).unwrap()).unwrap();
        assert_shard_exit(&output, &file, &soon);
    }
    let output = Command::new(env!("CARGO_BIN_EXE_sinch-verify-load"))
        .args(["merge", "--json", "-"])
        .args(&files)
        .output()
        .unwrap();
    let file = RunFile::from_json(std::str::from_utf8(&output.stdout).unwrap()).unwrap();
    assert_exit(&output, &file, 0);
    assert_eq!(file.counters.finished, 40);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callbacks_of_an_emulator_elsewhere_are_received() {
    let listen = free();
    let application = Application::new(KEY.parse().unwrap(), SECRET.parse().unwrap())
        .callback_url(format!("http://{listen}/callback").parse().unwrap());
    let emulator = Emulator::builder()
        .application(application)
        .start()
        .await
        .unwrap();
    // Twice, so that a target goes on from one run to the next.
    for setting in ["backend", "device"] {
        let url = emulator.url();
        let output = tokio::task::spawn_blocking(move || load(&url, listen, setting));
        let output = output.await.unwrap();
        let file = RunFile::from_json(std::str::from_utf8(&output.stdout).unwrap()).unwrap();
        assert_exit(&output, &file, 0);
        assert_eq!(file.counters.failed, 0, "{:?}", file.errors());
        let total = file.flows.total();
        assert!(total.succeeded > 0);
        let count = |interval| total.time(interval).unwrap().count();
        assert_eq!(count(StepName::CALLBACK_IN), total.succeeded, "{setting}");
        assert_eq!(count(StepName::RESULT), total.succeeded, "{setting}");
        assert_eq!(file.counters.orphans, 0);
    }
}
