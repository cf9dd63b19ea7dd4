//! The exit code that a run must have.

use std::process::Output;

use sinch_verify_loadtest::runfile::RunFile;

/// Checks that a run exited with `code`, as its file says too; with 3 exactly where its own figures show
/// that this machine had not enough time for it.
pub(crate) fn assert_exit(output: &Output, file: &RunFile, code: u8) {
    let expected = if file.doubts().is_empty() { code } else { 3 };
    assert_eq!(
        output.status.code(),
        Some(i32::from(expected)),
        "{}\n{:?}\n{:?}",
        String::from_utf8_lossy(&output.stderr),
        file.generator,
        file.verdict
    );
    assert_eq!(file.verdict.as_ref().unwrap().exit.code(), expected);
}

/// Checks that a shard that was to begin `at` this time says when it began, and exited with 3 exactly
/// where it was not ready by then: it is not judged otherwise.
#[allow(dead_code, reason = "not every test has shards")]
pub(crate) fn assert_shard_exit(output: &Output, file: &RunFile, at: &str) {
    let late = file.late_seconds.is_some();
    assert_eq!(
        output.status.code(),
        Some(if late { 3 } else { 0 }),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert_eq!(file.started_at == at, !late, "{} began {}", at, file.started_at);
    assert_eq!(file.verdict, None);
}
