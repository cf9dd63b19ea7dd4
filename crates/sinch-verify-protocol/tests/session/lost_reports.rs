//! What follows a report whose answer never came.

use std::time::Duration;

use sinch_verify_protocol::retry::RetryPolicy;
use sinch_verify_protocol::session::{
    AskBy, Failure, Ignored, Input, Plan, Progress, Request, RequestFailure, StatusQuery,
};

use sinch_verify_protocol::{Method, Started, WireObject as _};

use crate::run::*;

fn reporting() -> Run {
    let mut run = Run::started(sms(), SMS, 0);
    assert_eq!(run.at(1_000).give(typed("4821")).sends(), [REPORT]);
    run
}

#[test]
fn a_lost_report_that_arrived_is_not_sent_again() {
    let mut run = reporting();
    let said = run.break_off(REPORT, RequestFailure::Lost);
    assert!(said.has(&Progress::ReportLost));
    assert!(
        said.requests().is_empty(),
        "the service may still be at work on it"
    );
    assert_eq!(run.due().sends(), [STATUS]);
    assert!(run.reply(STATUS, 200, SUCCESSFUL).requests().is_empty());
    assert!(run.is_verified());
}

#[test]
fn it_is_sent_again_only_while_pending_and_not_for_ever() {
    let mut run = reporting();
    for _ in 0..2 {
        run.break_off(REPORT, RequestFailure::Lost);
        assert_eq!(run.due().sends(), [STATUS]);
        assert_eq!(run.reply(STATUS, 200, PENDING).sends(), [REPORT]);
    }
    run.break_off(REPORT, RequestFailure::Lost);
    run.due();
    let said = run.reply(STATUS, 200, PENDING);
    assert!(said.has(&Progress::ReportUnsettled));
    assert!(said.requests().is_empty());
    assert_eq!(run.session.attempts_left(), 3, "no answer refused it");
    assert_eq!(run.give(typed("4821")).sends(), [REPORT]);
}

#[test]
fn a_refusal_after_a_lost_report_may_mean_success() {
    let mut run = reporting();
    run.break_off(REPORT, RequestFailure::Lost);
    run.due();
    run.reply(STATUS, 200, PENDING);
    // The first one arrived after the query; the second finds an ended verification.
    assert!(run.reply(REPORT, 400, WRONG).requests().is_empty());
    assert_eq!(run.due().sends(), [STATUS]);
    run.reply(STATUS, 200, SUCCESSFUL);
    assert!(run.is_verified());
}

/// The lost report of one code may be why the next one is refused.
#[test]
fn the_doubt_about_one_code_outlives_it() {
    let mut run = reporting();
    run.break_off(REPORT, RequestFailure::Lost);
    for _ in 0..3 {
        run.due();
        run.break_off(STATUS, RequestFailure::Lost);
    }
    assert_eq!(run.give(typed("9999")).sends(), [REPORT]);
    run.reply(REPORT, 400, WRONG);
    assert_eq!(run.due().sends(), [STATUS]);
    run.reply(STATUS, 200, SUCCESSFUL);
    assert!(run.is_verified());
}

#[test]
fn a_refusal_of_the_first_sending_is_not_looked_into() {
    for put_off in [
        None,
        Some((429, Some(1))),
        Some((503, Some(1))),
        Some((429, None)),
    ] {
        let mut run = reporting();
        if let Some((status, retry_after)) = put_off {
            run.reply_with(REPORT, status, "", retry_after);
            assert_eq!(run.due().sends(), [REPORT], "the service has not carried it out");
        }
        let said = run.reply(REPORT, 400, WRONG);
        assert!(said.has(&Progress::Refused { attempts_left: 2 }));
        assert!(said.requests().is_empty());
        assert_eq!(run.session.next_deadline(), Some(Duration::from_secs(120)));
    }
}

#[test]
fn the_query_is_tried_again_with_pauses() {
    let mut run = reporting();
    run.break_off(REPORT, RequestFailure::Lost);
    assert_eq!(run.due().sends(), [STATUS]);
    assert!(run.break_off(STATUS, RequestFailure::NotSent).0.is_empty());
    assert_eq!(run.due().sends(), [STATUS]);
    let before = run.now;
    run.reply_with(STATUS, 503, "", Some(7));
    assert_eq!(run.due().sends(), [STATUS]);
    assert_eq!(run.now - before, Duration::from_secs(7));
    let said = run.break_off(STATUS, RequestFailure::Lost);
    assert!(said.has(&Progress::ReportUnsettled));
    assert_eq!(run.give(typed("4822")).sends(), [REPORT]);
}

#[test]
fn a_report_that_never_left_is_sent_again_without_a_query() {
    let mut run = reporting();
    for _ in 0..2 {
        assert!(run.break_off(REPORT, RequestFailure::NotSent).0.is_empty());
        assert_eq!(run.due().sends(), [REPORT]);
    }
    let said = run.break_off(REPORT, RequestFailure::NotSent);
    assert!(said.has(&Progress::ReportUnsettled));
}

#[test]
fn what_cannot_be_sent_is_not_tried_again() {
    let mut run = reporting();
    run.break_off(REPORT, RequestFailure::Unsendable);
    let may_have_been_sent = false;
    assert_eq!(run.failure(), &Failure::Unreachable { may_have_been_sent });
}

#[test]
fn server_trouble_is_settled_by_a_query_too() {
    for status in [408, 500, 503] {
        let mut run = reporting();
        assert!(run.reply(REPORT, status, "").requests().is_empty());
        assert_eq!(run.due().sends(), [STATUS]);
        assert_eq!(run.reply(STATUS, 200, PENDING).sends(), [REPORT]);
        run.reply(REPORT, 200, SUCCESSFUL);
        assert!(run.is_verified());
    }
}

