use std::time::Duration;

use super::*;
use crate::model::{Failure, FailureKind, FlowEnd, FlowRecord, Load, Measurements, Second, Shard, Shards};
use crate::runfile::{Stopped, sample_run};

/// A run of 500 flows, 2 to 1000 ms end to end, each started 1 ms late, 250/s for 2 s.
fn run() -> RunFile {
    run_of(500)
}

/// The same with another number of flows, the slowest of which takes a second.
fn run_of(flows: u64) -> RunFile {
    let mut run = sample_run();
    for flow in 1..=flows {
        add(&mut run, FlowEnd::Succeeded, flow * 1000 / flows);
    }
    run
}

fn add(run: &mut RunFile, end: FlowEnd, took_ms: u64) {
    record(run, end, 1, took_ms);
    run.counters.scheduled += 1;
    run.counters.started += 1;
}

/// A flow that was started and ended so many milliseconds after it was due.
fn record(run: &mut RunFile, end: FlowEnd, started_ms: u64, ended_ms: u64) {
    let due = Duration::from_secs(1);
    let [started, ended] = [started_ms, ended_ms].map(|ms| due + Duration::from_millis(ms));
    run.flows.record(&FlowRecord::sample(due, started, ended, end));
}

fn failed(kind: FailureKind) -> FlowEnd {
    FlowEnd::Failed(Failure::new(kind, "no"))
}

fn with(change: impl FnOnce(&mut RunFile)) -> RunFile {
    let mut run = run();
    change(&mut run);
    run
}

/// The verdict on a run, and the first reason.
fn judged(run: &RunFile, thresholds: &str) -> (Exit, String) {
    let thresholds: Thresholds = thresholds.parse().unwrap();
    let verdict = Verdict::judge(run, &thresholds);
    assert_eq!(verdict.is_pass(), verdict.reasons.is_empty());
    assert_eq!(verdict.checks.len(), thresholds.iter().count());
    (
        verdict.exit,
        verdict.reasons.into_iter().next().unwrap_or_default(),
    )
}

#[test]
fn thresholds_decide_the_verdict() {
    for (thresholds, exit, reason) in [
        ("", Exit::Pass, ""),
        ("e2e.p99 = '< 1s'", Exit::Pass, ""),
        ("e2e.p50 = '<= 500ms'", Exit::Failed, "e2e.p50 is 500."),
        ("sms.e2e.p99 = '< 500ms'", Exit::Failed, "sms.e2e.p99 is 990."),
        ("e2e.max = '= 1s'", Exit::Pass, ""),
        ("lag.max = '<= 1ms'", Exit::Pass, ""),
        ("throughput = '>= 250/s'", Exit::Pass, ""),
        (
            "throughput = '> 250/s'",
            Exit::Failed,
            "throughput is 250/s, not > 250/s",
        ),
        ("dropped = '= 0'", Exit::Pass, ""),
        (
            "sms.throughput = '> 900/s'",
            Exit::Failed,
            "sms.throughput is 250/s, not > 900/s",
        ),
        ("cb-in.p99 = '< 1s'", Exit::Failed, "cb-in.p99 was not measured"),
        (
            "callout.e2e.p99 = '< 1s'",
            Exit::Failed,
            "callout.e2e.p99 was not measured",
        ),
    ] {
        let (got, why) = judged(&run(), thresholds);
        assert_eq!(got, exit, "{thresholds}: {why}");
        assert!(why.starts_with(reason), "{thresholds}: {why}");
    }
}

/// The p99 of 90 flows is the slowest of them.
#[test]
fn percentile_of_too_few_samples_is_not_judged() {
    let run = run_of(90);
    for limit in ["< 1ms", "< 5s"] {
        let p99 = format!("e2e.p99 = '{limit}'");
        assert_eq!(
            judged(&run, &p99),
            (
                Exit::Invalid,
                "e2e.p99 was not judged: 90 of 500 samples needed; run longer, or limit a lower \
                 percentile or the max"
                    .to_owned()
            )
        );
        let failing = format!("{p99}\ne2e.p50 = '< 1ms'");
        let (exit, why) = judged(&run, &failing);
        assert_eq!(exit, Exit::Failed, "another threshold failed: {why}");
    }
    for (thresholds, exit) in [
        ("e2e.p90 = '< 950ms'", Exit::Pass),
        ("e2e.p90 = '< 850ms'", Exit::Failed),
        ("e2e.max = '<= 1s'", Exit::Pass),
    ] {
        assert_eq!(judged(&run, thresholds).0, exit, "{thresholds}");
    }
    let (thresholds, enough) = ("e2e.p99 = '< 995ms'", run_of(500));
    assert_eq!(judged(&enough, thresholds).0, Exit::Pass);
    assert_eq!(judged(&run_of(499), thresholds).0, Exit::Invalid);
}

