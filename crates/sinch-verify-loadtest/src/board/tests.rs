use super::*;
use crate::arrivals::Rate;
use crate::failure::{Failure, FailureKind};
use crate::flows::Flow;
use crate::measure::{Interval, Span};
use crate::run::Options;
use crate::scenario::Scenario;

fn board(load: Load) -> Board {
    let mut options = Options::new(Scenario::Only(Flow::SMS), Duration::from_secs(10));
    options.load = load;
    options.warm_up = Duration::from_secs(2);
    Board::new(&options.setup(0))
}

fn open_model() -> Board {
    board(Load::Open {
        rate: Rate::Constant { per_second: 10.0 },
        users: 4,
    })
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// One flow that was due, started and ended at these milliseconds after the beginning.
fn flow(board: &Board, due: u64, started: u64, ended: u64, end: FlowEnd) {
    let at = |time| board.origin().unwrap() + ms(time);
    let span = Span {
        due: Some(at(due)),
        started: at(started),
        ended: at(ended),
    };
    board.scheduled(at(due));
    board.begin(span.due, span.started);
    board.end(&FlowRecord::new(Flow::SMS, end, span, Vec::new()));
}

#[test]
fn nothing_is_lost_between_warm_up_and_the_rest() {
    let board = open_model();
    board.open(Instant::now());
    let failed = || FlowEnd::Failed(Failure::new(FailureKind::Reset, ""));
    flow(&board, 0, 1, 10, FlowEnd::Succeeded);
    flow(&board, 1999, 2100, 2200, failed());
    flow(&board, 2000, 2005, 2050, FlowEnd::Succeeded);
    flow(&board, 2100, 2106, 2150, FlowEnd::Succeeded);
    flow(&board, 2200, 2200, 2300, failed());
    flow(&board, 9900, 9900, 9999, FlowEnd::Aborted);
    let dropped = board.origin().unwrap() + ms(5000);
    board.scheduled(dropped);
    board.dropped(dropped);

    let counted = board.counted();
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
    assert_eq!(total.time(Interval::EndToEnd).unwrap().max(), ms(50));
    assert_eq!(total.time(Interval::FromSend).unwrap().max(), ms(45));
    assert_eq!(total.time(Interval::Lag).unwrap().max(), ms(6));
}

#[test]
fn seconds_add_up_to_the_whole() {
    let board = open_model();
    board.open(Instant::now());
    for second in 0..5_u64 {
        for number in 0..=second {
            let due = second * 1000 + number;
            flow(&board, due, due, due + 10 + second, FlowEnd::Succeeded);
        }
        board.tick(Some(0.5));
    }
    let last = board.snapshot().last;
    assert_eq!((last.at, last.finished), (4, 5), "the last that is over");
    board.callback(CallbackSeen::Taken, board.origin().unwrap() + ms(5500));
    let counted = board.counted();
    assert_eq!(counted.series.len(), 6, "the last one has begun");
    let finished: Vec<_> = counted.series.iter().map(|second| second.finished).collect();
    assert_eq!(finished, [1, 2, 3, 4, 5, 0]);
    assert_eq!(counted.series[4].at, 4);
    assert_eq!(counted.series[4].p99_us / 10, 1400, "to three digits");
    assert_eq!(counted.series[4].cpu, Some(0.5));
    assert_eq!(counted.series[5].callbacks, 1);
    assert_eq!(
        board.counted().series.len(),
        6,
        "looking closes nothing that is empty"
    );
}

#[test]
fn users_who_wait_schedule_what_they_start() {
    let board = board(Load::closed(2));
    let origin = Instant::now();
    board.open(origin);
    board.begin(None, origin + ms(3000));
    board.begin(None, origin + ms(3000));
    let counted = board.counted();
    assert_eq!((counted.counters.scheduled, counted.counters.started), (2, 2));
    assert_eq!(counted.in_flight_max, 2);
    let snapshot = board.snapshot();
    assert_eq!((snapshot.in_flight, snapshot.wanted), (2, 0.0));
}

#[test]
fn callbacks_are_counted_by_what_they_are() {
    let board = open_model();
    board.open(Instant::now());
    let at = board.origin().unwrap() + ms(2500);
    for seen in [
        CallbackSeen::Taken,
        CallbackSeen::Duplicate,
        CallbackSeen::Overdue,
        CallbackSeen::Orphan,
        CallbackSeen::Refused,
    ] {
        board.callback(seen, at);
    }
    let counters = board.counted().counters;
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
    let board = open_model();
    assert_eq!(board.phase(), Phase::Running);
    board.stop();
    board.close();
    assert_eq!(board.phase(), Phase::Stopped);
}

#[test]
fn who_ends_a_run_before_its_time_interrupts_it() {
    type Step = fn(&Board);
    let at = |steps: &[Step]| {
        let board = open_model();
        steps.iter().for_each(|step| step(&board));
        (board.phase(), board.is_interrupted())
    };
    let ask: Step = |board| {
        board.interrupt();
    };
    let (close, expire, stop): (Step, Step, Step) = (Board::close, Board::expire, Board::stop);
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
    let board = open_model().of_shard("0/4".parse().unwrap());
    board.open(Instant::now());
    assert_eq!(board.snapshot().wanted, 2.5, "a quarter of 10 in a second");
}
