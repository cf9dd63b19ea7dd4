//! Calls, messages and the timers of interception.

use std::time::Duration;

use sinch_verify_protocol::cli_filter::Dialect;
use sinch_verify_protocol::session::{CallKind, Failure, Ignored, Input, LoggedCall, Plan, Progress};
use sinch_verify_protocol::{Cli, Method};

use crate::run::*;

const CALLER: &str = "+46701230001";

fn logged(cli: &str, kind: CallKind, age_ms: u64) -> LoggedCall {
    LoggedCall::new(cli, kind, Duration::from_millis(age_ms))
}

fn flash(interception: &str, report: &str) -> String {
    format!(
        r#"{{"id":"f1","method":"flashcall","flashCall":{{"cliFilter":"(.*)70123(.*)"{interception}{report}}}}}"#
    )
}

#[test]
fn only_calls_later_than_the_start_count() {
    for (age_ms, used) in [(5_001, false), (5_000, false), (4_999, true)] {
        let mut run = Run::new(Plan::new(flash_call()));
        run.at(10_000).give(Input::Begin);
        run.at(11_000).reply(START, 200, FLASH);
        let said = run
            .at(15_000)
            .give(Input::CallLog(vec![logged(CALLER, CallKind::Missed, age_ms)]));
        assert_eq!(said.reported().is_some(), used, "{age_ms}");
        assert_eq!(said.ignored().is_none(), used, "{age_ms}");
    }
    let mut run = Run::started(flash_call(), FLASH, 100);
    let older_than_the_session = logged(CALLER, CallKind::Missed, 3_600_000);
    assert_eq!(
        run.give(Input::CallLog(vec![older_than_the_session])).ignored(),
        Some(Ignored::NotOurs)
    );
}

#[test]
fn a_call_before_the_answer_is_used() {
    let mut run = Run::new(Plan::new(flash_call()));
    run.give(Input::Begin);
    let log = vec![logged(CALLER, CallKind::Missed, 500)];
    assert_eq!(run.at(1_000).give(Input::CallLog(log)).ignored(), None);
    let said = run.at(2_000).reply(START, 200, FLASH);
    assert_eq!(said.reported(), Some((CALLER.to_owned(), "log".to_owned())));
    assert_eq!(said.outcome(), Some((false, false)));

    let mut run = Run::new(Plan::new(flash_call()));
    run.give(Input::Begin);
    run.at(1_000).give(Input::ringing(CALLER));
    let said = run.at(2_000).reply(START, 200, FLASH);
    assert_eq!(
        said.reported(),
        Some((CALLER.to_owned(), "intercepted".to_owned()))
    );
}

#[test]
fn outgoing_calls_are_skipped() {
    let mut run = Run::started(flash_call(), FLASH, 0);
    let log = vec![
        logged("+46701230009", CallKind::Outgoing, 900),
        logged("+46701230008", CallKind::Rejected, 800),
        logged(CALLER, CallKind::Missed, 500),
    ];
    let said = run.at(1_000).give(Input::CallLog(log));
    assert_eq!(said.reported().unwrap().0, CALLER);
}

#[test]
fn an_older_call_that_matches_is_reported() {
    let mut run = Run::started(flash_call(), FLASH, 0);
    let log = vec![
        logged("+46701230009", CallKind::Missed, 100),
        logged(CALLER, CallKind::Incoming, 900),
    ];
    let said = run.at(1_000).give(Input::CallLog(log));
    assert_eq!(said.reported().unwrap().0, CALLER);
}

#[test]
fn one_call_seen_twice_is_reported_once() {
    let mut run = Run::started(flash_call(), FLASH, 0);
    assert!(run.at(1_000).give(Input::ringing(CALLER)).reported().is_some());
    let log = vec![logged(CALLER, CallKind::Missed, 1_000)];
    let said = run.at(2_000).give(Input::CallLog(log));
    assert_eq!(said.ignored(), Some(Ignored::NotListening));
    assert!(said.requests().is_empty());
}

