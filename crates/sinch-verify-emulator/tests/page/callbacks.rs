//! Callbacks: what was posted, what is posted again, and a receiver put to the test.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{Request, Response};
use serde_json::json;
use sinch_verify_emulator::{Emulator, TamperKit};
use sinch_verify_protocol::{ApplicationKey, ApplicationSecret, Event};

use crate::browser::Browser;
use crate::start::start;
use crate::support::{NUMBER, RESULT, Receiver, application, emulator_calling_with, reply};

/// Two ways to spoil a callback, one of which does not.
struct Kit;

impl TamperKit for Kit {
    fn names(&self) -> Vec<&'static str> {
        vec!["other-path", "nothing"]
    }

    fn spoil(
        &self,
        name: &str,
        _: &ApplicationKey,
        _: &ApplicationSecret,
        request: &mut Request<Bytes>,
        _: SystemTime,
    ) {
        if name == "other-path" {
            *request.uri_mut() = request
                .uri()
                .to_string()
                .replace("callback", "other")
                .parse()
                .unwrap();
        }
    }
}

/// What waits to be posted again.
const WAITING: &str = "document.querySelector('.waiting').innerText";

#[tokio::test(flavor = "multi_thread")]
async fn what_a_receiver_refuses_waits_until_it_does_not() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let mended = Arc::new(AtomicBool::new(false));
    let is_mended = Arc::clone(&mended);
    let receiver = Receiver::new(move |event| match event {
        Event::Result(_) if !is_mended.load(Ordering::SeqCst) => reply(500, "not today"),
        event => answer(event),
    })
    .await;
    let emulator = emulator_calling_with(&receiver, |settings| {
        // The second try comes after 10 to 20 s: time enough for the hand, on a busy machine too.
        settings.event_backoff = Duration::from_secs(20);
    })
    .await;
    let id = start(&emulator, "sms", NUMBER).await;
    // The question and the delivery; then the end, of which the receiver does not hear.
    receiver.wait(2).await;
    browser.open(&format!("{}/#/callbacks", emulator.url())).await;
    browser.sees("Nothing waits.").await;
    browser.press("Next expiry").await;
    browser
        .wait(&format!(
            "/VerificationResultEvent try 2 in \\d+ s/.test({WAITING})"
        ))
        .await;
    browser.keep("waiting").await;
    let verification = format!("!!document.querySelector(\".waiting a[href$='/{id}']\")");
    assert_eq!(browser.run(&format!("return {verification}")).await, true);

    // Posted by hand, before and after the receiver is mended; the event goes on waiting for its time.
    browser.click(".row[href$='/callbacks/3']").await;
    browser.sees("It did not do its job").await;
    browser.press("Post it").await;
    browser
        .wait("document.querySelector('.replayed .bad')?.innerText.includes('500, failed')")
        .await;
    mended.store(true, Ordering::SeqCst);
    browser.press("Post it").await;
    browser
        .wait("document.querySelector('.replayed .verdict.ok')")
        .await;
    browser.press("Callbacks").await;
    // Then it is heard by itself: the second try, and the last.
    assert!(emulator.wait_delivered(Duration::from_secs(60)).await);
    browser.sees("Nothing waits.").await;
    assert_eq!(browser.run(&format!("return {WAITING}")).await, "");
    let deliveries = emulator.deliveries();
    let own = deliveries
        .iter()
        .filter(|one| one.event == RESULT && one.replay_of.is_none());
    assert_eq!(
        own.map(|one| (one.attempt, one.ok)).collect::<Vec<_>>(),
        [(2, true), (1, false)]
    );
    assert_eq!(receiver.results().len(), 4);
    assert_eq!(browser.complaints().await, [""; 0]);
}

fn answer(event: &Event) -> Response<Bytes> {
    match event {
        Event::Request(_) => reply(200, r#"{"action":"allow"}"#),
        _ => reply(200, ""),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_posted_again_and_a_receiver_is_put_to_the_test() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let receiver = Receiver::careful(answer).await;
    let emulator = Emulator::builder()
        .application(application().callback_url(receiver.url()))
        .seed(7)
        .tamper_kit(Kit)
        .start()
        .await
        .unwrap();
    start(&emulator, "sms", NUMBER).await;
    receiver.wait(2).await;
    browser.open(&format!("{}/#/callbacks", emulator.url())).await;
    browser.sees("SmsDelivered").await;
    let url = format!(
        "document.querySelector('[name=url]').value === '{}'",
        receiver.url()
    );
    browser.wait(&url).await;

    // The question once more: as it was, then with a signature that must be refused.
    browser.click(".rows li:last-child .row").await;
    browser.sees("It did its job").await;
    browser.press("Post it").await;
    browser
        .wait("document.querySelectorAll('.replayed .ok').length > 0")
        .await;
    receiver.wait(3).await;
    assert_eq!(receiver.names()[2], "VerificationRequestEvent");
    browser.choose("[name=as]", "forged").await;
    browser.sees(r#"{"as":"forged"}"#).await;
    browser.press("Post it").await;
    browser
        .wait("document.querySelector('.replayed').innerText.includes('401')")
        .await;
    browser.keep("replay").await;
    browser
        .wait("document.querySelectorAll('.callbacks .row').length === 4")
        .await;
    let newest = &emulator.deliveries()[0];
    assert_eq!(
        (newest.variant.as_deref(), newest.status, newest.ok),
        (Some("forged"), Some(401), true)
    );

    // The whole test: what is spoilt is refused, and a check that fails is told from the others.
    browser.press("Callbacks").await;
    browser.press("Run the checks").await;
    browser.sees("7 of 8 as they should be").await;
    let wrong = "return [...document.querySelectorAll('.report tr')]
        .filter((row) => row.textContent.endsWith('wrong'))
        .map((row) => row.cells[0].firstChild.textContent)";
    assert_eq!(browser.run(wrong).await, json!(["nothing"]));
    browser.keep("conformance").await;
    assert_eq!(browser.complaints().await, [""; 0]);
}
