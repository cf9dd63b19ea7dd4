//! Tests that timers exist as long as they have an effect, and no longer.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use sinch_verify_protocol::identity::Identity;
use sinch_verify_protocol::start::StartRequest;
use sinch_verify_protocol::{AcceptLanguage, Method, PhoneNumber, Status};

use super::{AppId, Command, Engine, Settings, StartCommand, Uid};
use crate::application::AuthorizationLevel;
use crate::clock;
use crate::engine::{BehaviorScope, Intervention};
use crate::handset_behavior::HandsetBehavior;

const NUMBER: &str = "+46700000001";
const HOUR: Duration = Duration::from_secs(3600);

fn began() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000)
}

fn engine(change: impl FnOnce(&mut Settings)) -> Engine {
    let mut settings = Settings::default();
    change(&mut settings);
    Engine::new(Arc::new(settings), 1)
}

fn obeying(behavior: HandsetBehavior) -> Engine {
    let mut engine = engine(|_| {});
    let scope = BehaviorScope::Everyone;
    engine.handle(began(), Command::SetBehavior { scope, behavior });
    engine
}

fn start(engine: &mut Engine, number: &str, method: Method) -> Uid {
    let command = Command::Start(Box::new(StartCommand {
        app: AppId(0),
        level: AuthorizationLevel::Signed,
        callback: false,
        request: StartRequest::new(Identity::number(number.parse().unwrap()), method),
        languages: AcceptLanguage::new(),
        base: Arc::default(),
    }));
    engine.handle(began(), command).about.unwrap()
}

fn status(engine: &Engine, uid: Uid) -> Status {
    engine.overview(uid).unwrap().status
}

fn number() -> PhoneNumber {
    NUMBER.parse().unwrap()
}

/// Runs all timers until the end of service time.
fn wait_for_ever(engine: &mut Engine) {
    while engine.next_deadline().is_some() {
        engine.handle(clock::end(), Command::TimeReached);
    }
}

#[test]
fn what_is_due_past_the_end_of_the_clock_never_comes() {
    for far in [
        Duration::MAX,
        Duration::from_secs(10_000_000_000_000_000_000),
        Duration::from_secs(300_000_000_000),
    ] {
        let mut engine = engine(|settings| {
            settings.expiry = far;
            settings.flash_call_ring = far;
        });
        let uid = start(&mut engine, NUMBER, Method::FlashCall);
        assert_eq!(engine.next_deadline(), None, "{far:?}");
        assert_eq!(engine.overview(uid).unwrap().expires_at, None);
        engine.handle(clock::end(), Command::TimeReached);
        assert_eq!(status(&engine, uid), Status::Pending, "{far:?}");

        // A timer that depends on an expiry that never comes does not run.
        let late = start(&mut engine, "+447700900914", Method::Sms);
        assert_eq!(engine.next_deadline(), None, "{far:?}");
        assert_eq!(status(&engine, late), Status::Pending);

        for behavior in [
            HandsetBehavior::Report { after: far, wrong: 0 },
            HandsetBehavior::Report { after: far, wrong: 3 },
            HandsetBehavior::Unreachable { after: far },
            HandsetBehavior::Late { after: far },
        ] {
            let mut engine = obeying(behavior);
            let uid = start(&mut engine, NUMBER, Method::Sms);
            assert_eq!(status(&engine, uid), Status::Pending, "{behavior:?}");
            wait_for_ever(&mut engine);
            let reason = engine.overview(uid).unwrap().reason.unwrap();
            assert_eq!(reason.as_str(), "Expired", "{behavior:?}");
            let late = matches!(behavior, HandsetBehavior::Late { .. });
            assert!(
                !late || engine.inbox(None, &number()).is_empty(),
                "it never arrives"
            );
        }
    }
}

#[test]
fn nothing_is_due_for_what_has_ended() {
    for behavior in [
        HandsetBehavior::Report {
            after: HOUR,
            wrong: 0,
        },
        HandsetBehavior::Report {
            after: HOUR,
            wrong: 2,
        },
        HandsetBehavior::Unreachable { after: HOUR },
        HandsetBehavior::Busy { after: HOUR },
        HandsetBehavior::HangUp { after: HOUR },
    ] {
        let mut engine = obeying(behavior);
        let uid = start(&mut engine, NUMBER, Method::Callout);
        assert!(engine.next_deadline().is_some());
        let what = Intervention::Deny;
        engine.handle(began(), Command::Intervene { uid, what });
        assert_eq!(status(&engine, uid), Status::Denied);
        assert_eq!(engine.next_deadline(), None, "{behavior:?}");
    }
}

#[test]
fn fates_of_the_past_do_not_pile_up_while_the_clock_stands() {
    let mut engine = obeying(HandsetBehavior::Report {
        after: HOUR,
        wrong: 0,
    });
    for _ in 0..100 {
        // Each start ends the one before it.
        start(&mut engine, NUMBER, Method::Sms);
    }
    assert_eq!(
        engine.timers.len(),
        2,
        "the last one's scripted outcome and its expiry"
    );
}

#[test]
fn what_is_late_is_due_until_it_arrives() {
    let mut engine = obeying(HandsetBehavior::Late { after: HOUR });
    let uid = start(&mut engine, NUMBER, Method::Sms);
    let what = Intervention::Expire;
    engine.handle(began(), Command::Intervene { uid, what });
    assert_eq!(engine.next_deadline(), Some(began() + HOUR), "after the end too");
    let what = Intervention::Deliver;
    engine.handle(began(), Command::Intervene { uid, what });
    assert_eq!(engine.inbox(None, &number()).len(), 1);
    assert_eq!(engine.next_deadline(), None, "it is there");
}

#[test]
fn what_is_late_is_no_longer_due_once_it_is_forgotten() {
    let mut engine = engine(|settings| settings.verifications_kept = 1);
    let behavior = HandsetBehavior::Late { after: HOUR };
    let scope = BehaviorScope::Number(number());
    engine.handle(began(), Command::SetBehavior { scope, behavior });
    let numbers = [NUMBER, "+46700000002"];
    for uid in numbers.map(|number| start(&mut engine, number, Method::Sms)) {
        let what = Intervention::Expire;
        engine.handle(began(), Command::Intervene { uid, what });
    }
    assert_eq!(engine.next_deadline(), None, "the late message is no longer kept");
}
