//! What a command says, and how it exits, when something goes wrong.
#![allow(clippy::unwrap_used, reason = "a test stops where it fails")]

mod running;

use running::{KEY, SECRET, Served, stderr, stdout};
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
        &["status", "--id", "nobody"],
        1,
        &[("status", 404.into())],
    );
    check(&served, &["status", "--id", "nobody", "--auth", "public"], 4, &[]);
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
    for code in [3, 3] {
        let output = served.run(&["report", "--id", id, "--code", "wrong"]);
        assert_eq!(output.status.code(), Some(code), "{}", stderr(&output));
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
