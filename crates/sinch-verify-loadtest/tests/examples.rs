//! The examples, run as their users run them.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod exit;
mod fixtures;

use std::path::{Path, PathBuf};
use std::process::Command;

use exit::assert_exit;
use fixtures::{KEY, SECRET};
use sinch_verify_emulator::{Application, Emulator};
use sinch_verify_loadtest::runfile::{RunFile, StepName};

/// An example's program, which `cargo build --examples` and a plain `cargo test` put beside the tests.
fn example(name: &str) -> Command {
    let deps = std::env::current_exe().unwrap();
    let directory: &Path = deps.parent().unwrap().parent().unwrap();
    let program: PathBuf = directory.join("examples").join(name);
    Command::new(program.with_extension(std::env::consts::EXE_EXTENSION))
}

#[test]
fn own_scenario_is_in_run_report_and_thresholds() {
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("own-backend");
    let mut run = example("own_backend");
    let output = run
        .args("run --rate 20/s --duration 2s --warm-up 0s --json - --out".split(' '))
        .arg(&directory)
        .args([
            "--threshold",
            "signup.p50<10s",
            "--threshold",
            "signup.confirm.max<60s",
        ])
        .output()
        .unwrap();
    let file = RunFile::from_json(std::str::from_utf8(&output.stdout).unwrap()).unwrap();
    assert_exit(&output, &file, 0);
    assert_eq!(file.setup.scenario.as_str(), "signup");
    let total = file.flows.total();
    assert_eq!((total.succeeded, total.failed), (40, 0));
    for step in ["signup", "phone", "wrong-code", "confirm"] {
        let times = total.time(StepName::new(step).unwrap()).unwrap();
        assert_eq!(times.count(), 40, "{step}");
    }
    assert_eq!(total.requests, 120);
    let page = std::fs::read_to_string(directory.join("report.html")).unwrap();
    assert!(
        page.contains("wrong-code"),
        "the report shows the scenario's steps"
    );
}

#[test]
fn slow_backend_fails_the_threshold() {
    let output = example("own_backend")
        .args("run --rate 5/s --duration 2s --warm-up 0s --json -".split(' '))
        .args(["--threshold", "signup.p50<100ms"])
        .env("BACKEND_DELAY_MS", "300")
        .output()
        .unwrap();
    let file = RunFile::from_json(std::str::from_utf8(&output.stdout).unwrap()).unwrap();
    assert_exit(&output, &file, 1);
    let reasons = &file.verdict.as_ref().unwrap().reasons;
    assert!(
        reasons.iter().any(|reason| reason.starts_with("signup.p50 is")),
        "{reasons:?}"
    );
}

#[test]
fn thresholds_on_unknown_steps_are_refused_before_the_run() {
    for (threshold, nearest) in [("sign-up.p99<1s", "signup"), ("sms.start.p99<1s", "signup")] {
        let output = example("own_backend")
            .args(["run", "--duration", "100ms", "--threshold", threshold])
            .output()
            .unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(&format!("the nearest is `{nearest}`")), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn goose_reports_the_steps_of_verifications() {
    let application = Application::new(KEY.parse().unwrap(), SECRET.parse().unwrap());
    let emulator = Emulator::builder().application(application).start();
    let emulator = emulator.await.unwrap();
    let mut attack = example("goose_attack");
    attack
        .args(["--host", &emulator.url(), "--users", "4", "--run-time", "2s"])
        .args(["--no-telnet", "--no-websocket"])
        .env("SINCH_APPLICATION_KEY", KEY)
        .env("SINCH_APPLICATION_SECRET", SECRET);
    let attack = tokio::task::spawn_blocking(move || attack.output().unwrap());
    let output = attack.await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
    for step in ["start", "report", "status"] {
        assert!(said.contains(&format!(" {step} ")), "{step} is not in\n{said}");
    }
}
