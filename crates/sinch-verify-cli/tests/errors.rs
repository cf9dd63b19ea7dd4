//! What a command says, and how it exits, when something goes wrong.
#![allow(clippy::unwrap_used, reason = "a test stops where it fails")]

mod running;

use running::{KEY, SECRET, Served, run, stderr, stdout};
use serde_json::Value;

/// An emulator with faults to begin with.
fn faulty(rules: &str) -> Served {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("faults.json");
    std::fs::write(&file, rules).unwrap();
    Served::start(&[
        "--app-key",
        KEY,
        "--app-secret",
        SECRET,
        "--faults",
        file.to_str().unwrap(),
    ])
}

/// The first answer to a start is lost after it was carried out.
const LOST: &str = r#"[{"on":"api","operation":"start","count":1,"fault":{"kind":"reset","handled":true}}]"#;

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn a_lost_answer_is_told_with_what_was_found() {
    let served = faulty(LOST);
    let lost = served.run(&["start", "+46700000001", "--method", "flashcall", "--json"]);
    assert_eq!(lost.status.code(), Some(5), "{}", stderr(&lost));
    let error = &json(&stdout(&lost))["error"];
    assert_eq!(error["found"], "verification", "{error}");
    assert_eq!(error["mayHaveBeenSent"], true, "{error}");
    assert_eq!(error["verification"]["status"], "PENDING", "{error}");
    let (id, reference) = (&error["verification"]["id"], &error["reference"]);
    let told = stderr(&lost);
    for part in [id, reference] {
        assert!(told.contains(part.as_str().unwrap()), "{told}");
    }
    let asked = served.run(&["status", "--reference", reference.as_str().unwrap(), "--json"]);
    assert_eq!(json(&stdout(&asked))["id"], *id);
}

#[test]
fn a_start_that_was_found_again_says_so() {
    let served = faulty(LOST);
    let found = served.run(&["start", "+46700000001"]);
    assert_eq!(found.status.code(), Some(0), "{}", stderr(&found));
    assert!(stderr(&found).contains("was lost"), "{}", stderr(&found));
    assert!(stdout(&found).contains("reference"), "{}", stdout(&found));
    // The reference that was made up is told of every start.
    let usual = served.run(&["start", "+46700000001", "--json"]);
    assert_eq!(stderr(&usual), "");
    let started = json(&stdout(&usual));
    assert!(started["sms"]["template"].is_string(), "{started}");
    let asked = served.run(&[
        "status",
        "--reference",
        started["reference"].as_str().unwrap(),
        "--json",
    ]);
    assert_eq!(json(&stdout(&asked))["id"], started["id"]);
}

/// Runs and compares the exit code, and the error as scripts get it.
fn check(served: &Served, args: &[&str], code: i32, expected: &[(&str, Value)]) {
    let output = served.run(&[args, &["--json"]].concat());
    assert_eq!(output.status.code(), Some(code), "{args:?}: {}", stderr(&output));
    let error = &json(&stdout(&output))["error"];
    assert!(!error["message"].as_str().unwrap().is_empty());
    for (field, value) in expected {
        assert_eq!(error[field], *value, "{args:?}: {error}");
    }
}

