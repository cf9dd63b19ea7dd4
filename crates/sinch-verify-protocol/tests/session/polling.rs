//! When a session polls, and what ends the polling.

use std::time::Duration;

use sinch_verify_protocol::session::{AskBy, Failure, Ignored, Plan, Progress, RequestFailure};

use crate::run::*;

fn polled(start: i64, stop: i64, interval: i64) -> String {
    format!(
        r#"{{"id":"c1","method":"callout","callout":{{"startPollingAfter":{start},"stopPollingAfter":{stop},"pollingInterval":{interval}}}}}"#
    )
}

/// Polls to the end, each answered `PENDING` at once: the seconds of the polls.
fn all_polls(body: &str, answered_ms: u64) -> Vec<u64> {
    let plan = Plan::new(callout()).deadline(Duration::from_secs(100_000));
    let mut run = Run::new(plan);
    run.give(sinch_verify_protocol::session::Input::Begin);
    run.at(answered_ms).reply(START, 200, body);
    let mut polls = Vec::new();
    loop {
        if run.open.iter().any(|(_, request)| request.name() == STATUS) {
            polls.push(run.now.as_secs());
            run.reply(STATUS, 200, PENDING);
            continue;
        }
        let Some(at) = run.session.next_deadline() else {
            break;
        };
        run.tick(u64::try_from(at.as_millis()).unwrap());
    }
    assert_eq!(run.failure(), &Failure::TimedOut);
    polls
}

#[test]
fn polls_are_sent_at_the_slots_of_the_schedule() {
    let rows: &[([i64; 3], u64, &[u64])] = &[
        ([3, 30, 3], 0, &[3, 6, 9, 12, 15, 18, 21, 24, 27, 30]),
        ([10, 30, 3], 0, &[10, 13, 16, 19, 22, 25, 28]),
        ([0, 0, 1], 0, &[0]),
        ([5, 3, 1], 0, &[3]),
        ([3, 6, 0], 0, &[3, 4, 5, 6]),
        ([3, 30, 100], 0, &[3]),
        ([3, 30, 3], 10_000, &[12, 15, 18, 21, 24, 27, 30]),
        ([-5, 2, 1], 0, &[0, 1, 2]),
    ];
    for ([start, stop, interval], answered, expected) in rows {
        let body = polled(*start, *stop, *interval);
        assert_eq!(all_polls(&body, *answered), *expected, "{body}");
    }
    // An answer after the whole window leaves one question.
    assert_eq!(all_polls(&polled(3, 6, 3), 9_000), [9]);
    let far = polled(i64::MAX, i64::MAX, i64::MAX);
    let run = Run::started(callout(), &far, 0);
    assert_eq!(run.session.next_deadline(), Some(Duration::from_secs(600)));
}

#[test]
fn without_a_schedule_nothing_is_polled() {
    let mut run = Run::started(callout(), CALLOUT, 0);
    assert_eq!(run.session.next_deadline(), Some(Duration::from_secs(600)));
    assert_eq!(run.give(typed("4821")).sends(), [REPORT]);
}

#[test]
fn there_are_never_two_polls_at_once() {
    let mut run = Run::started(callout(), POLLED, 0);
    assert_eq!(run.tick(3_000).sends(), [STATUS]);
    assert!(run.tick(6_000).0.is_empty());
    assert!(run.tick(9_000).0.is_empty());
    run.at(10_000).reply(STATUS, 200, PENDING);
    assert_eq!(run.session.next_deadline(), Some(Duration::from_secs(12)));
}

#[test]
fn a_failed_poll_is_followed_by_the_next_slot() {
    for (status, retry_after, next) in [
        (503, None, 9),
        (404, None, 9),
        (429, None, 9),
        (429, Some(10), 18),
    ] {
        let mut run = Run::started(callout(), POLLED, 0);
        run.tick(6_000);
        run.reply_with(STATUS, status, "", retry_after);
        assert_eq!(run.session.next_deadline(), Some(Duration::from_secs(next)));
    }
    let mut run = Run::started(callout(), POLLED, 0);
    run.tick(6_000);
    run.break_off(STATUS, RequestFailure::Lost);
    assert_eq!(run.session.next_deadline(), Some(Duration::from_secs(9)));
    // Woken late, one poll stands for the slots that went by, also when its answer comes at once.
    let mut run = Run::started(callout(), POLLED, 0);
    assert_eq!(run.tick(12_000).sends(), [STATUS]);
    assert!(run.reply(STATUS, 200, PENDING).requests().is_empty());
    assert_eq!(run.session.next_deadline(), Some(Duration::from_secs(15)));
    // Past the window there is nothing to wait for.
    let mut run = Run::started(callout(), POLLED, 0);
    run.tick(6_000);
    run.reply_with(STATUS, 429, "", Some(60));
    assert_eq!(run.failure(), &Failure::TimedOut);
}

