//! Magic numbers and handset behaviors.

use std::time::{Duration, SystemTime};

use sinch_verify_emulator::{ControlError, Emulator, HandsetBehavior, MagicNumber, Scope};
use sinch_verify_protocol::verification::CallResult;
use sinch_verify_protocol::{
    Endpoint as _, Method, PhoneNumber, Reason, Source, Start, Status, StatusByNumber, Verification,
};

use crate::support::{
    KEY, Receiver, application, basic, builder, call, emulator, get, json, number, post, reply, send,
};

fn magic(outcome: &str) -> PhoneNumber {
    let all = MagicNumber::all();
    let found = all.iter().find(|magic| magic.outcome == outcome);
    found
        .unwrap_or_else(|| panic!("no {outcome}"))
        .number
        .parse()
        .unwrap()
}

async fn status(emulator: &Emulator, method: Method, number: PhoneNumber) -> Verification {
    call(emulator, &basic(), &StatusByNumber { method, number })
        .await
        .unwrap()
}

/// Starts by SMS, runs everything that is due, and returns the end.
async fn end_of(emulator: &Emulator, number: PhoneNumber) -> (Status, Option<Reason>) {
    call(emulator, &basic(), &Start::sms(number)).await.unwrap();
    emulator.advance(Duration::from_secs(10));
    let seen = status(emulator, Method::Sms, number).await;
    (seen.status, seen.reason)
}

#[tokio::test]
async fn every_end_has_a_number() {
    let emulator = emulator().await;
    for (outcome, end, reason) in [
        ("pending", Status::Pending, None),
        ("verified", Status::Successful, None),
        ("second-try", Status::Successful, None),
        ("wrong", Status::Fail, Some(Reason::InvalidCode)),
        ("expired", Status::Fail, Some(Reason::Expired)),
        ("fraud", Status::Fail, Some(Reason::Fraud)),
        ("blocked", Status::Fail, Some(Reason::Blocked)),
        (
            "destination-denied",
            Status::Fail,
            Some(Reason::DestinationDenied),
        ),
        ("unreachable", Status::Fail, Some(Reason::Unreachable)),
        ("undelivered", Status::Fail, Some(Reason::SmsDeliveryFailure)),
        ("lost", Status::Pending, None),
        ("error", Status::Error, Some(Reason::InternalError)),
        ("failed-pending", Status::Fail, Some(Reason::FailedPending)),
        ("aborted", Status::Aborted, None),
    ] {
        let seen = end_of(&emulator, magic(outcome)).await;
        assert_eq!(seen, (end, reason), "{outcome}");
    }
    assert!(emulator.inbox(&magic("lost")).is_empty());
    assert!(emulator.inbox(&magic("unreachable")).is_empty());
    assert_eq!(emulator.inbox(&magic("pending")).len(), 1);
}

#[tokio::test]
async fn every_refusal_has_a_number() {
    let emulator = emulator().await;
    let passes = Some("1");
    for (outcome, status, refusal, retry_after) in [
        ("denied", 403, 40303, None),
        ("invalid-callback", 403, 40303, None),
        ("no-credit", 402, 40200, None),
        ("blacklisted", 403, 40300, None),
        ("no-route", 422, 42201, None),
        ("too-quick", 429, 42901, passes),
        ("too-many", 429, 42900, passes),
        ("server-error", 500, 50000, None),
        ("unavailable", 503, 50300, passes),
    ] {
        let start = Start::sms(magic(outcome));
        let mut request = start.to_http(&emulator.base_url()).unwrap();
        basic().authorize(&mut request, SystemTime::now()).unwrap();
        let answer = send(&emulator, request).await;
        let after = answer.headers().get("retry-after");
        let after = after.map(|after| after.to_str().unwrap());
        assert_eq!(
            (answer.status().as_u16(), after),
            (status, retry_after),
            "{outcome}"
        );
        assert_eq!(json(&answer)["errorCode"], refusal, "{outcome}");
        let plan = MagicNumber::all();
        let what = plan.iter().find(|magic| magic.outcome == outcome).unwrap().what;
        assert!(what.contains(&format!("{status}/{refusal}")), "{what}");
        assert_eq!(what.contains("Retry-After"), retry_after.is_some(), "{what}");
    }
    let denied = status(&emulator, Method::Sms, magic("denied")).await;
    assert_eq!(denied.status, Status::Denied);
    assert_eq!(denied.reason, Some(Reason::DeniedByCallback));
}

