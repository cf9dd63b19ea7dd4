//! The command itself, against a live host on loopback.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use sinch_verify_loadtest::runfile::RunFile;

use crate::exit::assert_exit;
use crate::support::{HOST, KEY, SECRET, Service};

const CONFIRM: &str = "SINCH_LOAD_CONFIRM";

/// A directory of its own, with a list of three numbers in it.
fn directory(name: &str) -> PathBuf {
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&directory).unwrap();
    let numbers = "# handsets of the team\n+46700000001\n+46700000002\n+46700000003\n";
    std::fs::write(directory.join("numbers.txt"), numbers).unwrap();
    directory
}

/// A live run of at most five verifications with every limit.
fn complete(service: &Service, directory: &Path) -> Vec<String> {
    let port = service.emulator.addr().port();
    let pairs = [
        ("--target", format!("http://{HOST}:{port}")),
        ("--resolve", format!("{HOST}=127.0.0.1")),
        ("--max-verifications", "5".to_owned()),
        ("--max-cost", "1.00".to_owned()),
        ("--worst-price", "0.20".to_owned()),
        ("--currency", "EUR".to_owned()),
        ("--numbers", directory.join("numbers.txt").display().to_string()),
        ("--max-rate", "20/s".to_owned()),
        ("--duration", "20s".to_owned()),
        ("--warm-up", "0s".to_owned()),
        ("--transport", "direct".to_owned()),
        ("--callback-listen", format!("127.0.0.1:{}", free_port())),
    ];
    let mut arguments = vec!["run".to_owned(), "--live".to_owned()];
    for (name, value) in pairs {
        arguments.extend([name.to_owned(), value]);
    }
    arguments
}

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// Runs the command, with the word of confirmation if there is one.
async fn load(arguments: &[String], word: Option<&str>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sinch-verify-load"));
    command
        .args(arguments)
        .env("SINCH_APPLICATION_KEY", KEY)
        .env("SINCH_APPLICATION_SECRET", SECRET)
        .env("HTTP_PROXY", "http://127.0.0.1:9")
        .env("http_proxy", "http://127.0.0.1:9")
        .env_remove("SINCH_LOAD_CODE")
        .env_remove(CONFIRM)
        .stdin(std::process::Stdio::null());
    if let Some(word) = word {
        command.env(CONFIRM, word);
    }
    tokio::task::spawn_blocking(move || command.output().unwrap())
        .await
        .unwrap()
}

