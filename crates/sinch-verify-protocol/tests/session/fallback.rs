//! From one method to the next.

use std::time::Duration;

use sinch_verify_protocol::session::{
    Answer, Ending, Failure, Ignored, Input, Plan, PlanError, Progress, RequestFailure,
};
use sinch_verify_protocol::{Cli, Method, Reference, Start};

use crate::run::*;

fn sms_then_callout() -> Plan {
    Plan::new(sms()).then(callout())
}

fn begun(plan: Plan) -> Run {
    let mut run = Run::new(plan);
    run.give(Input::Begin);
    run
}

#[test]
fn what_falls_back_from_a_refused_start() {
    let rows = [
        (403, 40303, false),
        (403, 40301, false),
        (400, 40001, false),
        (400, 40003, true),
        (401, 40102, false),
        (402, 40200, false),
        (404, 40400, true),
        (409, 40900, false),
        (422, 42200, true),
        (429, 42900, false),
        (429, 42901, false),
        (500, 50000, true),
        (503, 50300, true),
    ];
    for (status, code, falls_back) in rows {
        let mut run = begun(sms_then_callout());
        let body = format!(r#"{{"errorCode":{code},"message":"no"}}"#);
        let said = run.reply(START, status, &body);
        assert_eq!(said.sends() == [START], falls_back, "{code}");
        assert_eq!(run.session.ending().is_none(), falls_back, "{code}");
        if code == 40303 {
            assert_eq!(run.failure(), &Failure::Denied { reason: None });
        }
    }
}

#[test]
fn what_falls_back_from_an_ended_verification() {
    let rows = [
        (r#""FAIL","reason":"Expired""#, true),
        (r#""FAIL","reason":"SMS delivery failure""#, true),
        (r#""FAIL","reason":"Destination denied""#, true),
        (r#""FAIL","reason":"Invalid CLI""#, true),
        (r#""FAIL","reason":"Invalid code""#, false),
        (r#""FAIL","reason":"Fraud""#, false),
        (r#""FAIL","reason":"Blocked""#, false),
        (r#""FAIL","reason":"Not enough credit""#, false),
        (r#""ERROR""#, true),
        (r#""ABORTED""#, false),
        (r#""DENIED""#, false),
        (r#""FAIL","reason":"Denied by callback""#, false),
    ];
    for (ended, falls_back) in rows {
        let mut run = begun(sms_then_callout());
        run.reply(START, 200, SMS);
        run.give(typed("4821"));
        let body = format!(r#"{{"id":"s1","status":{ended}}}"#);
        let said = run.reply(REPORT, 200, &body);
        assert_eq!(said.sends() == [START], falls_back, "{ended}");
    }
}

#[test]
fn transport_trouble_falls_back_and_the_last_failure_is_kept() {
    let mut run = begun(sms_then_callout());
    assert_eq!(run.break_off(START, RequestFailure::Lost).sends(), [START]);
    run.break_off(START, RequestFailure::NotSent);
    let last = Failure::Unreachable {
        may_have_been_sent: false,
    };
    assert_eq!(run.failure().root(), &last);
    assert!(matches!(run.failure(), Failure::NoMethodLeft { .. }));
    // One method alone fails for itself.
    let mut run = begun(Plan::new(sms()));
    run.break_off(START, RequestFailure::NotSent);
    assert_eq!(run.failure(), &last);
}

#[test]
fn a_missing_plus_is_hinted_at() {
    let mut run = begun(Plan::new(sms()));
    run.reply(START, 400, r#"{"errorCode":40005,"message":"Missing plus"}"#);
    assert!(run.failure().to_string().contains("starts with +"));
}

#[test]
fn interception_over_the_next_method_begins() {
    let mut run = Run::planned(sms_then_callout(), SMS, 0);
    let said = run.tick(120_000);
    assert_eq!(said.sends(), [START]);
    assert!(said.has(&Progress::FallingBack {
        from: Method::Sms,
        to: Method::Callout,
        why: Failure::NotInTime
    }));
    run.reply(START, 200, CALLOUT);
    run.give(typed("4821"));
    run.reply(REPORT, 200, SUCCESSFUL);
    assert!(run.is_verified());
}

#[test]
fn a_report_in_flight_is_waited_for() {
    let mut run = Run::planned(sms_then_callout(), SMS, 0);
    run.at(119_000).give(typed("4821"));
    assert!(run.tick(120_000).requests().is_empty());
    assert_eq!(run.at(121_000).reply(REPORT, 400, WRONG).sends(), [START]);

    let mut run = Run::planned(sms_then_callout(), SMS, 0);
    run.at(119_000).give(typed("4821"));
    run.tick(120_000);
    run.at(121_000).reply(REPORT, 200, SUCCESSFUL);
    assert!(run.is_verified());
}

#[test]
fn a_method_without_a_time_gets_the_plans_patience() {
    let plan = Plan::new(callout()).then(sms()).patience(Duration::from_secs(20));
    let mut run = Run::planned(plan, CALLOUT, 1_000);
    assert_eq!(run.session.next_deadline(), Some(Duration::from_secs(21)));
    assert_eq!(run.tick(21_000).sends(), [START]);
    run.at(22_000).reply(START, 200, SMS);
    assert_eq!(
        run.session.next_deadline(),
        Some(Duration::from_secs(142)),
        "listening"
    );
    run.tick(142_000);
    assert_eq!(
        run.session.next_deadline(),
        Some(Duration::from_secs(600)),
        "the last one waits"
    );
    run.tick(600_000);
    assert_eq!(run.failure(), &Failure::TimedOut);
}

#[test]
fn a_flash_call_that_never_came_is_told_before_the_next_method() {
    let plan = Plan::new(flash_call()).then(sms());
    let mut run = Run::planned(plan, FLASH, 0);
    let said = run.tick(45_000);
    assert_eq!(said.sends(), [OUTCOME, START]);
    assert_eq!(said.outcome(), Some((false, true)));
}

#[test]
fn the_user_may_ask_for_the_next_method() {
    let mut run = begun(sms_then_callout());
    assert_eq!(run.give(Input::NextMethod).ignored(), Some(Ignored::NotStarted));
    run.reply(START, 200, SMS);
    assert_eq!(run.at(5_000).give(Input::NextMethod).sends(), [START]);
    run.reply(START, 200, CALLOUT);
    let none = run.give(Input::NextMethod);
    assert_eq!(none.ignored(), Some(Ignored::NoFurtherMethod));
}

#[test]
fn no_fallback_after_the_deadline() {
    let mut run = begun(sms_then_callout().deadline(Duration::from_secs(10)));
    let said = run.at(10_000).break_off(START, RequestFailure::NotSent);
    assert!(said.requests().is_empty());
    assert_eq!(run.failure(), &Failure::TimedOut);
}

/// A plan whose first start was lost, and this found in its place.
fn found(plan: Plan, body: &str) -> (Run, Said) {
    let mut run = begun(plan);
    let (request, _) = run.open.remove(0);
    let found: sinch_verify_protocol::Verification = serde_json::from_str(body).unwrap();
    let answer = Answer::from(found);
    let said = run.give(Input::Answered { request, answer });
    (run, said)
}

/// No report was sent yet. A success belongs to an older verification with the same reference, except
/// for a callout, in which a key is pressed.
#[test]
fn a_success_found_in_place_of_a_lost_start_verifies_a_callout_only() {
    for start in [sms(), flash_call(), seamless(), Start::whatsapp(number()).into()] {
        let (run, _) = found(Plan::new(start.clone()), SUCCESSFUL);
        assert!(matches!(run.failure(), Failure::Doubtful(_)), "{start:?}");
        let (_, said) = found(Plan::new(start).then(callout()), SUCCESSFUL);
        assert_eq!(said.sends(), [START], "the next method is tried");
    }
    let (run, _) = found(Plan::new(callout()), SUCCESSFUL);
    assert!(run.is_verified());
}

#[test]
fn what_was_found_in_place_of_a_lost_start_must_be_of_its_number_and_method() {
    for status in ["PENDING", "SUCCESSFUL", "FAIL"] {
        let tell = |method: &str, number: &str| {
            format!(
                r#"{{"id":"c1","status":"{status}","method":"{method}",
                   "identity":{{"type":"number","endpoint":"{number}"}}}}"#
            )
        };
        for theirs in [tell("sms", "+46700000001"), tell("callout", "+46700000002")] {
            let (run, _) = found(Plan::new(callout()), &theirs);
            assert!(matches!(run.failure(), Failure::Doubtful(_)), "{theirs}");
        }
        let (run, _) = found(Plan::new(callout()), &tell("callout", "+46700000001"));
        assert!(!matches!(
            run.session.ending(),
            Some(Ending::Failed(Failure::Doubtful(_)))
        ));
    }
}

#[test]
fn a_lost_start_that_was_found_goes_on_with_typed_codes() {
    let (mut run, _) = found(sms_then_callout(), PENDING);
    assert_eq!(run.session.verification_id().unwrap().as_str(), "s1");
    assert_eq!(run.give(typed("4821")).sends(), [REPORT]);
}

#[test]
fn a_start_answer_may_have_more_fields_but_not_lack_what_its_method_needs() {
    let body =
        r#"{"id":"s1","method":"sms","sms":{"template":"Your code is {{CODE}}","x":1},"_links":[],"y":{}}"#;
    let mut run = Run::started(sms(), body, 0);
    assert!(run.give(Input::sms("Your code is 4821")).reported().is_some());
    // What the method cannot do without ends it.
    let mut run = begun(Plan::new(flash_call()));
    run.reply(START, 200, r#"{"id":"f1","method":"flashcall"}"#);
    assert_eq!(run.failure(), &Failure::Unreadable);
}

#[test]
fn a_proof_of_another_method_is_refused() {
    let mut run = Run::started(sms(), SMS, 0);
    let cli = Input::CliTyped(Cli::as_seen("+46701230001").unwrap());
    assert_eq!(run.give(cli).ignored(), Some(Ignored::NotForMethod));
    assert_eq!(
        run.give(Input::ringing("+46701230001")).ignored(),
        Some(Ignored::NotForMethod)
    );
    assert_eq!(run.give(Input::Begin).ignored(), Some(Ignored::AlreadyBegun));
}

#[test]
fn plans_that_cannot_be_carried_out() {
    let error = |plan: Plan| sinch_verify_protocol::Session::new(plan).unwrap_err();
    let other = Start::sms("+46700000002".parse().unwrap());
    assert_eq!(error(Plan::new(sms()).then(other)), PlanError::NumbersDiffer);
    let named = || Start::sms(number()).reference(Reference::new("order-1").unwrap());
    let twice = Plan::new(named()).then(named());
    assert_eq!(error(twice), PlanError::ReferenceRepeated);
    assert_eq!(error(Plan::new(sms()).attempts(0)), PlanError::NoAttempts);
    let no_time = Plan::new(sms()).deadline(Duration::ZERO);
    assert_eq!(error(no_time), PlanError::ZeroDeadline);
}
