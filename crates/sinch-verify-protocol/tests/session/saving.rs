//! Carrying a session between two requests of a stateless backend.

use sinch_verify_protocol::session::{Input, Plan, Progress, RequestFailure, RestoreError};
use sinch_verify_protocol::start::SmsOptions;
use sinch_verify_protocol::{AcceptLanguage, CodeType, Custom, Reference, Session, Start};

use crate::run::*;

#[test]
fn start_in_one_request_report_in_the_next() {
    let first = Run::started(sms(), SMS, 0);
    let carried = first.session.save();
    let mut second = Session::restore(&carried).unwrap();
    let outputs = second.handle(std::time::Duration::from_secs(30), typed("4821"));
    assert_eq!(Said(outputs).sends(), [REPORT]);
}

#[test]
fn the_version_is_checked_first() {
    let saved = Run::started(sms(), SMS, 0).session.save();
    assert!(saved.starts_with(r#"{"v":1,"#));
    let newer = saved.replacen(r#""v":1"#, r#""v":2"#, 1);
    let error = Session::restore(&newer).unwrap_err();
    assert!(matches!(error, RestoreError::Version { found: 2 }));
    assert_eq!(
        error.to_string(),
        "saved session has version 2, this release reads version 1"
    );
    // Within another document the error says the same.
    let error = serde_json::from_str::<Session>(&newer).unwrap_err();
    assert!(error.to_string().contains("has version 2"));
    for broken in ["", "{}", "null", r#"{"v":1}"#, r#"{"v":"1"}"#] {
        let error = Session::restore(broken).unwrap_err();
        assert!(matches!(error, RestoreError::Json(_)), "{broken}");
    }
}

#[test]
fn options_languages_and_references_of_later_methods_survive() {
    let languages = AcceptLanguage::new()
        .then("sv-SE".parse().unwrap())
        .then_weighted("en".parse().unwrap(), 0.5)
        .unwrap();
    let mut options = SmsOptions::default();
    options.code_type = Some(CodeType::Alphanumeric);
    let second = Start::sms(number())
        .options(options)
        .languages(languages)
        .custom(Custom::new("session 42").unwrap())
        .reference(Reference::new("order-2").unwrap());
    let plan = Plan::new(callout()).then(second.clone());
    let mut run = Run::planned(plan, CALLOUT, 0);
    let said = run.give(Input::NextMethod);
    let sent = said.requests()[0].to_http(&Default::default()).unwrap();
    let direct = sinch_verify_protocol::Endpoint::to_http(&second, &Default::default()).unwrap();
    assert_eq!(sent.body(), direct.body());
    assert_eq!(sent.headers(), direct.headers());
}

#[test]
fn a_code_is_held_only_while_it_may_be_needed_again() {
    let mut run = Run::started(sms(), SMS, 0);
    let holds = |run: &Run| (run.session.holds_proof(), run.session.save().contains("48213"));
    assert_eq!(holds(&run), (false, false));
    run.give(typed("48213"));
    assert_eq!(holds(&run), (true, true), "it may have to be sent again");
    run.break_off(REPORT, RequestFailure::Lost);
    assert_eq!(holds(&run), (true, true));
    run.due();
    run.reply(STATUS, 200, PENDING);
    run.reply(REPORT, 400, WRONG);
    assert_eq!(holds(&run), (true, true), "the first one may have succeeded");
    run.due();
    run.reply(STATUS, 200, PENDING);
    assert_eq!(holds(&run), (false, false));
    run.give(typed("48213"));
    run.reply(REPORT, 200, SUCCESSFUL);
    assert_eq!(holds(&run), (false, false));
}

#[test]
fn after_a_crash_what_was_in_flight_is_lost() {
    let mut run = Run::started(sms(), SMS, 0);
    run.give(typed("4821"));
    let mut restored = Session::restore(&run.session.save()).unwrap();
    for request in restored.in_flight() {
        let failure = RequestFailure::Lost;
        let outputs = restored.handle(run.now, Input::RequestFailed { request, failure });
        assert!(Said(outputs).has(&Progress::ReportLost));
        let outputs = restored.handle(restored.next_deadline().unwrap(), Input::Tick);
        assert_eq!(Said(outputs).sends(), [STATUS]);
    }
}

#[test]
fn debug_shows_no_number_code_or_filter() {
    let mut run = Run::started(flash_call(), FLASH, 0);
    let mut shown = format!("{:?}", run.session);
    let said = run.give(Input::ringing("+46701230001"));
    shown += &format!("{:?} {:?}", said.0, run.session);
    shown += &format!("{:?} {:?}", typed("48213"), Input::sms("Your code is 48213"));
    for secret in ["00000001", "0123", "48213"] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}