fn said(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_limit_is_asked_for() {
    let service = Service::new().await;
    let directory = directory("limits");
    for limit in [
        "--max-verifications",
        "--max-cost",
        "--worst-price",
        "--currency",
        "--numbers",
    ] {
        let mut arguments = complete(&service, &directory);
        let at = arguments.iter().position(|argument| argument == limit).unwrap();
        arguments.drain(at..at + 2);
        let output = load(&arguments, Some("11111111:5")).await;
        assert_eq!(output.status.code(), Some(2), "{limit}: {}", said(&output));
        assert!(said(&output).contains(limit), "{limit}: {}", said(&output));
    }
    let mut not_live = complete(&service, &directory);
    not_live.retain(|argument| argument != "--live");
    assert_eq!(load(&not_live, Some("11111111:5")).await.status.code(), Some(2));
    assert_eq!(service.starts(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_confirmed_or_not_fit_sends_nothing() {
    let service = Service::new().await;
    let directory = directory("unconfirmed");
    let complete = complete(&service, &directory);
    for word in [
        None,
        Some(""),
        Some("yes"),
        Some("11111111:50"),
        Some("22222222:5"),
    ] {
        let output = load(&complete, word).await;
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        assert!(said(&output).contains("is not confirmed"), "{}", said(&output));
    }
    for (extra, says) in [
        (
            ["--scenario", "bad-callback"],
            "bad-callback is refused against a live target",
        ),
        (["--scenario", "resend-storm"], "resend-storm is refused"),
        (["--scenario", "query-only"], "query-only is refused"),
        (["--rate", "21/s"], "above the cap"),
        (["--phone", "inbox"], "shows no inbox"),
        (["--mock-host", HOST], "exclude each other"),
        (["--per-number", "4"], "must be 1, 2 or 3"),
    ] {
        let arguments = [&complete[..], &extra.map(str::to_owned)].concat();
        let output = load(&arguments, Some("11111111:5")).await;
        assert_eq!(output.status.code(), Some(2), "{extra:?}: {}", said(&output));
        assert!(said(&output).contains(says), "{extra:?}: {}", said(&output));
    }
    assert_eq!(service.starts(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plan_is_printed_and_nothing_is_sent() {
    let service = Service::new().await;
    let directory = directory("plan");
    let mut arguments = complete(&service, &directory);
    arguments.push("--plan".to_owned());
    let output = load(&arguments, None).await;
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let plan = String::from_utf8(output.stdout).unwrap();
    for shown in [
        "at most 5",
        "at most 1.00 EUR",
        "***01, ***02, ***03",
        "11111111:5",
    ] {
        assert!(plan.contains(shown), "{shown} is not in\n{plan}");
    }
    assert_eq!(service.starts(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn confirmed_run_spends_what_it_may_and_tells() {
    for transport in ["direct", "goose"] {
        let service = Service::new().await;
        let directory = directory(&format!("confirmed-{transport}"));
        let mut arguments = complete(&service, &directory);
        let at = arguments
            .iter()
            .position(|argument| argument == "direct")
            .unwrap();
        transport.clone_into(&mut arguments[at]);
        let listen = arguments.last().unwrap();
        let callback = format!("http://{listen}/callback").parse().unwrap();
        service
            .emulator
            .set_callback_url(&KEY.parse().unwrap(), Some(callback))
            .unwrap();
        let out = directory.join("out");
        arguments.extend(["--out".to_owned(), out.display().to_string()]);
        let output = load(&arguments, Some("11111111:5")).await;
        assert_eq!(service.starts(), 5, "{}", said(&output));

        let json = std::fs::read_to_string(out.join("run.json")).unwrap();
        let run = RunFile::from_json(&json).unwrap();
        assert_exit(&output, &run, 0);
        let spending = run.spending.unwrap();
        assert_eq!((spending.started, spending.spent.as_str()), (5, "0.2265"));
        assert!(run.stopped.unwrap().planned);
        assert_eq!(run.counters.failed, 0);

        let mut artifacts: Vec<_> = std::fs::read_dir(&out)
            .unwrap()
            .map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap())
            .collect();
        assert_eq!(artifacts.len(), 4);
        artifacts.push(said(&output));
        for artifact in &artifacts {
            for secret in ["4670000000", SECRET, KEY] {
                assert!(!artifact.contains(secret), "{secret} is in an artifact");
            }
        }
    }
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn interrupted_run_starts_nothing_more_and_reports() {
    let service = Service::new().await;
    let directory = directory("interrupted");
    let mut arguments = complete(&service, &directory);
    let out = directory.join("out");
    arguments.extend(["--out", out.to_str().unwrap(), "--rate", "2/s"].map(str::to_owned));
    let callback = arguments[arguments.iter().position(|a| a == "--callback-listen").unwrap() + 1].clone();
    let callback = format!("http://{callback}/callback").parse().unwrap();
    service
        .emulator
        .set_callback_url(&KEY.parse().unwrap(), Some(callback))
        .unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_sinch-verify-load"))
        .args(&arguments)
        .env("SINCH_APPLICATION_KEY", KEY)
        .env("SINCH_APPLICATION_SECRET", SECRET)
        .env(CONFIRM, "11111111:5")
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    while service.starts() == 0 {
        assert!(child.try_wait().unwrap().is_none(), "it ended before it began");
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let kill = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(kill.unwrap().success());
    let code = tokio::task::spawn_blocking(move || child.wait().unwrap().code());
    assert_eq!(code.await.unwrap(), Some(4));
    let json = std::fs::read_to_string(out.join("run.json")).unwrap();
    let run = RunFile::from_json(&json).unwrap();
    assert_eq!(run.stopped.unwrap().reason, "interrupted");
    assert!(service.starts() < 5, "{} starts", service.starts());
}
