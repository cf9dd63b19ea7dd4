//! The binary, as a person or a script runs it.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::Value;
use sinch_verify_emulator::{Application, Emulator};

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sinch-verify-load"));
    command
        .args(arguments)
        .env_remove("SINCH_APPLICATION_KEY")
        .env_remove("SINCH_APPLICATION_SECRET")
        // Nothing may go through a proxy; a flow that tried would fail.
        .env("HTTP_PROXY", "http://127.0.0.1:9")
        .env("http_proxy", "http://127.0.0.1:9");
    command
}

fn load(arguments: &[&str]) -> Output {
    command(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

fn assert_usage(arguments: &[&str], says: &str) {
    let output = load(arguments);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    assert!(output.stdout.is_empty());
    let stderr = text(&output.stderr);
    assert!(stderr.contains(says), "{arguments:?} says {stderr}");
}

#[test]
fn sms_run_passes_and_reports_json() {
    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("sms.json");
    let path = file.to_str().unwrap();
    let output = load(&[
        "run",
        "--scenario",
        "sms",
        "--users",
        "4",
        "--duration",
        "3s",
        "--json",
        path,
    ]);
    let table = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{table}{}", text(&output.stderr));
    assert!(table.contains("verdict: pass"), "{table}");
    assert!(table.contains("e2e"), "{table}");

    let report: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    assert_eq!(report["schema"], 1);
    assert_eq!(report["transport"], "goose");
    assert!(report["model"].as_str().unwrap().starts_with("closed"));
    assert_eq!(report["verdict"]["result"], "pass");
    assert_eq!(report["totals"]["failed"], 0);
    let succeeded = report["totals"]["succeeded"].as_u64().unwrap();
    assert!(succeeded > 0);
    assert!(report["totals"]["requests"].as_u64().unwrap() >= 3 * succeeded);
    assert!(
        report["totals"]["aborted"].as_u64().unwrap() <= 4,
        "at most one per user"
    );
    let seconds = report["seconds"].as_f64().unwrap();
    assert!(seconds >= 3.0, "the run went on for {seconds} s");

    let flow = &report["flows"][0];
    assert_eq!(flow["flow"], "sms");
    let steps = flow["steps"].as_array().unwrap();
    let names: Vec<_> = steps.iter().map(|step| step["step"].as_str().unwrap()).collect();
    assert_eq!(names, ["e2e", "e2e-send", "start", "phone", "report", "status"]);
    assert_eq!(steps[0]["count"], succeeded);
    let (p50, p99) = (steps[0]["p50"].as_u64(), steps[0]["p99"].as_u64());
    assert!(p50.unwrap() > 0 && p50 <= p99);
}

#[test]
fn json_has_standard_output_to_itself() {
    for scenario in ["flashcall", "callout"] {
        let output = load(&[
            "run",
            "--scenario",
            scenario,
            "--users",
            "2",
            "--duration",
            "500ms",
            "--json",
            "-",
        ]);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(report["scenario"], scenario);
        assert_eq!(report["totals"]["failed"], 0);
        assert!(text(&output.stderr).contains("verdict: pass"));
    }
}

#[test]
fn report_holds_no_number() {
    let output = load(&["run", "--users", "2", "--duration", "300ms", "--json", "-"]);
    assert_eq!(output.status.code(), Some(0));
    for stream in [&output.stdout, &output.stderr] {
        assert!(!text(stream).contains("+999"));
    }
}

#[test]
fn wrong_usage_is_told() {
    assert_usage(
        &["run", "--scenario", "smss", "--users", "1"],
        "the nearest is `sms`",
    );
    assert_usage(&["run", "--users", "0"], "from 1 to");
    assert_usage(&["run", "--users", "1", "--duration", "0s"], "from 100ms");
    assert_usage(&["run", "--users", "1", "--duration", "10"], "unit");
    assert_usage(&["run"], "--users");
}

#[test]
fn live_target_is_refused() {
    for url in [
        "https://verification.api.sinch.com",
        "http://192.0.2.1:9901",
        "http://127.0.0.1.example.com",
    ] {
        assert_usage(
            &["run", "--users", "1", "--target", url],
            "live runs are not supported yet",
        );
    }
    assert_usage(
        &["run", "--users", "1", "--target", "http://127.0.0.1:9"],
        "SINCH_APPLICATION_KEY",
    );
}

#[test]
fn absent_target_is_unreachable() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let output = command(&["run", "--users", "1", "--target", &url])
        .env("SINCH_APPLICATION_KEY", "11111111-2222-3333-4444-555555555555")
        .env("SINCH_APPLICATION_SECRET", "BeIukql3pTKJ8RGL5zo0DA==")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(5), "{}", text(&output.stderr));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn emulator_elsewhere_can_be_the_target() {
    let (key, secret) = ("11111111-2222-3333-4444-555555555555", "BeIukql3pTKJ8RGL5zo0DA==");
    let application = Application::new(key.parse().unwrap(), secret.parse().unwrap());
    let emulator = Emulator::builder()
        .application(application)
        .start()
        .await
        .unwrap();
    let url = emulator.url();
    let run = move || {
        command(&[
            "run",
            "--users",
            "2",
            "--duration",
            "500ms",
            "--json",
            "-",
            "--target",
            &url,
        ])
        .env("SINCH_APPLICATION_KEY", key)
        .env("SINCH_APPLICATION_SECRET", secret)
        .output()
        .unwrap()
    };
    let output = tokio::task::spawn_blocking(run).await.unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["target"], format!("the emulator at {}", emulator.url()));
    assert!(report["totals"]["succeeded"].as_u64().unwrap() > 0);
    assert!(!text(&output.stderr).contains(secret));
}
