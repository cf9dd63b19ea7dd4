//! Carrying a session between two requests of a stateless backend.

use sinch_verify_protocol::session::{Input, Plan, Progress, RequestFailure};
use sinch_verify_protocol::start::SmsOptions;
use sinch_verify_protocol::{AcceptLanguage, CodeType, Custom, Reference, Start};

use crate::run::*;

#[test]
fn start_in_one_request_report_in_the_next() {
    let first = Run::started(sms(), SMS, 0);
    let carried = save(&first.session);
    let mut second = restore(&carried).unwrap();
    let outputs = second.handle(std::time::Duration::from_secs(30), typed("4821"));
    assert_eq!(Said(outputs).sends(), [REPORT]);
}

#[test]
fn the_version_is_checked_first() {
    let saved = save(&Run::started(sms(), SMS, 0).session);
    assert!(saved.starts_with(r#"{"v":1,"#));
    let newer = saved.replacen(r#""v":1"#, r#""v":2"#, 1);
    let error = restore(&newer).unwrap_err().to_string();
    assert!(
        error.starts_with("saved session has version 2, this release reads version 1"),
        "{error}"
    );
    for broken in ["", "{}", "null", r#"{"v":1}"#, r#"{"v":"1"}"#] {
        assert!(restore(broken).is_err(), "{broken}");
    }
}

/// Read otherwise, the session would report other caller ids than it was made to.
#[cfg(not(feature = "national-numbers"))]
#[test]
fn a_session_with_number_plans_is_not_read_without_them() {
    let saved = save(&Run::started(flash_call(), FLASH, 0).session);
    let with_plans = saved.replacen(
        r#""country":null"#,
        r#""country":null,"number_plans":"libphonenumber""#,
        1,
    );
    assert_ne!(with_plans, saved);
    let error = restore(&with_plans).unwrap_err().to_string();
    assert!(
        error.starts_with("number plans are not built in; turn on feature national-numbers"),
        "{error}"
    );
}

#[test]
fn a_typed_code_goes_before_a_turn_that_ended_in_the_meantime() {
    let mut run = Run::planned(Plan::new(sms()).then(callout()), SMS, 0);
    // Nothing woke the session when the SMS's time was over.
    let said = run.at(500_000).give(typed("4821"));
    assert_eq!(said.sends(), [REPORT]);
    run.reply(REPORT, 200, SUCCESSFUL);
    assert!(run.session.ending().unwrap().is_verified());
}

#[test]
fn a_wrong_code_after_the_turn_leads_to_the_next_method() {
    let mut run = Run::planned(Plan::new(sms()).then(callout()), SMS, 0);
    run.at(500_000).give(typed("4821"));
    let said = run.reply(REPORT, 400, WRONG);
    assert_eq!(said.sends(), [START]);
}

#[test]
fn a_code_that_is_typed_after_the_deadline_is_not_reported() {
    let mut run = Run::started(sms(), SMS, 0);
    let said = run.at(601_000).give(typed("4821"));
    assert_eq!(said.sends(), [""; 0]);
    assert!(!run.session.ending().unwrap().is_verified());
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
    let holds = |run: &Run| (run.session.holds_proof(), save(&run.session).contains("48213"));
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
    let mut restored = restore(&save(&run.session)).unwrap();
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
