use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::*;
use crate::model::{
    Failure, FailureKind, FlowEnd, FlowRecord, Load, Rate, ScenarioName, Setup, Shard, Shards, StepKind,
    StepName, StepTime,
};
use crate::recorder::{Counted, Recorder};
use crate::runfile::{Stopped, sample_run};
use crate::verdict::{Exit, Thresholds, Verdict};

/// One flow of a run: which second it is in, how late it was, how long it took, how it ended.
type Sketch = (u64, u64, u64, u8);

fn sketches() -> impl Strategy<Value = Vec<Sketch>> {
    prop::collection::vec((0..3_u64, 0..20_000_u64, 0..5_000_000_u64, 0..10_u8), 1..60)
}

fn setup() -> Setup {
    let mut setup = sample_run().setup;
    setup.warm_up_seconds = 1.0;
    setup.load = Load::Open {
        rate: Rate::Poisson { per_second: 20.0 },
        users: 16,
    };
    setup
}

/// Counts the flows at these places of all, second by second.
fn count(origin: Instant, all: &[Sketch], mine: impl Fn(usize) -> bool) -> Counted {
    let recorder = Recorder::new(&setup(), Shard::WHOLE);
    recorder.open(origin);
    for second in 0..3 {
        for (index, (at, lag, took, end)) in all.iter().enumerate() {
            if *at == second && mine(index) {
                record(&recorder, *at, *lag, *took, *end);
            }
        }
        recorder.tick(None);
    }
    recorder.counted()
}

fn record(recorder: &Recorder, at: u64, lag: u64, took: u64, end: u8) {
    let due = Duration::from_secs(at);
    recorder.scheduled(due);
    if end == 0 {
        recorder.dropped(due);
        return;
    }
    let started = due + Duration::from_micros(lag);
    let ended = started + Duration::from_micros(took);
    let end = match end {
        1 => FlowEnd::Aborted,
        2 => FlowEnd::Failed(Failure::new(FailureKind::Http(503), "")),
        3 => FlowEnd::Failed(Failure::new(FailureKind::ReadTimeout, "")),
        _ => FlowEnd::Succeeded,
    };
    let scenario = if took.is_multiple_of(2) { "sms" } else { "callout" };
    let step = |step, part, answered| StepTime {
        step,
        took: Duration::from_micros(took / part),
        kind: StepKind::Request,
        answered,
    };
    let record = FlowRecord {
        scenario: ScenarioName::new(scenario).unwrap(),
        steps: vec![
            step(StepName::START, 2, true),
            step(StepName::REPORT, 3, !took.is_multiple_of(3)),
        ],
        ..FlowRecord::sample(due, started, ended, end)
    };
    recorder.begin(record.arrival, started);
    recorder.end(&record);
}

fn file(counted: Counted, shards: Shards) -> RunFile {
    RunFile {
        setup: setup(),
        shards,
        counters: counted.counters,
        warm_up: counted.warm_up,
        flows: counted.flows,
        series: counted.series,
        ..sample_run()
    }
}

fn shard(index: usize, of: usize) -> Shards {
    Shards {
        of,
        present: vec![index],
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// What shards counted apart adds up, bit for bit, to what one machine counts: in memory, and as
    /// the text of the file.
    #[test]
    fn shards_add_up_bit_for_bit(all in sketches(), of in 1_usize..5, first in 0_usize..5) {
        let origin = Instant::now();
        let whole = count(origin, &all, |_| true);
        let shards = (0..of)
            // In any order, and by way of their files.
            .map(|number| (number + first) % of)
            .map(|index| file(count(origin, &all, |place| place % of == index), shard(index, of)))
            .map(|file| RunFile::from_json(&file.to_json().unwrap()).unwrap())
            .collect();
        let merged = RunFile::merge(shards).unwrap();
        let all_of_them = Shards { of, present: (0..of).collect() };
        let mut expected = file(whole, all_of_them);
        expected.generator = merged.generator.clone();
        prop_assert_eq!(&merged.flows, &expected.flows);
        prop_assert_eq!(merged.to_json().unwrap(), expected.to_json().unwrap());
    }
}

fn shards_of(run: &RunFile, of: usize) -> Vec<RunFile> {
    (0..of)
        .map(|index| RunFile {
            shards: shard(index, of),
            ..run.clone()
        })
        .collect()
}

#[test]
fn missing_shard_makes_a_run_invalid() {
    let mut files = shards_of(&sample_run(), 3);
    files.remove(1);
    let merged = RunFile::merge(files).unwrap();
    assert_eq!(merged.shards.missing(), [1]);
    let verdict = Verdict::judge(&merged, &Thresholds::default());
    assert_eq!(verdict.exit, Exit::Invalid);
    assert!(verdict.reasons[0].contains('1'), "{:?}", verdict.reasons);
}

#[test]
fn what_does_not_belong_is_told() {
    let files = shards_of(&sample_run(), 3);
    assert_eq!(RunFile::merge(Vec::new()).unwrap_err().why, Misfit::Nothing);

    let mut twice = files.clone();
    twice[2] = twice[0].clone();
    let error = RunFile::merge(twice).unwrap_err();
    assert_eq!(error.at, 2);
    assert_eq!(error.why, Misfit::Twice { shard: 0 });

    let mut foreign = files.clone();
    foreign[1].run = "ffffffffffffffff".parse().unwrap();
    let error = RunFile::merge(foreign).unwrap_err();
    assert_eq!(error.at, 1);
    assert!(
        error
            .to_string()
            .starts_with("merge file 2: it is of run ffffffffffffffff"),
        "{error}"
    );

    let mut other_number = files;
    other_number[1].shards.of = 4;
    let error = RunFile::merge(other_number).unwrap_err();
    assert!(matches!(error.why, Misfit::Foreign { .. }));
}

#[test]
fn busiest_machine_and_worst_end_count() {
    let mut files = shards_of(&sample_run(), 3);
    for (file, cpu) in files.iter_mut().zip([0.5, 0.9, 0.1]) {
        file.generator.cpu = Some(cpu);
        file.generator.in_flight_max = 7;
        file.seconds = 10.0 * cpu;
    }
    // One in time, after one that was late and before one that was later.
    for (index, late, began) in [(0, 1.5, "06:00:01.5"), (2, 2.0, "06:00:02")] {
        files[index].late_seconds = Some(late);
        files[index].started_at = format!("2026-11-24T{began}Z");
    }
    let stopped = |reason: &str, planned| Stopped {
        reason: reason.to_owned(),
        planned,
    };
    files[0].stopped = Some(stopped("a limit", true));
    files[2].stopped = Some(stopped("an interruption", false));
    let merged = RunFile::merge(files).unwrap();
    assert_eq!(merged.generator.cpu, Some(0.9));
    assert_eq!(merged.generator.in_flight_max, 21);
    assert_eq!(merged.seconds, 9.0);
    assert_eq!(merged.late_seconds, Some(2.0));
    assert_eq!(merged.started_at, "2026-11-24T06:00:00Z");
    assert_eq!(merged.stopped, Some(stopped("an interruption", false)));
}