#[tokio::test]
async fn calls_have_their_own_ends() {
    let emulator = emulator().await;
    let (busy, hang_up) = (magic("busy"), magic("hang-up"));
    call(&emulator, &basic(), &Start::callout(busy)).await.unwrap();
    call(&emulator, &basic(), &Start::callout(hang_up)).await.unwrap();
    emulator.advance(Duration::from_secs(2));
    let seen = status(&emulator, Method::Callout, busy).await;
    assert_eq!(
        (seen.status, seen.call_result),
        (Status::Fail, Some(CallResult::Busy))
    );
    let seen = status(&emulator, Method::Callout, hang_up).await;
    assert_eq!(seen.reason, Some(Reason::HungUp));
    assert_eq!(seen.call_result, Some(CallResult::Answered));
    let wrong = magic("wrong");
    call(&emulator, &basic(), &Start::flash_call(wrong))
        .await
        .unwrap();
    emulator.advance(Duration::from_secs(10));
    let seen = status(&emulator, Method::FlashCall, wrong).await;
    assert_eq!(seen.reason, Some(Reason::InvalidCli));
}

#[tokio::test]
async fn a_late_message_arrives_after_the_expiry() {
    let emulator = emulator().await;
    emulator.pause_clock();
    let late = magic("late");
    call(&emulator, &basic(), &Start::sms(late)).await.unwrap();
    emulator.advance(Duration::from_secs(299));
    assert!(emulator.inbox(&late).is_empty());
    emulator.advance(Duration::from_secs(3));
    assert_eq!(emulator.inbox(&late)[0].kind, Method::Sms);
    assert_eq!(
        status(&emulator, Method::Sms, late).await.reason,
        Some(Reason::Expired)
    );
}

#[tokio::test]
async fn a_silent_start_is_never_answered() {
    let emulator = emulator().await;
    let start = Start::sms(magic("silent"));
    let credentials = basic();
    let answer = call(&emulator, &credentials, &start);
    let waited = tokio::time::timeout(Duration::from_millis(200), answer).await;
    assert!(waited.is_err());
    assert!(emulator.inbox(&magic("silent")).is_empty());
}

