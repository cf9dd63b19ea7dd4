//! The commands that look at an emulator and change it, and `verify` without a terminal.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test stops where it fails")]

mod running;

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::Stdio;

use serde_json::Value;

use running::{Ended, KEY, SECRET, Served, answering, command, stderr, stdout};

const NUMBER: &str = "+46700000001";

fn json(served: &Served, args: &[&str]) -> Value {
    let args = [args, &["--json"]].concat();
    let output = served.run_bare(&args);
    assert_eq!(output.status.code(), Some(0), "{args:?}: {}", stderr(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// What a command prints, if it succeeds.
fn text(served: &Served, args: &[&str]) -> String {
    let output = served.run_bare(args);
    assert_eq!(output.status.code(), Some(0), "{args:?}: {}", stderr(&output));
    stdout(&output)
}

/// The message and the exit code of a command that fails.
fn refused(served: &Served, args: &[&str]) -> (Option<i32>, String) {
    let output = served.run_bare(args);
    (output.status.code(), stderr(&output))
}

#[test]
fn every_method_is_verified_by_the_emulators_phone() {
    let served = Served::start(&[]);
    for method in ["sms", "flashcall", "callout", "seamless", "whatsapp"] {
        let verified = json(&served, &["verify", NUMBER, "--auto", "--method", method]);
        assert_eq!(
            (&verified["status"], &verified["method"]),
            (&"SUCCESSFUL".into(), &method.into())
        );
    }
}

#[test]
fn a_method_that_fails_falls_back_and_a_denial_does_not() {
    let served = Served::start(&[]);
    text(
        &served,
        &[
            "fault",
            "add",
            "status",
            "--status",
            "503",
            "--operation",
            "start",
            "--count",
            "1",
        ],
    );
    let output = served.run_bare(&["verify", NUMBER, "--auto", "--then", "flashcall,callout"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(
        stderr(&output).contains("trying flashcall"),
        "{}",
        stderr(&output)
    );

    let mut denying = command(&["listen", "--port", "0", "--decide", "deny"])
        .env("SINCH_VERIFICATION_URL", &served.url)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(denying.stdout.take().unwrap()).lines();
    assert!(lines.next().unwrap().unwrap().starts_with("Listening"));
    let _denying = Ended(denying);
    let denied = served.run_bare(&["verify", NUMBER, "--auto", "--then", "flashcall", "--json"]);
    assert_eq!(denied.status.code(), Some(3), "{}", stderr(&denied));
    let document: Value = serde_json::from_slice(&denied.stdout).unwrap();
    assert!(
        document["error"]["message"].as_str().unwrap().contains("denied"),
        "{document}"
    );
}

#[test]
fn verify_reads_codes_from_a_pipe_and_ends_with_it() {
    let served = Served::start(&[]);
    let ended = served.run_bare(&["verify", NUMBER]);
    assert_eq!(ended.status.code(), Some(3), "{}", stderr(&ended));
    assert!(
        stderr(&ended).contains("ended before a code came"),
        "{}",
        stderr(&ended)
    );

    let mut child = command(&["verify", NUMBER, "--json"])
        .env("SINCH_VERIFICATION_URL", &served.url)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let code = text(
        &served,
        &["inbox", "wait", NUMBER, "--after", "1", "--timeout", "30s"],
    );
    let mut typed = child.stdin.take().unwrap();
    writeln!(typed, "{code}").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(!stderr(&output).contains('\u{1b}'), "{}", stderr(&output));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["status"], "SUCCESSFUL");
}

#[test]
fn verify_says_what_a_refusal_means_by_its_exit_code() {
    let served = Served::start(&["--random-credentials"]);
    let (code, said) = refused(&served, &["verify", NUMBER, "--auto"]);
    assert_eq!(code, Some(4), "{said}");
    assert!(said.contains("SINCH_APPLICATION_KEY"), "{said}");
    let nothing = command(&["verify", NUMBER, "--url", "http://127.0.0.1:1"])
        .output()
        .unwrap();
    assert_eq!(nothing.status.code(), Some(5), "{}", stderr(&nothing));
    assert!(
        stderr(&nothing).contains("sinch-verify serve"),
        "{}",
        stderr(&nothing)
    );
}

#[test]
fn the_clock_is_shown_stopped_and_moved() {
    let served = Served::start(&[]);
    assert_eq!(json(&served, &["clock", "show"])["manual"], false);
    assert_eq!(json(&served, &["clock", "pause"])["manual"], true);
    let before = json(&served, &["clock", "show"])["service"].clone();
    let after = json(&served, &["clock", "advance", "1h30m"])["service"].clone();
    let day = |time: &Value| {
        let output = time.as_str().unwrap().to_owned();
        sinch_verify_protocol::timestamp::parse(&output).unwrap()
    };
    assert_eq!(day(&after).duration_since(day(&before)).unwrap().as_secs(), 5400);

    let (code, said) = refused(&served, &["clock", "to", "next-expiry"]);
    assert!(code == Some(1) && said.contains("nothing is due"), "{said}");
    let started = json(&served, &["start", NUMBER]);
    text(&served, &["clock", "to", "next-expiry"]);
    let status = json(&served, &["status", "--id", started["id"].as_str().unwrap()]);
    assert_ne!(status["status"], "PENDING");
    assert_eq!(json(&served, &["clock", "resume"])["manual"], false);
    assert!(text(&served, &["clock", "show"]).contains("service"));
    assert_eq!(refused(&served, &["clock", "advance", "5"]).0, Some(2));
}

#[test]
fn faults_are_added_listed_and_removed() {
    let served = Served::start(&[]);
    let (_, said) = refused(&served, &["fault", "list"]);
    assert!(said.contains("there is no fault"), "{said}");
    let add = [
        "fault",
        "add",
        "status",
        "--status",
        "503",
        "--operation",
        "start",
        "--every",
        "2",
    ];
    assert_eq!(json(&served, &add)["id"], 1);
    let latency = [
        "fault", "add", "latency", "--from", "1ms", "--to", "2ms", "--spread", "tail", "--number", NUMBER,
    ];
    assert_eq!(json(&served, &latency)["id"], 2);
    text(
        &served,
        &[
            "fault",
            "add",
            "reset",
            "--handled",
            "--on",
            "api",
            "--count",
            "1",
            "--operation",
            "report",
        ],
    );
    assert!(text(&served, &["fault", "list"]).starts_with("1\tapi\tstart\t\tstatus\t503\t0\t0"));

    text(&served, &["start", NUMBER]);
    assert_eq!(refused(&served, &["start", NUMBER]).0, Some(5));
    let list = json(&served, &["fault", "list"]);
    assert_eq!(list["faults"][0]["hits"], 1);
    text(&served, &["fault", "remove", "1"]);
    let (code, said) = refused(&served, &["fault", "remove", "1"]);
    assert!(code == Some(1) && said.contains("there is no fault 1"), "{said}");
    text(&served, &["fault", "remove", "--all"]);
    assert_eq!(
        json(&served, &["fault", "list"])["faults"],
        Value::Array(Vec::new())
    );

    // What does not fit together is named.
    for (args, field) in [
        (&["fault", "add", "status"][..], "--status"),
        (&["fault", "add", "latency", "--from", "1ms"], "--to"),
        (&["fault", "add", "stall", "--status", "500"], "status"),
        (
            &[
                "fault",
                "add",
                "stall",
                "--on",
                "callback",
                "--operation",
                "start",
            ],
            "operation",
        ),
        (&["fault", "add", "stall", "--probability", "2"], "probability"),
        (&["fault", "remove"], "--all"),
    ] {
        let (code, said) = refused(&served, args);
        assert!(
            matches!(code, Some(1 | 2)) && said.contains(field),
            "{args:?}: {said}"
        );
    }
}

#[test]
fn requests_are_listed_and_shown_with_their_mistake() {
    let served = Served::start(&["--app-key", KEY, "--app-secret", SECRET]);
    let (_, said) = refused(&served, &["requests"]);
    assert!(said.contains("no request has come yet"), "{said}");
    // The secret of the development application is not this emulator's.
    let wrong = command(&["start", NUMBER, "--url", &served.url])
        .envs([
            ("SINCH_APPLICATION_KEY", KEY),
            ("SINCH_APPLICATION_SECRET", "AAAAAAAAAAAAAAAAAAAAAA=="),
        ])
        .output()
        .unwrap();
    assert_eq!(wrong.status.code(), Some(4));
    assert_eq!(served.run(&["start", NUMBER]).status.code(), Some(0));

    let rows = text(&served, &["requests"]);
    let rows: Vec<&str> = rows.lines().collect();
    assert!(
        rows[0].starts_with("2\t") && rows[0].contains("\tstart\t") && rows[0].contains("\t200\t"),
        "{rows:?}"
    );
    assert!(
        rows[1].starts_with("1\t") && rows[1].contains("\t401\t"),
        "{rows:?}"
    );
    assert_eq!(text(&served, &["requests", "--status", "401"]).lines().count(), 1);
    let shown = text(&served, &["requests", "show", "1"]);
    assert!(
        shown.contains("explanation.text") && shown.contains("stringToSign"),
        "{shown}"
    );
    let list = json(&served, &["requests", "--limit", "1"]);
    assert_eq!(list["requests"][0]["seq"], 2);
    let (code, said) = refused(&served, &["requests", "show", "9"]);
    assert!(
        code == Some(1) && said.contains("there is no request 9"),
        "{said}"
    );

    text(&served, &["reset"]);
    let (_, said) = refused(&served, &["requests"]);
    assert!(said.contains("no request has come yet"), "{said}");
}

#[test]
fn deliveries_are_listed_shown_and_replayed() {
    let served = Served::start(&[]);
    let mut listening = command(&["listen", "--port", "0"])
        .env("SINCH_VERIFICATION_URL", &served.url)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(listening.stdout.take().unwrap()).lines();
    assert!(lines.next().unwrap().unwrap().starts_with("Listening"));
    let _listening = Ended(listening);
    let started = json(&served, &["start", NUMBER]);
    let id = started["id"].as_str().unwrap();

    let rows = text(&served, &["deliveries", "--verification", id]);
    let first = rows.lines().find(|row| row.starts_with("1\t")).unwrap();
    assert!(first.contains("\tVerificationRequestEvent\t"), "{rows}");
    assert!(text(&served, &["deliveries", "show", "1"]).contains("responseHeaders"));
    assert_eq!(json(&served, &["deliveries", "show", "1"])["verificationId"], id);
    let (code, said) = refused(&served, &["deliveries", "show", "7"]);
    assert!(
        code == Some(1) && said.contains("there is no delivery 7"),
        "{said}"
    );

    assert_eq!(json(&served, &["deliveries", "replay", "1"])["replayOf"], 1);
    // A forged one must be refused, and is.
    let forged = json(&served, &["deliveries", "replay", "1", "--as", "forged"]);
    assert_eq!((&forged["ok"], &forged["status"]), (&true.into(), &401.into()));
    let (code, said) = refused(&served, &["deliveries", "replay", "1", "--as", "nothing"]);
    assert!(code == Some(1) && said.contains("nothing"), "{said}");
}

#[test]
fn events_are_followed_filtered_and_resumed() {
    let mut served = Served::start(&[]);
    let started = json(&served, &["start", NUMBER]);
    json(&served, &["start", "+46700000002"]);
    let follow = |args: &[&str]| {
        let mut child = command(&[&["events", "--after", "0"], args].concat())
            .env("SINCH_VERIFICATION_URL", &served.url)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        (child, lines.map(Result::unwrap))
    };
    let (child, mut lines) = follow(&["--number", NUMBER, "--kind", "started,message", "--json"]);
    let _json = Ended(child);
    let first: Value = serde_json::from_str(&lines.next().unwrap()).unwrap();
    assert_eq!(
        (&first["event"], &first["data"]["verificationId"]),
        (&"started".into(), &started["id"])
    );
    let second: Value = serde_json::from_str(&lines.next().unwrap()).unwrap();
    assert_eq!(
        (&second["event"], &second["data"]["number"]),
        (&"message".into(), &NUMBER.into())
    );
    let code = second["data"]["code"].as_str().unwrap();

    // For people, without the code; and to its end, which is an error.
    let (child, mut lines) = follow(&["--number", NUMBER]);
    let text: Vec<String> = lines.by_ref().take(3).collect();
    assert!(
        text.iter()
            .any(|line| line.contains("started") && line.contains(NUMBER)),
        "{text:?}"
    );
    assert!(
        !text.iter().any(|line| line.contains(&format!("  {code}"))),
        "{text:?}"
    );
    served.kill();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(5), "{}", stderr(&output));
    assert!(stderr(&output).contains("the emulator"), "{}", stderr(&output));
}

#[test]
fn a_kind_of_event_that_is_none_is_named() {
    let served = Served::start(&[]);
    let (code, said) = refused(&served, &["events", "--kind", "nothing"]);
    assert!(
        code == Some(1) && said.contains("nothing") && said.contains("started"),
        "{said}"
    );
}

#[test]
fn commands_about_an_emulator_are_for_this_machine() {
    for args in [
        &["events"][..],
        &["requests"],
        &["deliveries"],
        &["clock", "show"],
        &["fault", "list"],
        &["reset"],
        &["verify", NUMBER, "--auto", "--live"],
    ] {
        let output = command(&[args, &["--url", "https://127.0.0.1.nip.io"]].concat())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2), "{args:?}: {}", stderr(&output));
    }
}

#[test]
fn doctor_finds_nothing_wrong_with_a_fresh_emulator_and_leaves_its_callback_url() {
    let served = Served::start(&["--callback-url", "http://127.0.0.1:1/mine"]);
    let report = json(&served, &["doctor"]);
    let checks = report["checks"].as_array().unwrap();
    let names: Vec<&str> = checks
        .iter()
        .map(|check| check["name"].as_str().unwrap())
        .collect();
    let expected = [
        "address",
        "key",
        "secret",
        "service",
        "clock",
        "authorization",
        "callbacks",
        "versions",
    ];
    assert_eq!(names, expected);
    assert!(checks.iter().all(|check| check["status"] == "ok"), "{report}");
    assert!(
        report["checks"][6]["detail"]
            .as_str()
            .unwrap()
            .contains("http://127.0.0.1:1/mine")
    );
}

#[test]
fn doctor_says_what_to_do_about_what_is_wrong() {
    let served = Served::start(&["--random-credentials"]);
    let output = served.run_bare(&["doctor", "--json", "--policy", "/nowhere/at/all.toml"]);
    assert_eq!(output.status.code(), Some(1));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let status = |name: &str| {
        let checks = report["checks"].as_array().unwrap();
        checks.iter().find(|check| check["name"] == name).unwrap().clone()
    };
    assert_eq!(status("authorization")["status"], "failed");
    assert!(
        status("authorization")["fix"]
            .as_str()
            .unwrap()
            .contains("SINCH_APPLICATION_KEY")
    );
    assert_eq!(status("callbacks")["status"], "skipped");
    assert_eq!(status("policy")["status"], "failed");

    let nothing = command(&["doctor", "--url", "http://127.0.0.1:1"])
        .output()
        .unwrap();
    assert_eq!(nothing.status.code(), Some(1));
    let rows = stdout(&nothing);
    assert!(
        rows.contains("service\tfailed\t") && rows.contains("sinch-verify serve"),
        "{rows}"
    );
}

#[test]
fn doctor_finds_a_clock_that_is_wrong() {
    let answer = "HTTP/1.1 404 Not Found\r\ndate: Thu, 01 Jan 2026 00:00:00 GMT\r\ncontent-length: 0\r\n\
                  connection: close\r\n\r\n";
    let url = format!("http://{}", answering(answer.to_owned()));
    let output = command(&["doctor", "--url", &url]).output().unwrap();
    let rows = stdout(&output);
    let clock = rows.lines().find(|row| row.starts_with("clock\t")).unwrap();
    assert!(
        clock.contains("failed") && clock.contains("set the clock"),
        "{rows}"
    );
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn serve_logs_requests_without_numbers_codes_and_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log.txt");
    let served = Served::start_with(&["-v"], |command| {
        command.stderr(std::fs::File::create(&log).unwrap());
    });
    text(&served, &["verify", NUMBER, "--auto", "--method", "sms"]);
    served.run_bare(&["status", "--number", NUMBER]);
    served.run_bare(&["report", "--number", NUMBER, "--code", "48213579"]);
    let ended = std::time::Instant::now() + std::time::Duration::from_secs(30);
    let lines = loop {
        let text = std::fs::read_to_string(&log).unwrap();
        if text.lines().count() >= 4 || std::time::Instant::now() > ended {
            break text;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    };
    let lines: Vec<&str> = lines.lines().collect();
    assert!(
        lines[0].contains("  start  200  ") && lines[1].contains("  report  200  "),
        "{lines:?}"
    );
    assert!(
        lines[2].contains("  status  200  ") && lines[3].contains("errorCode"),
        "{lines:?}"
    );
    let said = lines.join("\n");
    assert!(
        !said.contains("46700000001") && !said.contains("48213579") && !said.contains("ZGV2"),
        "{said}"
    );
}