#[test]
fn every_failure_has_its_exit_code() {
    let served =
        faulty(r#"[{"on":"api","operation":"status","number":"+46700000009","fault":{"kind":"malformed"}}]"#);
    let start = |number: &'static str| ["start", number];
    // The emulator's magic numbers.
    for (number, code, error_code) in [
        ("+447700900905", 3, 40303),
        ("+447700900919", 1, 40200),
        ("+447700900920", 1, 40300),
        ("+447700900921", 1, 42201),
        ("+447700900924", 5, 50000),
    ] {
        check(
            &served,
            &start(number),
            code,
            &[
                ("errorCode", error_code.into()),
                ("status", (error_code / 100).into()),
            ],
        );
    }
    check(
        &served,
        &["status", "--id", "unknown"],
        1,
        &[("status", 404.into())],
    );
    check(
        &served,
        &["status", "--id", "unknown", "--auth", "public"],
        4,
        &[],
    );
    check(
        &served,
        &["report", "--id", "1", "--method", "callout", "--cli", "+46"],
        2,
        &[],
    );
    let started = json(&stdout(&served.run(&["start", "+46700000001", "--json"])));
    let id = started["id"].as_str().unwrap();
    check(
        &served,
        &["report", "--id", id, "--code", "wrong"],
        3,
        &[("errorCode", 40003.into())],
    );
    // The last attempt is answered with how it ended.
    for (outcome, status) in [("refused", Value::Null), ("ended", "FAIL".into())] {
        let output = served.run(&["report", "--id", id, "--code", "wrong", "--json"]);
        assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
        let answer = json(&stdout(&output));
        assert_eq!(
            (&answer["outcome"], &answer["verification"]["status"]),
            (&outcome.into(), &status)
        );
    }
    // An answer that is no answer.
    served.run(&["start", "+46700000009"]);
    check(
        &served,
        &["status", "--number", "+46700000009"],
        5,
        &[("status", 200.into())],
    );
}

#[test]
fn a_limit_says_when_to_come_back() {
    let served = faulty("[]");
    for number in ["+447700900922", "+447700900923"] {
        let limited = served.run(&["start", number, "--json"]);
        assert_eq!(limited.status.code(), Some(6), "{}", stderr(&limited));
        let wait = json(&stdout(&limited))["error"]["retryAfterMs"].as_u64().unwrap();
        let told = format!("try again in {} s", wait.div_ceil(1000));
        assert!(stderr(&limited).contains(&told), "{}", stderr(&limited));
    }
}

#[test]
fn the_method_is_found_out_or_asked_for() {
    let served = faulty("[]");
    let number = "+46700000001";
    let start = |method: &str, reference: &str| {
        let output = served.run(&[
            "start",
            number,
            "--method",
            method,
            "--reference",
            reference,
            "--json",
        ]);
        assert_eq!(output.status.code(), Some(0), "{method}: {}", stderr(&output));
        json(&stdout(&output))
    };
    // What people call them.
    for (name, method) in [
        ("data", "seamless"),
        ("phone-call", "callout"),
        ("flash-call", "flashcall"),
    ] {
        assert_eq!(start(name, &format!("r-{method}"))["method"], method);
    }
    // The number's latest is a flash call now, and `--cli` says so.
    let wrong = served.run(&["report", "--number", number, "--cli", "+4612345"]);
    assert_eq!(wrong.status.code(), Some(3), "{}", stderr(&wrong));
    assert!(!stderr(&wrong).contains("--method"), "{}", stderr(&wrong));
    let unknown = served.run(&["status", "--number", number]);
    assert_eq!(unknown.status.code(), Some(1), "{}", stderr(&unknown));
    assert!(
        stderr(&unknown).contains("sms; give --method"),
        "{}",
        stderr(&unknown)
    );
    let unfit = served.run(&["report", "--number", number, "--code", "1234"]);
    assert!(
        stderr(&unfit).contains("sms; give --method"),
        "{}",
        stderr(&unfit)
    );

    // The service tells the method of a reference.
    start("callout", "r-2");
    let messages = served.run(&["inbox", "wait", number]);
    let reported = served.run(&["report", "--reference", "r-2", "--code", &stdout(&messages)]);
    assert_eq!(reported.status.code(), Some(0), "{}", stderr(&reported));
    start("sms", "r-3");
    let unfit = served.run(&["report", "--reference", "r-3", "--cli", "+4612345"]);
    assert_eq!(unfit.status.code(), Some(2), "{}", stderr(&unfit));
    assert!(stderr(&unfit).contains("give --code"), "{}", stderr(&unfit));
}

#[test]
fn a_port_that_cannot_be_is_refused_wherever_a_url_is_given() {
    let url = "http://127.0.0.1:99999/";
    for args in [
        // Where the URL is taken, the missing file ends it.
        ["serve", "--callback-url", url, "--faults", "no/such/file"].as_slice(),
        &["listen", "--forward-to", url],
        &["trigger", "result", "--to", url],
        &["status", "--id", "1", "--url", url],
    ] {
        let output = run(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        let told = stderr(&output);
        assert!(told.contains("port from 1 to 65535"), "{args:?}: {told}");
    }
}
