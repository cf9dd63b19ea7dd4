use super::*;

const START: Idempotency = Idempotency::Never;
const REPORT: Idempotency = Idempotency::AskFirst;
const QUERY: Idempotency = Idempotency::Safe;

const CONNECT_REFUSED: Outcome = Outcome::NotSent;
const RESET_BEFORE_SENDING: Outcome = Outcome::NotSent;
const RESET_AFTER_SENDING: Outcome = Outcome::Lost;
const TIMEOUT: Outcome = Outcome::Lost;

fn refused(status: u16) -> Outcome {
    Outcome::Refused {
        status,
        code: None,
        retry_after: None,
    }
}

fn put_off(status: u16, seconds: u64) -> Outcome {
    Outcome::Refused {
        status,
        code: None,
        retry_after: Some(Duration::from_secs(seconds)),
    }
}

fn wrong_code() -> Outcome {
    Outcome::Refused {
        status: 400,
        code: Some(ApiError::NOT_PROCESSABLE),
        retry_after: None,
    }
}

fn found(certain: bool, pending: bool) -> Outcome {
    Outcome::Found { certain, pending }
}

/// What follows these outcomes, one after the other, by a letter each.
fn course(operation: Idempotency, outcomes: &[Outcome]) -> String {
    let policy = RetryPolicy::default();
    let mut history = History::new(operation);
    let letters = outcomes
        .iter()
        .map(|outcome| match policy.decide(&mut history, *outcome, 0) {
            Next::Done => 'd',
            Next::Send { .. } => 's',
            Next::Query { .. } => 'q',
            Next::Stop => '-',
        });
    letters.collect()
}

/// What follows an outcome of the first attempt, and of the third after two that never left.
#[test]
fn every_outcome_of_every_operation_has_one_decision() {
    for (outcome, first, last) in [
        // Start, report, query.
        (Outcome::Answered, "ddd", "ddd"),
        (CONNECT_REFUSED, "sss", "---"),
        (RESET_BEFORE_SENDING, "sss", "---"),
        (RESET_AFTER_SENDING, "qqs", "qq-"),
        (TIMEOUT, "qqs", "qq-"),
        (Outcome::Unreadable, "qq-", "qq-"),
        (Outcome::Unsendable, "---", "---"),
        (refused(302), "---", "---"),
        (refused(400), "---", "---"),
        (wrong_code(), "-d-", "-d-"),
        (refused(401), "---", "---"),
        (refused(403), "---", "---"),
        (refused(404), "---", "---"),
        (refused(408), "qqs", "qq-"),
        (refused(409), "---", "---"),
        (put_off(429, 1), "sss", "---"),
        (refused(429), "-ss", "---"),
        (refused(500), "qqs", "qq-"),
        // Asked to come back by an answer that does not say the request was not carried out.
        (put_off(500, 1), "qqs", "qq-"),
        (refused(503), "qqs", "qq-"),
        (put_off(503, 1), "sss", "---"),
    ] {
        let of_all = |before: &[Outcome]| -> String {
            let outcomes = [before, &[outcome]].concat();
            let last = |operation| course(operation, &outcomes).pop();
            [START, REPORT, QUERY].into_iter().filter_map(last).collect()
        };
        assert_eq!(of_all(&[]), first, "{outcome:?} at first");
        let never_left = [CONNECT_REFUSED, CONNECT_REFUSED];
        assert_eq!(of_all(&never_left), last, "{outcome:?} at last");
    }
}

#[test]
fn every_outcome_of_a_query_about_a_request_has_one_decision() {
    for (outcome, start, report) in [
        (found(true, true), 'd', 's'),
        (found(true, false), 'd', 'd'),
        // What may be another verification decides nothing, but while it is pending nothing was taken.
        (found(false, true), '-', 's'),
        (found(false, false), '-', '-'),
        (Outcome::NotFound, 'q', '-'),
        (refused(404), 'q', '-'),
        (CONNECT_REFUSED, 'q', 'q'),
        (TIMEOUT, 'q', 'q'),
        (refused(408), 'q', 'q'),
        (refused(429), 'q', 'q'),
        (put_off(503, 1), 'q', 'q'),
        (refused(500), 'q', 'q'),
        (Outcome::Unreadable, '-', '-'),
        (refused(401), '-', '-'),
        (refused(403), '-', '-'),
    ] {
        for (operation, expected) in [(START, start), (REPORT, report)] {
            let course = course(operation, &[TIMEOUT, outcome]);
            assert_eq!(
                course.chars().last(),
                Some(expected),
                "{operation:?}: {outcome:?}"
            );
        }
    }
}

#[test]
fn a_report_is_sent_again_only_while_its_status_is_pending() {
    let pending = found(true, true);
    let lost = [TIMEOUT, pending, TIMEOUT, pending, TIMEOUT, pending];
    assert_eq!(course(REPORT, &lost), "qsqsq-");
}