#[test]
fn one_late_flow_does_not_make_a_run_invalid() {
    let late = |flows: u64, late: u64| {
        with(|run| {
            run.flows = Measurements::default();
            for flow in 0..flows {
                let lag = if flow < late { 50 } else { 0 };
                record(run, FlowEnd::Succeeded, lag, 20 + lag);
            }
        })
    };
    for (flows, late_flows, exit) in [
        (90, 1, Exit::Pass),
        (90, 4, Exit::Pass),
        (450, 5, Exit::Pass),
        (500, 4, Exit::Pass),
        // As many as the highest percentile that is judged has beyond it, and one more.
        (90, 10, Exit::Invalid),
        (450, 24, Exit::Invalid),
        (500, 6, Exit::Invalid),
        // With fewer than ten flows no percentile is judged.
        (9, 9, Exit::Pass),
        (10, 6, Exit::Invalid),
    ] {
        let (got, why) = judged(&late(flows, late_flows), "");
        assert_eq!(got, exit, "{late_flows} of {flows}: {why}");
    }
    let lag = Lag::of(&late(9, 9)).unwrap();
    assert_eq!(lag.unwrap_err().to_string(), "9 of 10 samples needed");
}

#[test]
fn failures_are_forbidden_unless_allowed() {
    let run = with(|run| add(run, failed(FailureKind::Api(40003)), 5));
    for (thresholds, exit, reason) in [
        ("", Exit::Failed, "1 of 501 flows failed: api.40003"),
        (
            "e2e.p99 = '< 1s'",
            Exit::Failed,
            "1 of 501 flows failed: api.40003",
        ),
        ("error-rate = '< 1%'", Exit::Pass, ""),
        (
            "error-rate = '< 0.1%'",
            Exit::Failed,
            "error-rate is 0.2 %, not < 0.1 %",
        ),
        ("errors.api.40003 = '<= 1'", Exit::Pass, ""),
        (
            "errors.api.40003 = '= 0'",
            Exit::Failed,
            "errors.api.40003 is 1, not = 0",
        ),
        // What is said of other failures says nothing of these.
        (
            "sms.errors.connect = '= 0'",
            Exit::Failed,
            "1 of 501 flows failed: api.40003",
        ),
        (
            "errors.callback.late = '= 0'",
            Exit::Failed,
            "1 of 501 flows failed: api.40003",
        ),
    ] {
        assert_eq!(
            judged(&run, thresholds),
            (exit, reason.to_owned()),
            "{thresholds}"
        );
    }
}

#[test]
fn doubts_outweigh_thresholds() {
    let drop = |count| {
        move |run: &mut RunFile| {
            run.counters.scheduled = 10_000;
            run.counters.dropped = count;
        }
    };
    // 500 flows that were started and ended so many milliseconds after they were due.
    let lag = |ms, took| {
        move |run: &mut RunFile| {
            run.flows = Measurements::default();
            (0..500).for_each(|_| record(run, FlowEnd::Succeeded, ms, took));
        }
    };
    for (run, exit, reason) in [
        (with(drop(10)), Exit::Pass, ""),
        (
            with(drop(11)),
            Exit::Invalid,
            "the load tester dropped 0.11 % of the flows",
        ),
        // A tenth is too much once it counts as late, and what counts as late is once it is a tenth.
        (with(lag(99, 1000)), Exit::Pass, ""),
        (with(lag(5, 6)), Exit::Pass, ""),
        (with(lag(6, 100)), Exit::Pass, ""),
        (
            with(lag(6, 50)),
            Exit::Invalid,
            "the load tester's own delay was 6.0 ms at p99, 12 % of the time end to end: more than 5 ms and 10 %",
        ),
        (
            with(lag(120, 1000)),
            Exit::Invalid,
            "the load tester's own delay was 120.0 ms at p99, 12 % of the time",
        ),
        (with(|run| run.generator.cpu = Some(0.85)), Exit::Pass, ""),
        (with(|run| run.generator.cpu = None), Exit::Pass, ""),
        (
            with(|run| run.generator.cpu = Some(0.9)),
            Exit::Invalid,
            "the load tester's threads were 90 % busy",
        ),
        (
            with(|run| run.late_seconds = Some(1.25)),
            Exit::Invalid,
            "the load tester was ready 1.25 s after --start-at: give it a later one",
        ),
        (
            with(|run| run.shards = Shards::from("1/4".parse::<Shard>().unwrap())),
            Exit::Invalid,
            "shards 0, 2, 3 are missing",
        ),
    ] {
        for thresholds in ["", "e2e.p99 = '< 1ms'"] {
            let exit = if exit == Exit::Pass && !thresholds.is_empty() {
                Exit::Failed
            } else {
                exit
            };
            let (got, why) = judged(&run, thresholds);
            assert_eq!(got, exit, "{reason}: {why}");
            assert!(why.starts_with(reason), "{why}");
        }
    }
    // Where most flows failed, their time is what there is to compare with.
    let most_failed = |ms| {
        with(|run| {
            run.flows = Measurements::default();
            (0..10).for_each(|_| record(run, failed(FailureKind::ReadTimeout), ms, 100));
            record(run, FlowEnd::Succeeded, ms, 100);
        })
    };
    assert_eq!(judged(&most_failed(50), "").0, Exit::Invalid);
    assert_eq!(judged(&most_failed(5), "").0, Exit::Failed);
    // Users of a closed model are never late.
    let closed = with(|run| {
        lag(500, 1000)(run);
        run.setup.load = Load::closed(8);
    });
    assert_eq!(judged(&closed, "").0, Exit::Pass);
}

