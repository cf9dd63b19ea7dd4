use super::*;
use crate::model::{Failure, FailureKind, FlowEnd, FlowRecord, Load, Second};
use crate::runfile::sample_run;
use crate::verdict::{Thresholds, Verdict};

const TOLERANCE: Tolerance = Tolerance {
    part: 0.1,
    time: Duration::from_millis(1),
};

/// 1,000 flows, evenly from zero to `slowest`, the first `failed` of which failed.
fn run(slowest: Duration, failed: u64) -> RunFile {
    run_of(1000, slowest, failed)
}

fn run_of(flows: u32, slowest: Duration, failed: u64) -> RunFile {
    let mut run = sample_run();
    let started = Duration::from_secs(1);
    for flow in 1..=flows {
        let end = if u64::from(flow) <= failed {
            FlowEnd::Failed(Failure::new(FailureKind::Decode, "why"))
        } else {
            FlowEnd::Succeeded
        };
        let ended = started + slowest * flow / flows;
        run.flows
            .record(&FlowRecord::sample(started, started, ended, end));
    }
    let flows = u64::from(flows);
    run.counters.scheduled = flows;
    run.counters.started = flows;
    run.counters.finished = flows;
    run.counters.failed = failed;
    run.series = (0..2)
        .map(|at| Second {
            at,
            finished: flows / 2,
            ..Second::default()
        })
        .collect();
    run.verdict = Some(Verdict::judge(&run, &Thresholds::default()));
    run
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn worse(before: &RunFile, after: &RunFile) -> Vec<String> {
    let comparison = Comparison::of(before, after, TOLERANCE).unwrap();
    let worse = comparison
        .rows
        .iter()
        .filter(|row| row.result == Some(Change::Worse));
    let worse: Vec<_> = worse.map(|row| row.metric.to_string()).collect();
    assert_eq!(comparison.is_worse(), !worse.is_empty());
    worse
}

#[test]
fn every_name_is_a_metric() {
    for name in JUDGED.iter().chain(&SHOWN) {
        assert_eq!(name.parse::<Metric>().unwrap().to_string(), **name);
    }
}

#[test]
fn slower_and_failing_is_worse_and_faster_is_not() {
    let usual = run(ms(10_000), 0);
    assert!(worse(&usual, &usual).is_empty());
    assert!(
        worse(&usual, &run(ms(10_900), 0)).is_empty(),
        "within the tolerance"
    );
    assert_eq!(worse(&usual, &run(ms(11_200), 0)), ["e2e.p50", "e2e.p99"]);
    assert!(worse(&run(ms(11_200), 0), &usual).is_empty());
    assert_eq!(
        worse(&usual, &run(ms(10_000), 1)),
        ["error-rate"],
        "none failed, so none may"
    );
    assert_eq!(
        worse(&usual, &run(ms(10_000), 1000)),
        ["e2e.p50", "e2e.p99", "error-rate"]
    );
    let mut slow = run(ms(10_000), 0);
    for second in &mut slow.series {
        second.finished = 400;
    }
    assert_eq!(worse(&usual, &slow), ["throughput"]);
}

/// Where p99 is a millisecond or two, the noise of a machine is more than a tenth of it.
#[test]
fn small_absolute_difference_is_not_worse() {
    let micros = Duration::from_micros;
    let (before, after) = (run(micros(1580), 0), run(micros(2000), 0));
    assert!(worse(&before, &after).is_empty());
    assert_eq!(worse(&before, &run(micros(2620), 0)), ["e2e.p99"]);
    let strict = Tolerance {
        time: Duration::ZERO,
        ..TOLERANCE
    };
    assert!(Comparison::of(&before, &after, strict).unwrap().is_worse());
    // So is one failure more in 2,000 flows.
    let failed = |failed| run_of(2000, ms(100), failed);
    assert!(worse(&failed(2), &failed(3)).is_empty());
    assert_eq!(worse(&failed(2), &failed(5)), ["error-rate"]);
}

#[test]
fn percentile_of_too_few_samples_is_not_judged() {
    let (before, after) = (run(ms(100), 0), run_of(90, ms(500), 0));
    for (before, after) in [(&before, &after), (&after, &before)] {
        let comparison = Comparison::of(before, after, TOLERANCE).unwrap();
        let text = comparison.text();
        let row = text.lines().find(|line| line.contains("e2e.p99")).unwrap();
        assert!(row.ends_with("not judged: 90 of 500 samples needed"), "{text}");
    }
    assert_eq!(worse(&before, &after), ["e2e.p50", "throughput"]);
}

#[test]
fn text_shows_both_and_the_ratio() {
    let text = Comparison::of(&run(ms(100), 0), &run(ms(150), 0), TOLERANCE)
        .unwrap()
        .text();
    let row = text.lines().find(|line| line.contains("e2e.p50")).unwrap();
    assert!(row.contains("1.50") && row.ends_with("WORSE"), "{text}");
    let other = text.lines().find(|line| line.contains("e2e.max")).unwrap();
    assert!(other.trim_end().ends_with("1.50"), "shown and not judged: {text}");
}

#[test]
fn runs_that_cannot_be_compared_are_refused() {
    let usual = run(ms(100), 0);
    let mut closed = usual.clone();
    closed.setup.load = Load::closed(4);
    let mut doubtful = usual.clone();
    doubtful.generator.cpu = Some(0.99);
    doubtful.verdict = Some(Verdict::judge(&doubtful, &Thresholds::default()));
    let mut shard = usual.clone();
    shard.verdict = None;
    for (after, says, hint) in [
        (closed, "differ in their load: 50/s and 4 users", "repeat one run"),
        (
            doubtful,
            "the verdict on the second run is `invalid`",
            "repeat that run",
        ),
        (shard, "the second file is a shard", "merge all shards"),
    ] {
        let error = Comparison::of(&usual, &after, TOLERANCE).unwrap_err();
        assert!(error.to_string().contains(says), "{error}");
        assert!(error.hint().contains(hint), "{error}");
    }
}