#[test]
fn a_refusal_decides_a_report_unless_an_earlier_answer_was_lost() {
    let pending = found(true, true);
    assert_eq!(course(REPORT, &[wrong_code()]), "d");
    // The service put it off, so it has not carried it out.
    assert_eq!(course(REPORT, &[put_off(429, 1), wrong_code()]), "sd");
    assert_eq!(course(REPORT, &[put_off(503, 1), wrong_code()]), "sd");
    assert_eq!(course(REPORT, &[refused(429), wrong_code()]), "sd");
    assert_eq!(course(REPORT, &[CONNECT_REFUSED, wrong_code()]), "sd");
    for loss in [TIMEOUT, refused(500), refused(408)] {
        let refused = [loss, pending, wrong_code()];
        assert_eq!(course(REPORT, &refused), "qsq", "{loss:?}");
        assert_eq!(
            course(REPORT, &[&refused[..], &[found(true, false)]].concat()),
            "qsqd"
        );
        // Neither was right, so it is not sent a third time.
        assert_eq!(course(REPORT, &[&refused[..], &[pending]].concat()), "qsqd");
    }
}

#[test]
fn a_report_that_arrived_is_not_sent_again() {
    assert_eq!(course(REPORT, &[Outcome::Unreadable, found(true, true)]), "qd");
}

#[test]
fn a_conflict_is_looked_into_only_after_an_earlier_sending() {
    assert_eq!(course(START, &[CONNECT_REFUSED, refused(409)]), "s-");
    for put_off in [put_off(429, 1), put_off(503, 1)] {
        assert_eq!(course(START, &[put_off, refused(409)]), "sq");
        // It is there, or will not come.
        assert_eq!(course(START, &[put_off, refused(409), refused(404)]), "sq-");
        // The last attempt never left, but one before it may have arrived.
        let offline = [put_off, CONNECT_REFUSED, CONNECT_REFUSED];
        assert_eq!(course(START, &offline), "ssq");
    }
}

#[test]
fn a_start_whose_answer_is_missing_is_never_sent_again() {
    let policy = RetryPolicy::default().attempts(u32::MAX);
    for outcome in [Outcome::Lost, Outcome::Unreadable, refused(504)] {
        for jitter in [0, u64::MAX] {
            for found in [found(true, true), found(false, true), Outcome::NotFound, TIMEOUT] {
                let mut history = History::new(START);
                let next = policy.decide(&mut history, outcome, jitter);
                assert!(matches!(next, Next::Query { .. }), "{next:?}");
                let next = policy.decide(&mut history, found, jitter);
                assert!(!matches!(next, Next::Send { .. }), "{next:?} after {found:?}");
            }
        }
    }
}

/// Whatever happens, in any order, requests add up: so many sendings, each with an answered query, and so
/// many queries that failed.
#[test]
fn requests_for_one_report_never_multiply() {
    let policy = RetryPolicy::default();
    let mut longest = 0;
    let mut courses = vec![(History::new(REPORT), 1)];
    while let Some((history, requests)) = courses.pop() {
        longest = longest.max(requests);
        let outcomes = match history.query {
            None => vec![
                CONNECT_REFUSED,
                TIMEOUT,
                refused(500),
                wrong_code(),
                put_off(429, 0),
            ],
            Some(_) => vec![found(true, true), TIMEOUT, refused(503), Outcome::NotFound],
        };
        for outcome in outcomes {
            let mut history = history.clone();
            if let Next::Send { .. } | Next::Query { .. } = policy.decide(&mut history, outcome, 0) {
                courses.push((history, requests + 1));
            }
        }
    }
    assert_eq!(longest, 3 + 3 + 2);
}

#[test]
fn an_unknown_start_is_queried_for_longer_than_the_service_may_take() {
    for attempts in [1, 3, 9] {
        let policy = RetryPolicy::default().attempts(attempts);
        let mut history = History::new(START);
        let mut next = policy.decide(&mut history, TIMEOUT, 0);
        let mut waited = Duration::ZERO;
        let mut queries = 0;
        while let Next::Query { wait } = next {
            waited += wait;
            queries += 1;
            next = policy.decide(&mut history, Outcome::NotFound, 0);
        }
        assert!(waited > Duration::from_secs(5), "{waited:?} with {attempts}");
        assert!((4..=9).contains(&queries), "{queries} with {attempts}");
    }
}

#[test]
fn never_sends_everything_once() {
    for outcome in [
        Outcome::NotSent,
        Outcome::Lost,
        put_off(503, 0),
        Outcome::Unreadable,
    ] {
        for operation in [START, REPORT, QUERY] {
            let mut history = History::new(operation);
            let next = RetryPolicy::never().decide(&mut history, outcome, 0);
            assert_eq!(next, Next::Stop, "{operation:?}: {outcome:?}");
        }
    }
}

#[test]
fn pauses_double_up_to_the_longest_and_keep_half() {
    let ms = Duration::from_millis;
    let policy = RetryPolicy::default().backoff(ms(100), ms(1000));
    for (attempt, whole) in [
        (1, 100),
        (2, 200),
        (4, 800),
        (5, 1000),
        (40, 1000),
        (u32::MAX, 1000),
    ] {
        assert_eq!(policy.pause(attempt, 0), ms(whole) / 2, "{attempt}");
        let most = policy.pause(attempt, u64::MAX);
        assert!(
            most <= ms(whole) && most > ms(whole) * 99 / 100,
            "{attempt}: {most:?}"
        );
    }
}

#[test]
fn the_time_that_the_service_asks_for_is_kept() {
    for jitter in [0, u64::MAX] {
        let mut history = History::new(START);
        let next = RetryPolicy::default().decide(&mut history, put_off(503, 7), jitter);
        let Next::Send { wait } = next else {
            panic!("{next:?}");
        };
        assert!(
            wait >= Duration::from_secs(7) && wait < Duration::from_secs(8),
            "{wait:?}"
        );
    }
}