/// The number's latest verification is another one: its end is not ours, which may still come.
#[test]
fn by_number_the_end_of_another_verification_is_passed_over() {
    let plan = Plan::new(callout()).ask_by(AskBy::Number);
    let mut run = Run::planned(plan, POLLED, 0);
    for (id, status) in [("b1", "SUCCESSFUL"), ("b1", "FAIL"), ("c1", "SUCCESSFUL")] {
        assert!(run.session.ending().is_none());
        let next = u64::try_from(run.session.next_deadline().unwrap().as_millis()).unwrap();
        run.tick(next);
        let body = format!(r#"{{"id":"{id}","status":"{status}"}}"#);
        run.reply("status_by_number", 200, &body);
    }
    assert!(run.is_verified());
}

#[test]
fn a_final_state_ends_the_polling() {
    for status in ["SUCCESSFUL", "successful", "Successful"] {
        let mut run = Run::started(callout(), POLLED, 0);
        run.tick(12_000);
        run.reply(STATUS, 200, &format!(r#"{{"id":"c1","status":"{status}"}}"#));
        assert!(run.is_verified(), "{status}");
        assert_eq!(run.session.next_deadline(), None);
    }
    for status in ["FAIL", "failed", "Denied", "ABORTED", "error"] {
        let mut run = Run::started(callout(), POLLED, 0);
        run.tick(12_000);
        run.reply(STATUS, 200, &format!(r#"{{"id":"c1","status":"{status}"}}"#));
        assert!(
            matches!(run.failure(), Failure::NotVerified(_) | Failure::Denied { .. }),
            "{status}"
        );
    }
}

#[test]
fn pending_to_the_last_poll_is_timed_out() {
    let mut run = Run::started(callout(), POLLED, 0);
    run.tick(30_000);
    let said = run.reply(STATUS, 200, PENDING);
    assert!(said.has(&Progress::PollingEnded));
    assert_eq!(run.failure(), &Failure::TimedOut);
    // With a next method that one has its turn.
    let mut run = Run::planned(Plan::new(callout()).then(sms()), POLLED, 0);
    run.tick(30_000);
    assert_eq!(run.reply(STATUS, 200, PENDING).sends(), [START]);
    // And a plan may leave the last one open for typing.
    let mut run = Run::planned(Plan::new(callout()).wait_after_polling(true), POLLED, 0);
    run.tick(30_000);
    run.reply(STATUS, 200, PENDING);
    assert_eq!(run.at(50_000).give(typed("4821")).sends(), [REPORT]);
}

#[test]
fn a_code_may_be_typed_while_polling() {
    let mut run = Run::started(callout(), POLLED, 0);
    run.tick(3_000);
    assert_eq!(run.at(4_000).give(typed("4821")).sends(), [REPORT]);
    assert_eq!(run.session.in_flight().len(), 2);
    // The poll sees the success first; the report's answer comes too late to count.
    run.reply(STATUS, 200, SUCCESSFUL);
    assert!(run.is_verified());
    let late = run.reply(REPORT, 400, WRONG);
    assert_eq!(late.ignored(), Some(Ignored::Over));
}

#[test]
fn a_poll_that_ends_the_method_waits_for_the_report() {
    let mut run = Run::planned(Plan::new(callout()).then(sms()), POLLED, 0);
    run.tick(3_000);
    run.give(typed("4821"));
    let expired = r#"{"id":"c1","status":"FAIL","reason":"Expired"}"#;
    assert!(run.reply(STATUS, 200, expired).requests().is_empty());
    assert_eq!(run.reply(REPORT, 400, WRONG).sends(), [START]);
}