#[test]
fn what_ended_a_run_early_decides() {
    let stopped = |planned| {
        Some(Stopped {
            reason: "interrupted".to_owned(),
            planned,
        })
    };
    let early = with(|run| {
        run.stopped = stopped(false);
        run.generator.cpu = Some(1.0);
    });
    assert_eq!(
        judged(&early, "e2e.p99 = '< 1ms'"),
        (Exit::Stopped, "interrupted, after 2.0 s".to_owned())
    );
    // A limit that was reached is the end that was asked for.
    assert_eq!(judged(&with(|run| run.stopped = stopped(true)), "").0, Exit::Pass);
}

#[test]
fn target_that_was_never_reached_decides() {
    use FailureKind::{Api, Connect, ConnectTimeout};
    for (kinds, exit) in [
        (&[Connect, ConnectTimeout][..], Exit::Unreachable),
        (&[Connect, Api(1)], Exit::Failed),
        (&[], Exit::Failed),
    ] {
        let mut run = sample_run();
        kinds.iter().for_each(|kind| add(&mut run, failed(*kind), 1));
        assert_eq!(judged(&run, "").0, exit, "{kinds:?}");
        run.stopped = Some(Stopped {
            reason: "5 of the last 5 flows failed".to_owned(),
            planned: false,
        });
        if exit == Exit::Unreachable {
            assert_eq!(judged(&run, "").0, exit, "the more telling of the two");
        }
    }
    let connected_once = with(|run| add(run, failed(Connect), 1));
    assert_eq!(judged(&connected_once, "").0, Exit::Failed);
}

#[test]
fn last_flows_do_not_make_a_run_slower() {
    let mut run = run();
    run.counters.finished = 500;
    run.series = (0..2)
        .map(|at| {
            let mut second = Second::default();
            (second.at, second.finished) = (at, 49);
            second
        })
        .collect();
    // Two flows took three seconds more.
    run.seconds = 5.0;
    for (thresholds, exit) in [
        ("throughput = '= 49/s'", Exit::Pass),
        ("sms.throughput = '>= 49/s'", Exit::Pass),
        ("throughput = '> 49/s'", Exit::Failed),
    ] {
        assert_eq!(judged(&run, thresholds).0, exit, "{thresholds}");
    }
}

#[test]
fn checks_say_what_was_measured() {
    let thresholds = "e2e.max = '< 2s'\ne2e.p99 = '< 5s'\ncb-in.p99 = '< 1s'\nlag.p50 = '< 1ms'";
    let verdict = Verdict::judge(&run_of(90), &thresholds.parse().unwrap());
    let mut checks: Vec<_> = verdict
        .checks
        .iter()
        .map(|check| {
            (
                check.metric.as_str(),
                check.limit.as_str(),
                check.measured.as_str(),
                check.result,
            )
        })
        .collect();
    checks.sort_unstable();
    assert_eq!(
        checks,
        [
            ("cb-in.p99", "< 1000 ms", "not measured", CheckResult::NotMeasured),
            ("e2e.max", "< 2000 ms", "1000 ms", CheckResult::Passed),
            (
                "e2e.p99",
                "< 5000 ms",
                "90 of 500 samples needed",
                CheckResult::NotJudged
            ),
            ("lag.p50", "< 1 ms", "1 ms", CheckResult::Failed),
        ]
    );
}