#[tokio::test]
async fn an_undelivered_message_has_an_event() {
    let receiver = Receiver::new(|_| reply(200, r#"{"action":"allow"}"#)).await;
    let emulator = crate::support::emulator_calling(&receiver).await;
    call(&emulator, &basic(), &Start::sms(magic("undelivered")))
        .await
        .unwrap();
    receiver.wait(2).await;
    let sinch_verify_protocol::Event::SmsDelivered(event) = receiver.posts().remove(1).event else {
        panic!("{:?}", receiver.names());
    };
    assert_eq!(
        event.sms_result,
        sinch_verify_protocol::callback::SmsResult::Failed
    );
}

#[tokio::test]
async fn magic_numbers_are_listed_and_can_be_turned_off() {
    let emulator = emulator().await;
    let plan = json(&get(&emulator, "/_emu/numbers").await);
    assert_eq!(plan["numbers"][1]["number"], "+447700900901");
    assert_eq!(plan["numbers"][1]["outcome"], "verified");
    let mut settings = sinch_verify_emulator::Settings::default();
    settings.magic_numbers = false;
    let plain = builder().settings(settings).start().await.unwrap();
    assert_eq!(end_of(&plain, magic("fraud")).await, (Status::Pending, None));
}

#[tokio::test]
async fn the_narrowest_behavior_counts() {
    let after = Duration::from_secs(1);
    let emulator = builder()
        .handset_behavior(Scope::Everyone, HandsetBehavior::Unreachable { after })
        .handset_behavior(
            Scope::Application(KEY.parse().unwrap()),
            HandsetBehavior::Report { after, wrong: 0 },
        )
        .handset_behavior(Scope::Prefix("+46".to_owned()), HandsetBehavior::Never)
        .handset_behavior(
            Scope::Prefix("+4670".to_owned()),
            HandsetBehavior::Report { after, wrong: 9 },
        )
        .start()
        .await
        .unwrap();
    let other: PhoneNumber = "+12025550123".parse().unwrap();
    assert_eq!(end_of(&emulator, other).await.0, Status::Successful);
    let seen = status(&emulator, Method::Sms, other).await;
    assert_eq!(seen.source, Some(Source::Intercepted));
    let end = end_of(&emulator, number()).await;
    assert_eq!(end, (Status::Fail, Some(Reason::InvalidCode)));
    let swedish: PhoneNumber = "+46850000001".parse().unwrap();
    assert_eq!(end_of(&emulator, swedish).await, (Status::Pending, None));
    emulator
        .set_handset_behavior(
            Scope::Number(number()),
            HandsetBehavior::Report { after, wrong: 0 },
        )
        .unwrap();
    assert_eq!(end_of(&emulator, number()).await.0, Status::Successful);
    emulator.clear_handset_behaviors();
    assert_eq!(end_of(&emulator, number()).await.0, Status::Pending);
    assert_eq!(
        emulator.set_handset_behavior(Scope::Prefix("46".to_owned()), HandsetBehavior::Wait),
        Err(ControlError::Prefix)
    );
    let stranger = Scope::Application(crate::support::OTHER_KEY.parse().unwrap());
    let refused = Emulator::builder()
        .application(application())
        .handset_behavior(stranger, HandsetBehavior::Wait)
        .start()
        .await;
    assert!(matches!(
        refused,
        Err(sinch_verify_emulator::StartError::HandsetBehavior(_))
    ));
}

/// A verification whose handset has a behavior, after a minute and after expiry.
struct Ends {
    behavior: HandsetBehavior,
    /// The messages and calls on the handset after that minute.
    arrived: usize,
    after: Status,
    reason: Option<Reason>,
    call: Option<CallResult>,
}

#[tokio::test]
async fn every_behavior_by_number_prefix_and_application() {
    let after = Duration::from_secs(30);
    let ends = |behavior, arrived, after, reason: Option<Reason>, call| Ends {
        behavior,
        arrived,
        after,
        reason,
        call,
    };
    let (unreachable, hung_up) = (Some(Reason::Unreachable), Some(Reason::HungUp));
    let (no_answer, failed) = (Some(CallResult::NoAnswer), Some(CallResult::Failed));
    let (busy, answered) = (Some(CallResult::Busy), Some(CallResult::Answered));
    let expired = Some(Reason::Expired);
    let fail = Status::Fail;
    for Ends {
        behavior,
        arrived,
        after,
        reason,
        call: result,
    } in [
        ends(
            HandsetBehavior::Wait,
            1,
            fail.clone(),
            expired.clone(),
            no_answer.clone(),
        ),
        ends(
            HandsetBehavior::Report { after, wrong: 0 },
            1,
            Status::Successful,
            None,
            answered.clone(),
        ),
        ends(
            HandsetBehavior::Report {
                after: after / 3,
                wrong: 3,
            },
            1,
            fail.clone(),
            Some(Reason::InvalidCode),
            answered.clone(),
        ),
        ends(
            HandsetBehavior::Never,
            0,
            fail.clone(),
            expired.clone(),
            no_answer.clone(),
        ),
        ends(
            HandsetBehavior::Late { after },
            1,
            fail.clone(),
            expired.clone(),
            no_answer.clone(),
        ),
        ends(
            HandsetBehavior::Late { after: after * 3 },
            0,
            fail.clone(),
            expired,
            no_answer,
        ),
        ends(
            HandsetBehavior::Unreachable { after },
            0,
            fail.clone(),
            unreachable.clone(),
            failed,
        ),
        ends(
            HandsetBehavior::Busy { after },
            0,
            fail.clone(),
            unreachable,
            busy,
        ),
        ends(HandsetBehavior::HangUp { after }, 1, fail, hung_up, answered),
    ] {
        for scope in [
            Scope::Number(number()),
            Scope::Prefix("+4670".to_owned()),
            Scope::Application(KEY.parse().unwrap()),
            Scope::Everyone,
        ] {
            let emulator = builder()
                .handset_behavior(scope.clone(), behavior)
                .start()
                .await
                .unwrap();
            call(&emulator, &basic(), &Start::callout(number()))
                .await
                .unwrap();
            emulator.advance(Duration::from_secs(60));
            assert_eq!(emulator.inbox(&number()).len(), arrived, "{behavior:?} {scope:?}");
            emulator.advance(Duration::from_secs(240));
            let seen = status(&emulator, Method::Callout, number()).await;
            assert_eq!(
                (&seen.status, &seen.reason, &seen.call_result),
                (&after, &reason, &result),
                "{behavior:?} {scope:?}"
            );
        }
    }
}

#[tokio::test]
async fn behaviors_are_set_over_http() {
    let emulator = emulator().await;
    let body = r#"{"number":"+46700000001","behavior":{"do":"late","after":"5m"}}"#;
    assert_eq!(post(&emulator, "/_emu/behaviors", body).await.status(), 200);
    call(&emulator, &basic(), &Start::sms(number())).await.unwrap();
    assert!(emulator.inbox(&number()).is_empty());
    emulator.advance(Duration::from_secs(301));
    assert_eq!(emulator.inbox(&number()).len(), 1);
    for bad in [
        "{}",
        r#"{"behavior":{"do":"dance"}}"#,
        r#"{"prefix":"x","behavior":{"do":"wait"}}"#,
        r#"{"prefix":"+46","number":"+46700000001","behavior":{"do":"wait"}}"#,
        r#"{"behavior":{"do":"report","after":"soon"}}"#,
    ] {
        assert_eq!(
            post(&emulator, "/_emu/behaviors", bad).await.status(),
            400,
            "{bad}"
        );
    }
}
