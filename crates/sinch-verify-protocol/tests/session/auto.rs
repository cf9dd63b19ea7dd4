//! The `auto` start: the service orders the methods.

use sinch_verify_protocol::session::{AskBy, Failure, Input, Plan, Request, RequestFailure};
use sinch_verify_protocol::{Method, Start};

use crate::run::*;

const AUTO: &str = r#"{"id":"a0","method":"auto",
 "auto":{"subVerificationId":"a1","methodsOrder":["flashcall","pigeon","sms","callout"]},
 "flashCall":{"cliFilter":"(.*)70123(.*)","interceptionTimeout":10,"subVerificationId":"a2"},
 "sms":{"template":"Your code is {{CODE}}","interceptionTimeout":60,"subVerificationId":"a3"}}"#;

fn started() -> Run {
    Run::started(Start::auto(number()).into(), AUTO, 0)
}

#[test]
fn the_methods_follow_the_order_of_the_answer() {
    let mut run = started();
    assert_eq!(run.session.method(), Some(Method::FlashCall));
    let said = run.tick(10_000);
    assert!(said.requests().is_empty(), "no new start, and no outcome");
    assert_eq!(run.session.method(), Some(Method::Sms));
    assert_eq!(run.session.verification_id().unwrap().as_str(), "a3");
}

#[test]
fn a_proof_is_reported_to_the_sub_verification() {
    let mut run = started();
    let said = run.give(Input::ringing("+46701230001"));
    let requests = said.requests();
    let [Request::Report(report)] = requests.as_slice() else {
        panic!("{:?}", said.sends());
    };
    assert_eq!(report.method(), &Method::FlashCall);
    let sent = requests[0].to_http(&Default::default()).unwrap();
    assert!(sent.uri().path().ends_with("/id/a2"));
}

#[test]
fn a_typed_code_moves_on_to_the_method_that_takes_it() {
    let mut run = started();
    let said = run.give(typed("4821"));
    assert_eq!(said.sends(), [REPORT]);
    assert_eq!(run.session.method(), Some(Method::Sms));
}

#[test]
fn a_message_before_its_turn_is_kept() {
    let mut run = started();
    run.give(Input::sms("Your code is 4821"));
    assert_eq!(run.tick(10_000).reported().unwrap().0, "4821");
}

#[test]
fn an_answer_without_an_order_is_unusable() {
    let mut run = Run::new(Plan::new(Start::auto(number())));
    run.give(Input::Begin);
    run.reply(START, 200, r#"{"id":"a0","method":"auto","auto":{}}"#);
    let field = "auto.methodsOrder".to_owned();
    assert_eq!(run.failure(), &Failure::Unusable { field });
}

#[test]
fn a_status_by_number_may_name_any_of_its_ids_and_no_other() {
    for (id, verified) in [
        ("a0", true),
        ("a1", true),
        ("a2", true),
        ("a3", true),
        ("b0", false),
    ] {
        let plan = Plan::new(Start::auto(number())).ask_by(AskBy::Number);
        let mut run = Run::planned(plan, AUTO, 0);
        run.tick(10_000);
        run.give(typed("4821"));
        run.break_off(REPORT, RequestFailure::Lost);
        run.due();
        run.reply(
            "status_by_number",
            200,
            &format!(r#"{{"id":"{id}","status":"SUCCESSFUL"}}"#),
        );
        assert_eq!(run.is_verified(), verified, "{id}");
    }
}
