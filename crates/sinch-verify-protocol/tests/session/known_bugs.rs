//! What other clients are known to get wrong.

use sinch_verify_protocol::session::{Ignored, Input, Plan, Progress, Request};
use sinch_verify_protocol::{BaseUrl, Cli, Credentials};

use crate::fixtures::{key, secret};
use crate::run::*;

#[test]
fn a_code_before_the_start_is_ignored_and_blocks_nothing() {
    let mut run = Run::new(Plan::new(sms()));
    let said = run.give(typed("4821"));
    assert_eq!(said.ignored(), Some(Ignored::NotStarted));
    assert_eq!(said.0.len(), 1);
    // Beginning is possible as if nothing had happened, and so is everything after it.
    assert_eq!(run.give(Input::Begin).sends(), [START]);
    assert_eq!(run.give(typed("4821")).ignored(), Some(Ignored::NotStarted));
    run.reply(START, 200, SMS);
    assert_eq!(run.give(typed("4821")).sends(), [REPORT]);
    run.reply(REPORT, 200, SUCCESSFUL);
    assert!(run.is_verified());
}

#[test]
fn after_a_typed_success_no_outcome_is_reported() {
    let mut run = Run::started(flash_call(), FLASH, 0);
    let cli = Cli::as_seen("+46701230001").unwrap();
    run.at(1_000).give(Input::CliTyped(cli));
    assert_eq!(run.reply(REPORT, 200, SUCCESSFUL).outcome(), None);
    assert!(run.is_verified());
    for ms in [45_000, 75_000, 600_000] {
        assert!(run.tick(ms).0.is_empty());
    }
}

#[test]
fn a_wrong_typed_code_does_not_stop_interception() {
    let mut run = Run::started(sms(), SMS, 0);
    run.give(typed("0000"));
    assert!(
        run.reply(REPORT, 400, WRONG)
            .has(&Progress::Refused { attempts_left: 2 })
    );
    let said = run.at(5_000).give(Input::sms("Your code is 4821"));
    assert_eq!(said.reported().unwrap().0, "4821");
    run.reply(REPORT, 200, SUCCESSFUL);
    assert!(run.is_verified());

    // Also while the wrong one is still in flight: the message is next in turn.
    let mut run = Run::started(sms(), SMS, 0);
    run.give(typed("0000"));
    assert!(run.give(Input::sms("Your code is 4821")).requests().is_empty());
    assert_eq!(run.give(typed("1111")).ignored(), Some(Ignored::Busy));
    assert_eq!(run.reply(REPORT, 400, WRONG).reported().unwrap().0, "4821");
}

#[test]
fn a_report_answered_without_json_is_followed_by_a_status_query() {
    for (status, body) in [(204, ""), (200, ""), (200, "OK")] {
        let mut run = Run::started(sms(), SMS, 0);
        run.give(typed("4821"));
        let said = run.reply(REPORT, status, body);
        assert!(said.has(&Progress::ReportUnreadable), "{status}");
        assert_eq!(run.due().sends(), [STATUS], "{status}");
        // Decided after all:
        let mut twin = Run::started(sms(), SMS, 0);
        twin.give(typed("4821"));
        twin.reply(REPORT, status, body);
        twin.due();
        twin.reply(STATUS, 200, SUCCESSFUL);
        assert!(twin.is_verified());
        // Not decided: it is an attempt that failed, and the next may follow.
        let said = run.reply(STATUS, 200, PENDING);
        assert!(said.has(&Progress::Refused { attempts_left: 2 }));
        assert_eq!(run.give(typed("4822")).sends(), [REPORT]);
    }
}

#[test]
fn no_credentials_go_to_the_target() {
    let body =
        r#"{"id":"d1","method":"seamless","seamless":{"targetUri":"https://operator.example/check?t=1"}}"#;
    let mut run = Run::new(Plan::new(seamless()));
    run.give(Input::Begin);
    let said = run.reply(START, 200, body);
    let requests = said.requests();
    let [request @ Request::FetchTarget(target)] = requests.as_slice() else {
        panic!("{:?}", said.sends());
    };
    assert!(!request.needs_authorization());
    let base: BaseUrl = "https://verification.api.sinch.com".parse().unwrap();
    let sent = request.to_http(&base).unwrap();
    assert_eq!(sent.uri(), "https://operator.example/check?t=1");
    assert!(sent.headers().is_empty());
    // Nor after a redirect, to wherever.
    let next = target.redirect("https://elsewhere.example/").unwrap();
    assert!(next.to_http().headers().is_empty());
    // Every other request does need it.
    let mut start = Run::new(Plan::new(sms()));
    let said = start.give(Input::Begin);
    assert!(
        said.requests()
            .iter()
            .all(|request| request.needs_authorization())
    );
    let credentials = Credentials::signed(key(), secret());
    let mut sent = said.requests()[0].to_http(&base).unwrap();
    credentials
        .authorize(&mut sent, std::time::SystemTime::UNIX_EPOCH)
        .unwrap();
}