#[test]
fn a_pause_that_ends_after_the_deadline_is_not_begun() {
    let mut run = reporting();
    let said = run.reply_with(REPORT, 503, "", Some(3600));
    assert!(said.has(&Progress::ReportUnsettled));
    assert_eq!(run.give(typed("4822")).sends(), [REPORT]);
    // The query does not wait.
    let mut run = reporting();
    run.at(599_950);
    assert_eq!(run.break_off(REPORT, RequestFailure::Lost).sends(), [STATUS]);
}

#[test]
fn pauses_are_set_by_the_plan_and_differ_by_its_seed() {
    let pause = |seed| {
        let (first, longest) = (Duration::from_secs(10), Duration::from_secs(40));
        let policy = RetryPolicy::default().backoff(first, longest);
        let mut run = Run::planned(Plan::new(sms()).retry(policy).seed(seed), SMS, 0);
        run.give(typed("4821"));
        run.break_off(REPORT, RequestFailure::NotSent);
        run.due();
        run.now
    };
    assert_eq!(pause(0), Duration::from_secs(5));
    let (one, other) = (pause(7), pause(8));
    assert_ne!(one, other);
    for pause in [one, other] {
        assert!((5..10).contains(&pause.as_secs()), "{pause:?}");
    }
}

#[test]
fn public_authorization_asks_by_number() {
    let plan = Plan::new(sms()).ask_by(AskBy::Number);
    let mut run = Run::planned(plan, SMS, 0);
    run.give(typed("4821"));
    run.break_off(REPORT, RequestFailure::Lost);
    assert!(matches!(
        run.due().requests()[..],
        [Request::Status(StatusQuery::ByNumber(_))]
    ));
}

/// The number's latest verification is another one: its success is not ours.
#[test]
fn by_number_the_success_of_another_verification_counts_for_nothing() {
    let another = SUCCESSFUL.replace(r#""id":""#, r#""id":"another-"#);
    assert_ne!(another, SUCCESSFUL);
    for (ask_by, query, verified) in [
        (AskBy::Number, "status_by_number", false),
        (AskBy::Id, STATUS, true),
    ] {
        let mut run = Run::planned(Plan::new(sms()).ask_by(ask_by), SMS, 0);
        run.give(typed("4821"));
        run.break_off(REPORT, RequestFailure::Lost);
        run.due();
        run.reply(query, 200, &another);
        assert_eq!(run.is_verified(), verified, "{query}");
        if !verified {
            assert_eq!(run.failure(), &Failure::Superseded);
        }
    }
}

#[test]
fn codes_typed_meanwhile_wait_and_the_last_one_counts() {
    let mut run = reporting();
    assert_eq!(run.give(typed("4821")).ignored(), Some(Ignored::Repeated));
    assert!(run.give(typed("1111")).0.is_empty());
    assert!(run.give(typed("2222")).0.is_empty());
    assert_eq!(run.reply(REPORT, 400, WRONG).reported().unwrap().0, "2222");
    assert!(run.reply(REPORT, 400, WRONG).requests().is_empty());
}

#[test]
fn wrong_codes_end_at_the_limit_of_attempts() {
    let mut run = Run::planned(Plan::new(sms()).then(callout()).attempts(2), SMS, 0);
    run.give(typed("1111"));
    let said = run.reply(REPORT, 400, WRONG);
    assert!(said.has(&Progress::Refused { attempts_left: 1 }));
    run.give(typed("2222"));
    let said = run.reply(REPORT, 400, WRONG);
    assert!(said.requests().is_empty(), "no fallback for guesses");
    assert_eq!(run.failure(), &Failure::AttemptsUsedUp);
}

#[test]
fn the_services_own_limit_ends_it_too() {
    let mut run = reporting();
    let body = r#"{"id":"s1","status":"FAIL","reason":"Invalid code"}"#;
    run.reply(REPORT, 200, body);
    assert_eq!(run.failure(), &Failure::AttemptsUsedUp);
}

#[test]
fn a_state_in_another_spelling_ends_it_and_an_unknown_state_does_not() {
    let mut run = reporting();
    run.reply(REPORT, 200, r#"{"id":"s1","status":"FAILED","reason":"Expired"}"#);
    assert_eq!(run.failure(), &Failure::Expired);
    // An unknown status is no end and no success.
    let mut run = reporting();
    let said = run.reply(REPORT, 200, r#"{"id":"s1","status":"THINKING"}"#);
    assert!(said.has(&Progress::Refused { attempts_left: 2 }));
    assert!(run.session.ending().is_none());
}

#[test]
fn a_success_that_arrived_beats_the_deadline() {
    let mut run = reporting();
    run.at(700_000).reply(REPORT, 200, SUCCESSFUL);
    assert!(run.is_verified());
    let mut run = reporting();
    let said = run.at(700_000).break_off(REPORT, RequestFailure::Lost);
    assert!(said.requests().is_empty());
    assert_eq!(run.failure(), &Failure::TimedOut);
}

#[test]
fn answers_to_nobody_are_ignored() {
    let mut run = reporting();
    let (request, _) = run.open[0].clone();
    let start = sinch_verify_protocol::start::StartResponse::decode(SMS.as_bytes()).unwrap();
    let start: Started = Started::read(&Method::Sms, start, None).unwrap();
    let wrong_kind = Input::Answered {
        request,
        answer: start.into(),
    };
    assert_eq!(run.give(wrong_kind).ignored(), Some(Ignored::WrongAnswer));
    run.reply(REPORT, 400, WRONG);
    let again = Input::RequestFailed {
        request,
        failure: RequestFailure::Lost,
    };
    assert_eq!(run.give(again).ignored(), Some(Ignored::UnknownRequest));
}
