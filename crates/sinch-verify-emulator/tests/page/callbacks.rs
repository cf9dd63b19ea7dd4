//! The callbacks view: deliveries, replays, undelivered events and conformance checks.

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

/// A kit of two changes, one of which does not make the callback invalid.
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

/// The list of undelivered events.
const WAITING: &str = "document.querySelector('.waiting').innerText";

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_event_waits_until_the_receiver_accepts_it() {
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
        // The second try comes after 10 to 20 s, which is enough for the clicks on a busy machine.
        settings.event_backoff = Duration::from_secs(20);
    })
    .await;
    let id = start(&emulator, "sms", NUMBER).await;
    // The request event and the delivered event; then the result event, which the receiver refuses.
    receiver.wait(2).await;
    browser.open(&format!("{}/#/callbacks", emulator.url())).await;
    browser.sees("All events are delivered.").await;
    browser.press("Next expiry").await;
    browser
        .wait(&format!(
            "/VerificationResultEvent try 2 in \\d+ s/.test({WAITING})"
        ))
        .await;
    browser.keep("waiting").await;
    let verification = format!("!!document.querySelector(\".waiting a[href$='/{id}']\")");
    assert_eq!(browser.run(&format!("return {verification}")).await, true);

    // Replayed while the receiver fails and after that. The event still waits for its next try.
    browser.click(".row[href$='/callbacks/3']").await;
    browser.sees("Not answered as required").await;
    browser.press("Post").await;
    browser
        .wait("document.querySelector('.replayed .bad')?.innerText.includes('500, failed')")
        .await;
    mended.store(true, Ordering::SeqCst);
    browser.press("Post").await;
    browser
        .wait("document.querySelector('.replayed .verdict.ok')")
        .await;
    browser.press("Callbacks").await;
    // The second try delivers it.
    assert!(emulator.wait_delivered(Duration::from_secs(60)).await);
    browser.sees("All events are delivered.").await;
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
async fn callbacks_are_switched_to_basic_authorization() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let receiver = Receiver::basic(answer).await;
    let emulator = emulator_calling_with(&receiver, |_| {}).await;
    browser.open(&format!("{}/#/callbacks", emulator.url())).await;
    browser
        .wait("document.querySelector('.endpoint [name=auth]')?.value === 'signed'")
        .await;
    browser.choose(".endpoint [name=auth]", "basic").await;
    browser.press("Set").await;
    browser.sees("Callback URL set").await;
    start(&emulator, "sms", NUMBER).await;
    receiver.wait(2).await;
    browser.open(&format!("{}/#/callbacks/1", emulator.url())).await;
    browser.sees("Basic [hidden]").await;
    assert_eq!(browser.complaints().await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_replayed_and_conformance_checks_run() {
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

    // The request event again: unchanged, then with an invalid signature.
    browser.click(".rows li:last-child .row").await;
    browser.sees("Answered as required").await;
    browser.press("Post").await;
    browser
        .wait("document.querySelectorAll('.replayed .ok').length > 0")
        .await;
    receiver.wait(3).await;
    assert_eq!(receiver.names()[2], "VerificationRequestEvent");
    browser.choose("[name=as]", "forged").await;
    browser.sees(r#"{"as":"forged"}"#).await;
    browser.press("Post").await;
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

    // All checks: invalid callbacks are refused, and the failed check is marked.
    browser.press("Callbacks").await;
    browser.press("Run the checks").await;
    browser.sees("7 of 8 checks passed").await;
    let wrong = "return [...document.querySelectorAll('.checks li')]
        .filter((row) => row.firstChild.textContent === 'failed')
        .map((row) => row.children[1].textContent)";
    assert_eq!(browser.run(wrong).await, json!(["nothing"]));
    browser.keep("conformance").await;
    assert_eq!(browser.complaints().await, [""; 0]);
}
