//! The guide's list of a run file's fields, against files as they are.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// Objects that the guide describes in words.
const WORDS: [&str; 2] = ["setup.load.rate", "setup.mix"];

/// The fields that the guide lists, without their question marks, and those of them that have none.
fn listed() -> (BTreeSet<String>, BTreeSet<String>) {
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/guides/load-testing.md");
    let guide = std::fs::read_to_string(guide).unwrap();
    let (_, section) = guide.split_once("## The file of a run\n").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let (mut all, mut certain) = (BTreeSet::new(), BTreeSet::new());
    for row in section.lines().filter(|line| line.starts_with("| `")) {
        let fields = row.split('|').nth(1).unwrap();
        for field in fields.split('`').skip(1).step_by(2) {
            let name = field.trim_end_matches('?').to_owned();
            if name == field {
                certain.insert(name.clone());
            }
            assert!(all.insert(name), "{field} is listed twice");
        }
    }
    (all, certain)
}

/// The fields of a file, with what is named by flows, times and failures under one name.
fn fields(value: &Value, path: &str, into: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) if !WORDS.contains(&path) => {
            for (name, value) in object {
                let name = match path {
                    "" if name == "warmUp" => "counters",
                    "flows" => "FLOW",
                    "flows.FLOW.times" => "TIME",
                    "flows.FLOW.failures" => "KIND",
                    _ => name,
                };
                let path = if path.is_empty() {
                    name.to_owned()
                } else {
                    format!("{path}.{name}")
                };
                fields(value, &path, into);
            }
        }
        Value::Array(values) if !WORDS.contains(&path) => {
            let path = format!("{path}[]");
            values.iter().for_each(|value| fields(value, &path, into));
        }
        _ => {
            into.insert(path.to_owned());
        }
    }
}

#[test]
fn guide_lists_the_fields_of_run_files() {
    let (listed, certain) = listed();
    let run = |arguments: &str, code: Option<&str>| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sinch-verify-load"));
        command.args(["run", "--json", "-", "--transport", "direct"]);
        command.args(arguments.split(' ')).env_remove("SINCH_LOAD_CODE");
        if let Some(code) = code {
            command.env("SINCH_LOAD_CODE", code);
        }
        let output = command.output().unwrap();
        let file: Value = serde_json::from_slice(&output.stdout).unwrap();
        let mut found = BTreeSet::new();
        fields(&file, "", &mut found);
        found
    };
    let mixed = run(
        "--scenario mixed --rate 40/s --duration 300ms --warm-up 100ms --threshold e2e.max<1h",
        None,
    );
    // A code that no message has, so that there are failures.
    let failing = run(
        "--users 2 --duration 100ms --warm-up 0s --phone fixed --no-callbacks",
        Some("00000"),
    );
    for found in [&mixed, &failing] {
        let unknown: Vec<_> = found.difference(&listed).collect();
        assert!(unknown.is_empty(), "the guide does not list {unknown:?}");
        let absent: Vec<_> = certain.difference(found).collect();
        assert!(absent.is_empty(), "no run file has {absent:?}");
    }
    for field in ["verdict.checks[].result", "setup.load.rate"] {
        assert!(mixed.contains(field), "{field}");
    }
    assert!(failing.contains("flows.FLOW.failures.KIND.example"));
}