#[test]
fn a_late_call_is_an_outcome_and_no_report() {
    let body = flash(r#","interceptionTimeout":10"#, r#","reportTimeout":15"#);
    let mut run = Run::started(flash_call(), &body, 0);
    let method = Method::FlashCall;
    assert!(run.tick(10_000).has(&Progress::InterceptionEnded { method }));
    let said = run.at(10_001).give(Input::ringing(CALLER));
    assert_eq!(said.reported(), None);
    assert_eq!(said.outcome(), Some((true, false)));
    assert!(said.has(&Progress::LateCall));
    assert!(run.tick(15_000).requests().is_empty(), "told once");
}

#[test]
fn a_call_in_time_that_is_found_late_in_the_log_is_reported() {
    let mut run = Run::started(flash_call(), FLASH, 0);
    run.tick(45_000);
    let log = vec![logged(CALLER, CallKind::Missed, 10_000)];
    let said = run.at(50_000).give(Input::CallLog(log));
    assert_eq!(said.reported().unwrap().1, "log");
    assert_eq!(said.outcome(), Some((false, false)));
}

#[test]
fn without_a_call_interception_ends_and_then_the_report_time() {
    let mut run = Run::started(flash_call(), FLASH, 0);
    assert_eq!(run.session.next_deadline(), Some(Duration::from_secs(45)));
    let said = run.tick(45_000);
    assert_eq!(said.sends(), [] as [&str; 0]);
    assert_eq!(said.progress().len(), 1);
    assert_eq!(run.session.next_deadline(), Some(Duration::from_secs(75)));
    assert_eq!(run.tick(75_000).outcome(), Some((false, true)));
}

#[test]
fn report_time_is_at_least_interception_time() {
    let body = flash(r#","interceptionTimeout":60"#, r#","reportTimeout":30"#);
    let mut run = Run::started(flash_call(), &body, 0);
    assert!(run.tick(59_999).0.is_empty());
    let said = run.tick(60_000);
    assert_eq!(said.outcome(), Some((false, true)));
    assert_eq!(said.progress().len(), 1);
}

#[test]
fn no_interception_time_of_a_flash_call_means_15_seconds() {
    for given in ["", ",\"interceptionTimeout\":0", ",\"interceptionTimeout\":-5"] {
        let mut run = Run::started(flash_call(), &flash(given, ""), 1_000);
        assert_eq!(
            run.session.next_deadline(),
            Some(Duration::from_secs(16)),
            "{given}"
        );
        assert_eq!(run.tick(16_000).outcome(), Some((false, true)), "{given}");
    }
}

#[test]
fn interception_time_0_of_an_sms_counts_as_absent() {
    for given in ["0", "-1", "null"] {
        let body = format!(
            r#"{{"id":"s1","method":"sms","sms":{{"template":"Your code is {{{{CODE}}}}","interceptionTimeout":{given}}}}}"#
        );
        let mut run = Run::started(sms(), &body, 0);
        assert_eq!(
            run.session.next_deadline(),
            Some(Duration::from_secs(600)),
            "{given}"
        );
        let said = run.at(200_000).give(Input::sms("Your code is 4821"));
        assert_eq!(said.reported().unwrap().0, "4821", "{given}");
    }
}

#[test]
fn a_caller_id_may_be_typed_before_any_call() {
    let mut run = Run::started(flash_call(), FLASH, 0);
    let said = run.at(1_000).give(Input::CliTyped(Cli::as_seen(CALLER).unwrap()));
    assert_eq!(said.reported(), Some((CALLER.to_owned(), "manual".to_owned())));
    let said = run.reply(REPORT, 200, SUCCESSFUL);
    assert!(run.is_verified());
    assert_eq!(said.outcome(), None);
}

#[test]
fn a_call_counts_after_a_wrong_caller_id_was_typed() {
    let mut run = Run::started(flash_call(), FLASH, 0);
    run.at(1_000)
        .give(Input::CliTyped(Cli::as_seen("+46709999999").unwrap()));
    assert!(
        run.reply(REPORT, 400, WRONG)
            .has(&Progress::Refused { attempts_left: 2 })
    );
    let said = run.at(5_000).give(Input::ringing(CALLER));
    assert_eq!(said.reported().unwrap().0, CALLER);
}

#[test]
fn nothing_is_sent_after_cancel() {
    let mut run = Run::started(flash_call(), FLASH, 0);
    let said = run.at(1_000).give(Input::Cancel);
    assert!(said.requests().is_empty());
    assert_eq!(run.failure(), &Failure::Cancelled);
    let said = run.at(2_000).give(Input::ringing(CALLER));
    assert!(said.requests().is_empty());
    assert_eq!(said.ignored(), Some(Ignored::Over));
    assert_eq!(run.session.next_deadline(), None);
}

#[test]
fn a_code_may_be_typed_after_interception_ended() {
    let mut run = Run::started(sms(), SMS, 0);
    let method = Method::Sms;
    assert!(run.tick(120_000).has(&Progress::InterceptionEnded { method }));
    let late = run.at(121_000).give(Input::sms("Your code is 4821"));
    assert_eq!(late.ignored(), Some(Ignored::NotListening));
    assert_eq!(run.at(130_000).give(typed("4821")).sends(), [REPORT]);

    let mut run = Run::started(flash_call(), FLASH, 0);
    run.tick(75_000);
    let said = run
        .at(80_000)
        .give(Input::CliTyped(Cli::as_seen(CALLER).unwrap()));
    assert_eq!(said.sends(), [REPORT]);
}

#[test]
fn an_answer_after_cancel_is_dropped() {
    let mut run = Run::new(Plan::new(sms()));
    run.give(Input::Begin);
    run.give(Input::Cancel);
    let said = run.reply(START, 200, SMS);
    assert_eq!(said.ignored(), Some(Ignored::Over));
    assert_eq!(run.failure(), &Failure::Cancelled);
}

#[test]
fn of_ten_codes_typed_at_once_one_is_reported() {
    let mut run = Run::started(sms(), SMS, 0);
    let mut ended = 0;
    let mut reports = 0;
    for n in 0..10 {
        reports += run.give(typed(&format!("48{n}"))).sends().len();
    }
    while !run.open.is_empty() {
        let said = run.reply(REPORT, 200, SUCCESSFUL);
        ended += said
            .0
            .iter()
            .filter(|output| matches!(output, sinch_verify_protocol::session::Output::Ended(_)))
            .count();
    }
    assert_eq!((reports, ended), (1, 1));
}

#[test]
fn a_clock_that_goes_back_changes_no_deadline() {
    let mut run = Run::started(sms(), SMS, 10_000);
    let until = Some(Duration::from_secs(130));
    assert_eq!(run.session.next_deadline(), until);
    run.session.handle(Duration::ZERO, Input::Tick);
    assert_eq!(run.session.next_deadline(), until);
}

#[test]
fn the_message_may_come_before_the_template() {
    let mut run = Run::new(Plan::new(sms()));
    run.give(Input::Begin);
    assert_eq!(run.give(Input::sms("Your code is 1111")).ignored(), None);
    run.give(Input::sms("Your code is 4821"));
    assert!(run.session.holds_proof());
    let said = run.at(500).reply(START, 200, SMS);
    assert_eq!(
        said.reported(),
        Some(("4821".to_owned(), "intercepted".to_owned()))
    );
}

#[test]
fn a_message_that_does_not_fit_does_not_stop_listening() {
    let mut run = Run::started(sms(), SMS, 0);
    let said = run.give(Input::sms("Your parcel is here"));
    assert_eq!(said.ignored(), Some(Ignored::NotOurs));
    assert!(run.give(Input::sms("Your code is 4821")).reported().is_some());
}

#[test]
fn the_app_hash_is_cut_off() {
    for text in [
        "<#> Your code is 4821\nXtNB5qNssI/",
        "Your code is 4821\r\nXtNB5qNssI/",
        "Your code is 4821 XtNB5qNssI/",
    ] {
        let mut run = Run::started(sms(), SMS, 0);
        assert_eq!(
            run.give(Input::sms(text)).reported().unwrap().0,
            "4821",
            "{text:?}"
        );
    }
}

#[test]
fn a_code_is_found_whatever_marks_are_around_it() {
    for (text, code) in [
        ("Your code is \u{200f}4821", Some("4821")),
        ("Your code is \u{2066}4821\u{2069}", Some("4821")),
        ("Your code is \u{200b}4821", Some("4821")),
        ("Your code is 48\u{ad}21", Some("4821")),
        ("Your code is \u{feff}٤٨٢١", Some("4821")),
        ("Your code is 482-193", None),
    ] {
        let body = SMS.replace("\"sms\":{", "\"sms\":{\"codeType\":\"Numeric\",");
        let mut run = Run::started(sms(), &body, 0);
        let reported = run.give(Input::sms(text)).reported();
        assert_eq!(reported.map(|(code, _)| code).as_deref(), code, "{text:?}");
    }
}

#[test]
fn without_number_plans_a_caller_id_without_plus_is_reported_as_seen() {
    for (raw, reported) in [
        (" +46701230001\n", CALLER),
        ("+46 70123\u{ad}0001", CALLER),
        ("070-123 00 01", "070-123 00 01"),
        ("0046701230001", "0046701230001"),
        ("46701230001 ", "46701230001"),
    ] {
        let mut run = Run::started(flash_call(), FLASH, 0);
        assert_eq!(
            run.give(Input::ringing(raw)).reported().unwrap().0,
            reported,
            "{raw:?}"
        );
    }
    for hidden in ["", "anonymous", "-2"] {
        let mut run = Run::started(flash_call(), FLASH, 0);
        assert_eq!(run.give(Input::ringing(hidden)).ignored(), Some(Ignored::NotOurs));
    }
}

#[cfg(feature = "national-numbers")]
#[test]
fn with_number_plans_the_full_number_is_reported() {
    let body = r#"{"id":"f1","method":"flashcall","flashCall":{"cliFilter":"(.*)(70123|29123)(.*)","interceptionTimeout":45}}"#;
    for (raw, country, reported) in [
        ("070-123 00 01", None, CALLER),
        ("0046701230001", None, CALLER),
        ("46701230001", None, CALLER),
        ("+46701230001", Some("US"), CALLER),
        ("8 029 123 45 67", Some("BY"), "+375291234567"),
        // No number of the plan: what the phone showed.
        ("70123", None, "70123"),
    ] {
        let mut plan = Plan::new(flash_call()).number_plans(sinch_verify_protocol::NumberPlans::new());
        if let Some(country) = country {
            plan = plan.country(country.parse().unwrap());
        }
        let mut run = Run::planned(plan, body, 0);
        let said = run.give(Input::ringing(raw));
        assert_eq!(said.reported().unwrap().0, reported, "{raw:?}");
    }
}

#[test]
fn an_unusable_filter_or_template_leaves_typing() {
    let body = FLASH.replace("(.*)70123(.*)", "((46)70)(.*)");
    let mut run = Run::new(Plan::new(flash_call()));
    run.give(Input::Begin);
    let said = run.reply(START, 200, &body);
    assert!(matches!(
        said.progress().last().unwrap(),
        Progress::UnusableFilter(_)
    ));
    let ringing = run.give(Input::ringing(CALLER));
    assert_eq!(ringing.ignored(), Some(Ignored::NotListening));
    assert!(run.tick(80_000).requests().is_empty(), "no outcome is known");
    let typed_cli = Input::CliTyped(Cli::as_seen(CALLER).unwrap());
    assert_eq!(run.give(typed_cli).sends(), [REPORT]);

    let mut run = Run::new(Plan::new(sms()));
    run.give(Input::Begin);
    let said = run.reply(START, 200, &SMS.replace("{{CODE}}", "{{code}}"));
    assert!(matches!(
        said.progress().last().unwrap(),
        Progress::UnusableTemplate(_)
    ));
    assert_eq!(run.give(typed("4821")).sends(), [REPORT]);
}

/// The plan says how the filter is understood: the same text is another filter.
#[test]
fn the_plan_says_how_a_filter_is_read() {
    let body = r#"{"id":"f1","method":"flashcall","flashCall":{"cliFilter":"\\+4670123\\d+","interceptionTimeout":45}}"#;
    for (dialect, heard) in [
        (None, false),
        (Some(Dialect::Android), false),
        (Some(Dialect::Regex), true),
    ] {
        let mut plan = Plan::new(flash_call());
        if let Some(dialect) = dialect {
            plan = plan.cli_dialect(dialect);
        }
        let mut run = Run::planned(plan, body, 0);
        let said = run.at(1_000).give(Input::ringing("+46701230001"));
        assert_eq!(said.reported().is_some(), heard, "{dialect:?}");
    }
}
