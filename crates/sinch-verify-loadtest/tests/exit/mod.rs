//! What a run must exit with.

use std::process::Output;

use sinch_verify_loadtest::model::StepName;
use sinch_verify_loadtest::runfile::RunFile;

/// Checks that a run exited with `code`, as its file says too; with 3 exactly where its own figures
/// say that this machine had not enough time for it.
pub(crate) fn assert_exit(output: &Output, file: &RunFile, code: u8) {
    let expected = if generator_was_busy(file) { 3 } else { code };
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

/// The rule of the guide, by the figures of a run file.
fn generator_was_busy(file: &RunFile) -> bool {
    let total = file.flows.total();
    let p99 = |interval| {
        let times = total.time(interval)?;
        Some(times.percentile(99.0).as_secs_f64() * 1000.0)
    };
    let lag = p99(StepName::LAG).unwrap_or(0.0);
    let whole = p99(StepName::END_TO_END).or_else(|| p99(StepName::FAILED_END_TO_END));
    let whole = whole.unwrap_or(0.0);
    file.late_seconds.is_some()
        || file.counters.dropped * 1000 > file.counters.scheduled
        || file.generator.cpu.is_some_and(|busy| busy > 0.85)
        || (lag > 5.0 && whole > 0.0 && lag > whole / 10.0)
}
