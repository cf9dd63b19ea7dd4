//! What other clients are known to get wrong, each by its name.

use sinch_verify_protocol::session::{Ignored, Input, Plan, Progress, Request};
use sinch_verify_protocol::{ApplicationKey, ApplicationSecret, BaseUrl, Cli, Credentials};

use crate::run::*;

#[test]
fn dead_end_after_verify_in_idle() {
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
fn no_call_reported_after_typed_success() {
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
fn interception_stopped_by_a_wrong_typed_code() {
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
fn no_content_204_hangs() {
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
fn credentials_sent_to_target_uri() {
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
    let credentials = Credentials::signed(
        ApplicationKey::new("669E367E-6BBA-48AB-AF15-266871C28135").unwrap(),
        ApplicationSecret::new("BeIukql3pTKJ8RGL5zo0DA==").unwrap(),
    );
    let mut sent = said.requests()[0].to_http(&base).unwrap();
    credentials
        .authorize(&mut sent, std::time::SystemTime::UNIX_EPOCH)
        .unwrap();
}
