//! Settings that no other test changes.

use std::time::{Duration, SystemTime};

use sinch_verify_protocol::auth::Window;
use sinch_verify_protocol::callback::{Decision, SmsDecision};
use sinch_verify_protocol::start::SmsOptions;
use sinch_verify_protocol::{Endpoint as _, Expiry, Method, Start, StatusByNumber};

use crate::support::{
    DECISION, RESULT, basic, call, deciding, emulator_calling_with, emulator_with, get, json, number, public,
    send, settled, signed,
};

#[tokio::test]
async fn what_a_start_answers() {
    let seconds = Duration::from_secs;
    let emulator = emulator_with(|settings| {
        settings.sms_interception = seconds(198);
        settings.flash_call_interception = seconds(20);
        settings.flash_call_report = seconds(50);
        settings.flash_call_deny_after = seconds(3);
        settings.callout_polling = None;
    })
    .await;
    let sms = call(&emulator, &basic(), &Start::sms(number())).await.unwrap();
    assert_eq!(sms.details.interception_timeout, Some(198));
    let flash_call = call(&emulator, &basic(), &Start::flash_call(number()))
        .await
        .unwrap();
    let told = &flash_call.details;
    assert_eq!(
        (
            told.interception_timeout,
            told.report_timeout,
            told.deny_call_after
        ),
        (Some(20), Some(50), Some(3))
    );
    let callout = call(&emulator, &basic(), &Start::callout(number()))
        .await
        .unwrap();
    assert!(callout.details.schedule().is_none(), "as newer servers do");
}

#[tokio::test]
async fn an_app_waits_for_an_sms_no_longer_than_its_code_is_valid() {
    let mut sms = SmsDecision::default();
    sms.expiry = Expiry::new(Duration::from_secs(3)).ok();
    let receiver = deciding(Decision::AllowSms(sms)).await;
    let decided = emulator_calling_with(&receiver, |_| {}).await;
    let plain = emulator_with(|_| {}).await;
    let short = emulator_with(|settings| settings.expiry = Duration::from_secs(60)).await;
    for (emulator, expiry, timeout) in [
        (&plain, None, 120),
        (&plain, Some(2), 2),
        (&plain, Some(119), 119),
        (&plain, Some(600), 120),
        (&short, None, 60),
        (&short, Some(90), 90),
        (&decided, Some(90), 3),
    ] {
        let mut options = SmsOptions::default();
        options.expiry = expiry.map(|seconds| Expiry::new(Duration::from_secs(seconds)).unwrap());
        let start = Start::sms(number()).options(options);
        let started = call(emulator, &basic(), &start).await.unwrap();
        assert_eq!(started.details.interception_timeout, Some(timeout), "{expiry:?}");
    }
}

#[tokio::test]
async fn how_long_a_flash_call_rings() {
    let emulator = emulator_with(|settings| settings.flash_call_ring = Duration::from_secs(7)).await;
    emulator.pause_clock();
    call(&emulator, &basic(), &Start::flash_call(number()))
        .await
        .unwrap();
    let query = StatusByNumber {
        method: Method::FlashCall,
        number: number(),
    };
    for (passed, over) in [(6, false), (1, true)] {
        emulator.advance(Duration::from_secs(passed));
        let told = call(&emulator, &basic(), &query).await.unwrap();
        assert_eq!(told.call_complete, Some(over));
    }
}

#[tokio::test]
async fn the_key_that_confirms_a_callout() {
    let emulator = emulator_with(|settings| settings.callout_pin = "#".to_owned()).await;
    call(&emulator, &basic(), &Start::callout(number()))
        .await
        .unwrap();
    assert!(!emulator.press_keypad(&number(), "1").unwrap().is_successful());
    assert!(emulator.press_keypad(&number(), "#").unwrap().is_successful());
}

#[tokio::test]
async fn how_fresh_a_signature_must_be() {
    let emulator = emulator_with(|settings| {
        settings.freshness = Window {
            past: Duration::from_secs(3600),
            future: Duration::ZERO,
        };
    })
    .await;
    let minutes = |n: u64| Duration::from_secs(60 * n);
    let now = SystemTime::now();
    for (at, status) in [
        (now - minutes(50), 200),
        (now - minutes(70), 401),
        (now + minutes(1), 401),
    ] {
        let mut request = Start::sms(number()).to_http(&emulator.base_url()).unwrap();
        signed().authorize(&mut request, at).unwrap();
        assert_eq!(send(&emulator, request).await.status(), status);
    }
}

#[tokio::test]
async fn no_price_and_no_delivered_events() {
    let receiver = deciding(Decision::Allow).await;
    let emulator = emulator_calling_with(&receiver, |settings| {
        settings.price = None;
        settings.sms_delivered_events = false;
    })
    .await;
    call(&emulator, &public(), &Start::sms(number())).await.unwrap();
    emulator.advance(Duration::from_secs(300));
    settled(&emulator).await;
    assert_eq!(receiver.names(), [DECISION, RESULT]);
    let query = StatusByNumber {
        method: Method::Sms,
        number: number(),
    };
    assert_eq!(call(&emulator, &public(), &query).await.unwrap().price, None);
}

#[tokio::test]
async fn how_much_is_kept() {
    let receiver = deciding(Decision::Allow).await;
    let emulator = emulator_calling_with(&receiver, |settings| {
        settings.inbox_kept = 2;
        settings.deliveries_kept = 3;
    })
    .await;
    for _ in 0..4 {
        call(&emulator, &public(), &Start::sms(number())).await.unwrap();
    }
    settled(&emulator).await;
    let kept: Vec<_> = emulator
        .inbox(&number())
        .iter()
        .map(|message| message.seq)
        .collect();
    assert_eq!(kept, [4, 3]);
    let deliveries = json(&get(&emulator, "/_emu/deliveries").await);
    let seqs: Vec<_> = deliveries["deliveries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|delivery| delivery["seq"].as_u64().unwrap())
        .collect();
    // Four request events, four delivered events, three result events.
    assert_eq!(seqs, [11, 10, 9]);
}
