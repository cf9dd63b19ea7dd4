use super::*;
use crate::model::{Failure, FailureKind, Rate, StepName, sample_setup};

fn recorder(load: Load, shard: Shard) -> Recorder {
    let mut setup = sample_setup();
    setup.load = load;
    setup.duration_seconds = 10.0;
    setup.warm_up_seconds = 2.0;
    Recorder::new(&setup, shard)
}

fn open_model() -> Recorder {
    let rate = Rate::Constant { per_second: 10.0 };
    recorder(Load::Open { rate, users: 4 }, Shard::WHOLE)
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// One flow that was due, started and ended at these milliseconds after the beginning.
fn flow(recorder: &Recorder, due: u64, started: u64, ended: u64, end: FlowEnd) {
    let arrival = Arrival {
        index: due,
        at: Some(ms(due)),
    };
    recorder.scheduled(ms(due));
    recorder.begin(arrival, ms(started));
    recorder.end(&FlowRecord::sample(ms(due), ms(started), ms(ended), end));
}

#[test]
fn nothing_is_lost_between_warm_up_and_the_rest() {
    let recorder = open_model();
    recorder.open(Instant::now());
    let failed = || FlowEnd::Failed(Failure::new(FailureKind::Reset, ""));
    flow(&recorder, 0, 1, 10, FlowEnd::Succeeded);
    flow(&recorder, 1999, 2100, 2200, failed());
    flow(&recorder, 2000, 2005, 2050, FlowEnd::Succeeded);
    flow(&recorder, 2100, 2106, 2150, FlowEnd::Succeeded);
    flow(&recorder, 2200, 2200, 2300, failed());
    flow(&recorder, 9900, 9900, 9999, FlowEnd::Aborted);
    recorder.scheduled(ms(5000));
    recorder.dropped(ms(5000));

    let counted = recorder.counted();
    for counters in [counted.counters, counted.warm_up] {
        assert_eq!(counters.scheduled, counters.started + counters.dropped);
        assert_eq!(counters.started, counters.finished + counters.aborted);
    }
    let (rest, before) = (counted.counters, counted.warm_up);
    assert_eq!((before.scheduled, before.failed, before.late), (2, 1, 1));
    assert_eq!((rest.scheduled, rest.finished, rest.failed), (5, 3, 1));
    assert_eq!((rest.aborted, rest.dropped), (1, 1));
    assert_eq!(rest.late, 1, "5 ms are not late yet, 6 ms are");
    let total = counted.flows.total();
    assert_eq!(total.started(), 4, "the warm-up is in no figure");
    assert_eq!(total.time(StepName::END_TO_END).unwrap().max(), ms(50));
    assert_eq!(total.time(StepName::FROM_SEND).unwrap().max(), ms(45));
    assert_eq!(total.time(StepName::LAG).unwrap().max(), ms(6));
}

#[test]
fn seconds_add_up_to_the_whole() {
    let recorder = open_model();
    recorder.open(Instant::now());
    for second in 0..5_u64 {
        for number in 0..=second {
            let due = second * 1000 + number;
            flow(&recorder, due, due, due + 10 + second, FlowEnd::Succeeded);
        }
        recorder.tick(Some(0.5));
    }
    let last = recorder.snapshot().last;
    assert_eq!((last.at, last.finished), (4, 5), "the last that is over");
    recorder.callback(CallbackSeen::Taken, recorder.origin().unwrap() + ms(5500));
    let counted = recorder.counted();
    assert_eq!(counted.series.len(), 6, "the last one has begun");
    let finished: Vec<_> = counted.series.iter().map(|second| second.finished).collect();
    assert_eq!(finished, [1, 2, 3, 4, 5, 0]);
    assert_eq!(counted.series[4].at, 4);
    assert_eq!(counted.series[4].p99_us / 10, 1400, "to three digits");
    assert_eq!(counted.series[4].cpu, Some(0.5));
    assert_eq!(counted.series[5].callbacks, 1);
    assert_eq!(
        recorder.counted().series.len(),
        6,
        "looking closes nothing that is empty"
    );
}

#[test]
fn users_who_wait_schedule_what_they_start() {
    let recorder = recorder(Load::closed(2), Shard::WHOLE);
    recorder.open(Instant::now());
    for index in 0..2 {
        recorder.begin(Arrival { index, at: None }, ms(3000));
    }
    let counted = recorder.counted();
    assert_eq!((counted.counters.scheduled, counted.counters.started), (2, 2));
    assert_eq!(counted.in_flight_max, 2);
    let snapshot = recorder.snapshot();
    assert_eq!((snapshot.in_flight, snapshot.wanted), (2, 0.0));
}

#[test]
fn callbacks_are_counted_by_what_they_are() {
    let recorder = open_model();
    recorder.open(Instant::now());
    let at = recorder.origin().unwrap() + ms(2500);
    for seen in [
        CallbackSeen::Taken,
        CallbackSeen::Duplicate,
        CallbackSeen::Overdue,
        CallbackSeen::Orphan,
        CallbackSeen::Refused,
    ] {
        recorder.callback(seen, at);
    }
    let counters = recorder.counted().counters;
    assert_eq!(counters.callbacks, 4);
    assert_eq!(
        [
            counters.duplicates,
            counters.overdue,
            counters.orphans,
            counters.refused
        ],
        [1; 4]
    );
}

#[test]
fn phases_only_go_on() {
    let recorder = open_model();
    assert_eq!(recorder.phase(), Phase::Running);
    recorder.stop();
    recorder.close();
    assert_eq!(recorder.phase(), Phase::Stopped);
}

#[test]
fn ending_a_run_before_its_time_interrupts_it() {
    type Step = fn(&Recorder);
    let at = |steps: &[Step]| {
        let recorder = open_model();
        steps.iter().for_each(|step| step(&recorder));
        (recorder.phase(), recorder.is_interrupted())
    };
    let ask: Step = |recorder| {
        recorder.interrupt();
    };
    let (close, expire, stop): (Step, Step, Step) = (Recorder::close, Recorder::expire, Recorder::stop);
    // By itself.
    assert_eq!(at(&[close, expire]), (Phase::Stopped, false));
    // Asked for while flows are started, it is seen through, and asked for twice it is not.
    assert_eq!(at(&[ask]), (Phase::Draining, true));
    assert_eq!(at(&[ask, ask]), (Phase::Stopped, true));
    // Asked for while it is finishing, it still is.
    assert_eq!(at(&[close, ask]), (Phase::Draining, false));
    assert_eq!(at(&[close, ask, expire]), (Phase::Stopped, false));
    assert_eq!(at(&[close, ask, ask]), (Phase::Stopped, true));
    assert_eq!(at(&[close, stop]), (Phase::Stopped, true));
    // Too late to change anything.
    assert_eq!(at(&[close, expire, ask, stop]), (Phase::Stopped, false));
}

#[test]
fn shard_wants_its_part_of_the_rate() {
    let rate = Rate::Constant { per_second: 10.0 };
    let recorder = recorder(Load::Open { rate, users: 4 }, "0/4".parse().unwrap());
    recorder.open(Instant::now());
    assert_eq!(recorder.snapshot().wanted, 2.5, "a quarter of 10 in a second");
}
