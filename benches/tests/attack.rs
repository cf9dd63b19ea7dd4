//! The attacks at a small scale: what must never get through.
#![allow(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::process::Command;

use serde_json::Value;

/// Runs an attack, and checks that it sent something and that each of its goals is met.
fn check(name: &str, scale: &str) {
    let output = Command::new(env!("CARGO_BIN_EXE_attack"))
        .args([name, scale])
        .output()
        .unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.success(),
        "{printed}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let rows: Vec<Value> = printed
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let goals = rows.iter().filter_map(|row| Some((row, row["goal"].as_u64()?)));
    let mut checked = 0;
    for (row, goal) in goals {
        assert!(row["sent"].as_u64().unwrap() > 0, "{row}");
        assert!(row["count"].as_u64().unwrap() <= goal, "{row}");
        checked += 1;
    }
    assert!(checked > 0, "{printed}");
}

#[test]
fn no_forged_callback_is_taken() {
    check("forged", "0.002");
}

#[test]
fn each_of_many_parallel_replays_is_taken_once() {
    check("replayed", "0.01");
}

#[test]
fn no_start_is_carried_out_twice_by_a_faulty_service() {
    check("starts", "0.001");
}

#[test]
fn no_page_of_another_site_reaches_the_control_interface() {
    check("pages", "1");
}
