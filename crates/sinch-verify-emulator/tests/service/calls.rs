//! Calls: how long they ring, how they end, and what messages and timeline show.

use std::time::Duration;

use sinch_verify_emulator::{Emulator, HandsetBehavior, Scope};
use sinch_verify_protocol::verification::CallResult;
use sinch_verify_protocol::{Method, Reason, Report, Start, Status, method::FlashCall};

use crate::support::{
    NUMBER, basic, builder, call, emulator, emulator_with, get, json, newest, number, post, status,
};

const HANG_UP: &str = "/_emu/numbers/+46700000001/hang-up";

/// The kinds and texts in the timeline of the number's latest verification.
async fn timeline(emulator: &Emulator) -> Vec<(String, String)> {
    let path = format!(
        "/_emu/verifications/{}",
        newest(emulator).verification_id.as_str()
    );
    let detail = json(&get(emulator, &path).await);
    let steps = detail["timeline"].as_array().unwrap();
    let text = |step: &serde_json::Value, name: &str| step[name].as_str().unwrap().to_owned();
    steps
        .iter()
        .map(|step| (text(step, "kind"), text(step, "text")))
        .collect()
}

#[tokio::test]
async fn a_message_says_how_long_its_call_rings_and_that_it_was_missed() {
    let emulator = emulator_with(|settings| settings.flash_call_ring = Duration::from_secs(7)).await;
    emulator.pause_clock();
    let begun = emulator.now();
    call(&emulator, &basic(), &Start::flash_call(number()))
        .await
        .unwrap();
    let until = begun + Duration::from_secs(7);
    for (passed, ringing) in [(6, true), (1, false), (60, false)] {
        emulator.advance(Duration::from_secs(passed));
        let message = newest(&emulator);
        assert_eq!(message.ring_until, Some(until));
        assert_eq!((message.ringing, message.missed), (Some(ringing), Some(!ringing)));
    }
    let shown = json(&get(&emulator, "/_emu/numbers/+46700000001/messages").await);
    let message = &shown["messages"][0];
    assert_eq!(
        (&message["ringing"], &message["missed"]),
        (&false.into(), &true.into())
    );
    assert!(message["ringUntil"].as_str().unwrap().ends_with('Z'));
    let steps = timeline(&emulator).await;
    assert!(
        steps.contains(&("call-over".to_owned(), "the call stopped ringing".to_owned())),
        "{steps:?}"
    );
    // The caller id can still be reported. After the end of the verification no call rings.
    let report = Report::<FlashCall>::by_number(number(), newest(&emulator).cli.unwrap());
    assert!(call(&emulator, &basic(), &report).await.unwrap().is_successful());
    call(&emulator, &basic(), &Start::flash_call(number()))
        .await
        .unwrap();
    let ended = emulator.now();
    let report = Report::<FlashCall>::by_number(number(), newest(&emulator).cli.unwrap());
    call(&emulator, &basic(), &report).await.unwrap();
    assert_eq!(newest(&emulator).ring_until, Some(ended));
    assert_eq!(newest(&emulator).ringing, Some(false));
}

#[tokio::test]
async fn messages_have_no_ringing_fields() {
    let emulator = emulator().await;
    call(&emulator, &basic(), &Start::sms(number())).await.unwrap();
    let shown = json(&get(&emulator, "/_emu/numbers/+46700000001/messages").await);
    let message = &shown["messages"][0];
    for absent in ["ringing", "ringUntil", "missed"] {
        assert_eq!(message.get(absent), None);
    }
    assert_eq!(message["language"], "en-US");
    let swedish = "sv-SE".parse().unwrap();
    call(&emulator, &basic(), &Start::callout(number()).languages(swedish))
        .await
        .unwrap();
    assert_eq!(newest(&emulator).language.unwrap().as_str(), "sv-SE");
    assert_eq!(newest(&emulator).ringing, Some(true));
}

#[tokio::test]
async fn a_call_that_comes_late_rings_from_then_on() {
    let late = HandsetBehavior::Late {
        after: Duration::from_secs(60),
    };
    let emulator = builder()
        .handset_behavior(Scope::Everyone, late)
        .start()
        .await
        .unwrap();
    emulator.pause_clock();
    let begun = emulator.now();
    call(&emulator, &basic(), &Start::flash_call(number()))
        .await
        .unwrap();
    emulator.advance(Duration::from_secs(60));
    let message = newest(&emulator);
    assert_eq!(message.ringing, Some(true));
    assert_eq!(message.ring_until, Some(begun + Duration::from_secs(90)));
    emulator.advance(Duration::from_secs(30));
    assert_eq!(newest(&emulator).missed, Some(true));
}

#[tokio::test]
async fn hanging_up_ends_a_callout_and_stops_a_flash_call() {
    let emulator = emulator().await;
    assert_eq!(post(&emulator, HANG_UP, "").await.status(), 404);
    call(&emulator, &basic(), &Start::callout(number()))
        .await
        .unwrap();
    let hung_up = json(&post(&emulator, HANG_UP, "").await);
    assert_eq!(
        (&hung_up["status"], &hung_up["reason"]),
        (&"FAIL".into(), &"Hung up without entering valid code".into())
    );
    let told = status(&emulator, Method::Callout).await;
    assert_eq!(told.call_result, Some(CallResult::Answered));
    assert_eq!(newest(&emulator).missed, Some(false));
    let steps = timeline(&emulator).await;
    let kinds: Vec<_> = steps.iter().map(|(kind, _)| kind.as_str()).collect();
    assert!(
        kinds.contains(&"call-over") && kinds.contains(&"ended"),
        "{steps:?}"
    );
    assert_eq!(post(&emulator, HANG_UP, "").await.status(), 404, "once");

    call(&emulator, &basic(), &Start::flash_call(number()))
        .await
        .unwrap();
    let told = emulator.hang_up(&number()).unwrap();
    assert_eq!((told.status, told.call_complete), (Status::Pending, Some(true)));
    let told = status(&emulator, Method::FlashCall).await;
    assert_eq!(told.call_result, Some(CallResult::Busy));
    let message = newest(&emulator);
    assert_eq!((message.ringing, message.missed), (Some(false), Some(false)));
    let error = emulator.hang_up(&number()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "no call to this number rings or waits for keys; start one first"
    );
    let report = Report::<FlashCall>::by_number(number(), message.cli.unwrap());
    assert!(call(&emulator, &basic(), &report).await.unwrap().is_successful());

    // Of several methods, only the call ends.
    call(&emulator, &basic(), &Start::auto(number())).await.unwrap();
    emulator.hang_up(&number()).unwrap();
    assert_eq!(status(&emulator, Method::Sms).await.status, Status::Pending);
    emulator.advance(Duration::from_secs(300));
    let told = status(&emulator, Method::FlashCall).await;
    assert_eq!(
        (told.reason, told.call_result),
        (Some(Reason::Expired), Some(CallResult::Busy))
    );
    for (path, code) in [
        ("/_emu/numbers/x/hang-up".to_owned(), 400),
        (format!("/_emu/numbers/{NUMBER}9/hang-up"), 404),
    ] {
        assert_eq!(post(&emulator, &path, "").await.status(), code, "{path}");
    }
}
