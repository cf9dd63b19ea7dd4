//! Callout polling: the table of edge cases and the properties of a schedule.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use proptest::prelude::*;
use sinch_verify_protocol::polling::{PollDecision, PollOutcome, PollSchedule};

const fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn slots_go_from_start_to_stop_by_the_interval() {
    let rows: &[([i64; 3], &[u64])] = &[
        ([3, 30, 3], &[3, 6, 9, 12, 15, 18, 21, 24, 27, 30]),
        ([10, 30, 3], &[10, 13, 16, 19, 22, 25, 28]),
        ([0, 0, 1], &[0]),
        ([5, 3, 1], &[3]),
        ([3, 6, 0], &[3, 4, 5, 6]),
        ([3, 6, -1], &[3, 4, 5, 6]),
        ([3, 30, 100], &[3]),
        ([-5, 2, 1], &[0, 1, 2]),
        ([-5, -1, 1], &[0]),
        ([2, -3, 1], &[0]),
    ];
    for ([start, stop, interval], expected) in rows {
        let schedule = PollSchedule::new(*start, *stop, *interval);
        let slots: Vec<u64> = schedule.slots().map(|slot| slot.as_secs()).collect();
        assert_eq!(slots, *expected, "{start} {stop} {interval}");
        assert_eq!(schedule.count(), slots.len() as u64);
        assert_eq!(Some(schedule.last()), schedule.slots().last());
    }
    assert_eq!(PollSchedule::new(3, 30, 0).count(), 28);
}

#[test]
fn missed_slots_are_skipped() {
    let schedule = PollSchedule::new(3, 30, 3);
    assert_eq!(schedule.next_after(at(0)), Some(at(3)));
    assert_eq!(schedule.next_after(at(10)), Some(at(12)));
    assert_eq!(schedule.next_after(at(12)), Some(at(12)));
    assert_eq!(schedule.next_after(at(30)), Some(at(30)));
    assert_eq!(schedule.next_after(at(30) + Duration::from_nanos(1)), None);
    assert_eq!(schedule.next_after_poll(at(6), at(13)), Some(at(15)));
    assert_eq!(
        schedule.next_after_poll(at(6), at(6)),
        Some(at(9)),
        "an instant answer"
    );
    assert_eq!(schedule.next_after_poll(at(30), at(30)), None);
}

#[test]
fn an_outcome_ends_the_polling_or_names_the_next_slot() {
    let schedule = PollSchedule::new(3, 30, 3);
    let limited = |seconds| PollOutcome::RateLimited {
        retry_after: Some(at(seconds)),
    };
    let rows = [
        (PollOutcome::Unavailable, 6, PollDecision::PollAt(at(9))),
        (
            PollOutcome::RateLimited { retry_after: None },
            6,
            PollDecision::PollAt(at(9)),
        ),
        (limited(1), 6, PollDecision::PollAt(at(9))),
        (limited(10), 6, PollDecision::PollAt(at(18))),
        (limited(60), 6, PollDecision::TimedOut),
        (PollOutcome::Status("SUCCESSFUL"), 12, PollDecision::Verified),
        (PollOutcome::Status("Successful"), 12, PollDecision::Verified),
        (PollOutcome::Status("FAIL"), 12, PollDecision::Failed),
        (PollOutcome::Status("denied"), 12, PollDecision::Failed),
        (PollOutcome::Status("Aborted"), 12, PollDecision::Failed),
        (PollOutcome::Status("ERROR"), 12, PollDecision::Failed),
        (PollOutcome::Status("SOMETHING_NEW"), 12, PollDecision::Failed),
        (PollOutcome::Refused, 12, PollDecision::Failed),
        (PollOutcome::Status("PENDING"), 27, PollDecision::PollAt(at(30))),
        (PollOutcome::Status("pending"), 30, PollDecision::TimedOut),
        (PollOutcome::Unavailable, 30, PollDecision::TimedOut),
        (PollOutcome::NotFound, 27, PollDecision::PollAt(at(30))),
        (PollOutcome::NotFound, 30, PollDecision::Unknown),
    ];
    for (outcome, polled, expected) in rows {
        let decision = schedule.decide(outcome, at(polled), at(polled));
        assert_eq!(decision, expected, "{outcome:?} at {polled} s");
    }
}

#[test]
fn extreme_values_saturate() {
    let max = i64::from(i32::MAX);
    assert_eq!(PollSchedule::new(max, max, max).count(), 1);
    let long = PollSchedule::new(i64::MIN, i64::MAX, i64::MIN);
    assert_eq!(long.count(), i64::MAX.unsigned_abs() + 1);
    assert_eq!(long.slots().next(), Some(at(0)));
    assert_eq!(long.last(), at(i64::MAX.unsigned_abs()));
    assert_eq!(long.next_after(Duration::MAX), None);
    assert_eq!(long.next_after_poll(Duration::MAX, Duration::MAX), None);
    let decision = long.decide(
        PollOutcome::RateLimited {
            retry_after: Some(Duration::MAX),
        },
        at(1),
        Duration::MAX,
    );
    assert_eq!(decision, PollDecision::TimedOut);
}

proptest! {
    #[test]
    fn slots_rise_within_the_window(
        start in 0i64..200, length in 0i64..200, interval in 1i64..50,
    ) {
        let stop = start + length;
        let schedule = PollSchedule::new(start, stop, interval);
        let slots: Vec<u64> = schedule.slots().map(|slot| slot.as_secs()).collect();
        prop_assert!(slots.windows(2).all(|pair| pair[0] < pair[1]));
        let window = start.unsigned_abs()..=stop.unsigned_abs();
        prop_assert!(slots.iter().all(|slot| window.contains(slot)));
        prop_assert_eq!(slots.len() as i64, length / interval + 1);
        prop_assert_eq!(schedule.slots().size_hint(), (slots.len(), Some(slots.len())));
    }

    #[test]
    fn next_is_the_first_slot_not_before(
        start in -20i64..60, stop in -20i64..100, interval in -2i64..20, millis in 0u64..120_000,
    ) {
        let schedule = PollSchedule::new(start, stop, interval);
        let elapsed = Duration::from_millis(millis);
        let expected = schedule.slots().find(|slot| *slot >= elapsed);
        prop_assert_eq!(schedule.next_after(elapsed), expected);
        for polled in schedule.slots() {
            let expected = schedule.slots().find(|slot| *slot >= elapsed && *slot > polled);
            prop_assert_eq!(schedule.next_after_poll(polled, elapsed), expected);
        }
    }

    #[test]
    fn never_panics(
        start in any::<i64>(), stop in any::<i64>(), interval in any::<i64>(),
        seconds in any::<u64>(), nanos in 0u32..1_000_000_000,
    ) {
        let schedule = PollSchedule::new(start, stop, interval);
        let elapsed = Duration::new(seconds, nanos);
        if let Some(slot) = schedule.next_after(elapsed) {
            prop_assert!(slot >= elapsed && slot <= schedule.last());
        }
        let last = schedule.last();
        prop_assert_eq!(schedule.next_after(last), Some(last));
        prop_assert_eq!(schedule.slots().take(3).count() as u64, schedule.count().min(3));
    }
}
